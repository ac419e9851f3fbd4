"""Who looks for Keras or Gymnasium without importing it keeps no layers or environments from it."""

import subprocess
import sys
from pathlib import Path

SAVED = Path(__file__).parent / "saved" / "0.1" / "layers.keras"
PROBE = "import aru_keras, importlib.util, sys\nassert importlib.util.find_spec({name!r}).origin"
LEFT = "assert not [one for one in sys.meta_path if getattr(one, 'awaited', None) == {name!r}]"


def test_looking_for_gymnasium_does_not_keep_the_environments_from_it():
    run_alone(f"""{PROBE.format(name="gymnasium")}
assert importlib.util.find_spec("gymnasium").name == "gymnasium"
assert "gymnasium" not in sys.modules
import gymnasium
assert "aru/UnitRig-v0" in gymnasium.registry
{LEFT.format(name="gymnasium")}""")


def test_looking_for_keras_does_not_keep_the_layers_from_it():
    run_alone(f"""{PROBE.format(name="keras")}
assert "keras" not in sys.modules
import keras
keras.models.load_model({str(SAVED)!r})
{LEFT.format(name="keras")}""")


def test_a_module_that_is_not_installed_is_still_looked_for_later(tmp_path):
    (tmp_path / "gymnasium.py").write_text(
        "registry = []\ndef register(name, **options):\n    registry.append(name)\n"
    )
    run_alone(f"""import importlib, importlib.util, os, sys
import aru_keras
sys.path[:] = [path for path in sys.path if not os.path.isdir(os.path.join(path, "gymnasium"))]
assert importlib.util.find_spec("gymnasium") is None
try:
    import gymnasium
except ModuleNotFoundError:
    pass
sys.path.insert(0, {str(tmp_path)!r})
importlib.invalidate_caches()
import gymnasium
assert "aru/UnitRig-v0" in gymnasium.registry
assert gymnasium.__loader__ is gymnasium.__spec__.loader
{LEFT.format(name="gymnasium")}""")


def run_alone(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
