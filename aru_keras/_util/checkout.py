"""`envs/` and `runners/` of a checkout, which stand beside the package and are installed in it."""

import importlib.abc
import importlib.util
import sys
from pathlib import Path

FOLDERS = {"aru_keras.envs": "envs", "aru_keras.runners": "runners"}


class CheckoutFinder(importlib.abc.MetaPathFinder):
    """Finds these two subpackages in a checkout, and nothing else of it.

    Args:
        root: The checkout.
    """

    def __init__(self, root: Path):
        self.root = root

    def find_spec(self, name, path=None, target=None):
        if name not in FOLDERS:
            return None
        folder = self.root / FOLDERS[name]
        return importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )


def find_checkout(package: Path) -> None:
    """Let Python find both, where the package stands in a checkout.

    Args:
        package: The folder of `aru_keras`.
    """
    root = package.parent
    if (root / "pyproject.toml").exists() and (root / "runners" / "cli.py").exists():
        # First, lest an editable install of another checkout gives them.
        sys.meta_path.insert(0, CheckoutFinder(root))
