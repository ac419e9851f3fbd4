"""Packages whose names are loaded on first use (PEP 562)."""

import ast
import importlib
import sys
from collections.abc import Callable
from pathlib import Path


def attach(package: str, file: str) -> tuple[Callable, Callable, list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package that loads its names on first use.

    The names are those that the package's `__init__.pyi` imports: what type checkers and editors
    read says at run time, too, where each name comes from.

    Args:
        package: `__name__` of the package.
        file: `__file__` of the package.
    """
    homes = _imports(Path(file).with_suffix(".pyi"))

    def get(name):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        if home == package:
            value = importlib.import_module(f"{package}.{name}")
        else:
            value = getattr(importlib.import_module(home), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted(homes), sorted(homes)


def _imports(stub):
    """Public name -> the module that it is imported from."""
    statements = ast.parse(stub.read_text(encoding="utf-8")).body
    imports = [statement for statement in statements if isinstance(statement, ast.ImportFrom)]
    return {alias.name: statement.module for statement in imports for alias in statement.names}
