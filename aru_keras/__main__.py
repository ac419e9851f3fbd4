"""`python -m aru_keras`: the command line."""

import sys

from aru_keras.runners.cli import main

sys.exit(main())
