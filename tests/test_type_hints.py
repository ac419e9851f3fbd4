"""What `py.typed` promises: public functions and methods say the types that they take and give."""

import ast
from pathlib import Path

import pytest

import aru_keras

ROOTS = sorted({Path(path) for path in (*aru_keras.__path__, *aru_keras.envs.__path__)})
WITHOUT = ("commands", "experimental")
"""Packages that nobody imports by hand: the command line, and kernels that Triton reads."""

MODULES = sorted(
    path
    for root in (*ROOTS, *map(Path, aru_keras.runners.__path__))
    for path in root.rglob("*.py")
    if not any(part.startswith("_") for part in path.relative_to(root).with_suffix("").parts)
    and not set(WITHOUT) & set(path.parts)
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_public_signatures_have_types(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [f"{name}: {bare}" for name, bare in _bare(tree)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_results_with_arrays_compare_by_identity(path):
    """The `==` of a dataclass would ask arrays whether they are true, which they refuse."""
    for cls in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(cls, ast.ClassDef) and any(map(_is_array, _fields(cls))):
            made = [ast.unparse(each) for each in cls.decorator_list]
            assert all("eq=False" in each for each in made if "dataclass" in each), cls.name


def _is_array(annotation):
    return "ndarray" in annotation and "Callable" not in annotation


def _fields(cls):
    return [ast.unparse(each.annotation) for each in cls.body if isinstance(each, ast.AnnAssign)]


def test_a_signature_without_types_is_found():
    tree = ast.parse("def f(x, y: int = 0, **z) -> int: ...\nclass C:\n def m(self, a: int): ...")
    assert list(_bare(tree)) == [("f", ["x", "z"]), ("m", ["return"])]


def _bare(tree):
    """Public functions and methods, and what of their signature has no type."""
    for parent in ast.walk(tree):
        if isinstance(parent, ast.Module | ast.ClassDef) and _is_public(parent):
            for function in parent.body:
                if isinstance(function, ast.FunctionDef) and _is_public(function):
                    bare = _without_types(function)
                    if bare:
                        yield function.name, bare


def _is_public(node):
    name = getattr(node, "name", "")
    return name == "__init__" or not name.startswith("_")


def _without_types(function):
    spelled = function.args
    every = [*spelled.posonlyargs, *spelled.args, *spelled.kwonlyargs]
    every += [rest for rest in (spelled.vararg, spelled.kwarg) if rest]
    bare = [one.arg for one in every if one.annotation is None and one.arg not in ("self", "cls")]
    if function.returns is None and function.name != "__init__":
        bare.append("return")
    return bare
