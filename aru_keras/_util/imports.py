"""Modules of the user's own, in the working folder."""

import os
import sys


def find_in_working_folder() -> None:
    """Let modules in the working folder be imported, as with `python -m`.

    A console script does not have that folder in its path.
    """
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
