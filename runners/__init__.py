"""What the commands do, as functions: training, evaluation and the command line.

Each name is in one of its modules, which are loaded on first use:

- `aru_keras.runners.train`: `train` and `resume`, a network on a task;
- `aru_keras.runners.sweep.sweep` and `aru_keras.runners.search.search`: many options and seeds;
- `aru_keras.runners.probe.probe`: a picture and a recording of one sequence;
- `aru_keras.runners.live`: the page in the browser;
- `aru_keras.runners.experiments`: `analyze.analyze` of one run, and `reproduce.reproduce`;
- `aru_keras.runners.control`: agents that act in any environment of Gymnasium;
- `aru_keras.runners.cluster`: the processes and machines that trainings run on;
- `aru_keras.runners.agent.Agent`: an agent that names the classes of sequences;
- `aru_keras.runners.run_folder.RunFolder`: what a run has written.
"""

from aru_keras._util.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
