"""The pages of the site: what can be checked without executing them."""

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

COLUMNS = 105
"""Of a line of code, which then does not go on below in a window of 1280 pixels."""

CODE = ("{code-cell}", "python", "shell", "bash", "console", "text", "")


def code_lines(page):
    language = None  # Of the fence that the line is in.
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            language = line[3:].partition(" ")[0] if language is None else None
        elif language in CODE:
            yield line


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_code_fits_the_page(page):
    assert [line for line in code_lines(page) if len(line) > COLUMNS] == []


def test_the_start_page_calls_pages_by_their_titles():
    table = re.findall(r"\[([^]]+)\]\(([a-z-]+)\.md\)", (DOCS / "index.md").read_text("utf-8"))
    assert len(table) > 10
    for name, page in table:
        title = re.search("^# (.*)$", (DOCS / f"{page}.md").read_text("utf-8"), re.MULTILINE)[1]
        assert name == title


PAGE = """---
file_format: mystnb
kernelspec:
  name: python3
---

# A page

```{code-cell} ipython3
1 + 1
```

$$x = 1$$

![A small figure](small.png)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page built as the site is, without executing it."""
    pytest.importorskip("myst_nb")
    from aru_keras.plots import style

    folder = tmp_path_factory.mktemp("site")
    (folder / "source").mkdir()
    (folder / "source/index.md").write_text(PAGE, encoding="utf-8")
    style.save(style.panels(1, width=style.COLUMN_WIDTH)[0], folder / "source/small", ["png"])
    _write_executed(folder / "source/executed.ipynb")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", "-c", str(DOCS)]
    options = ["-D", "nb_execution_mode=off", "-D", "suppress_warnings=myst-nb.lexer"]
    command += [*options, str(folder / "source"), str(folder / "html")]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def _write_executed(file):
    """A notebook with a message about the machine in its output."""
    import nbformat

    cell = nbformat.v4.new_code_cell("1 + 1", execution_count=1)
    for name in ("stdout", "stderr"):
        cell.outputs.append(nbformat.v4.new_output("stream", name=name, text=f"to {name}"))
    cells = [nbformat.v4.new_markdown_cell("# Executed"), cell]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"orphan": True})
    nbformat.write(notebook, file)


def test_a_page_is_read_without_a_network(site):
    page = (site / "index.html").read_text(encoding="utf-8")
    fetched = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(https?:[^"]*)"', page)
    assert fetched == []
    assert 'src="_static/tex-svg.js' in page and (site / "_static/tex-svg.js").exists()


def test_the_copyright_names_its_holder(site):
    page = re.sub("<[^>]*>|\\s+", " ", (site / "index.html").read_text(encoding="utf-8"))
    assert re.search(r"Copyright &#169; +\d{4} aru-keras contributors", page)


def test_a_page_with_code_is_offered_as_a_notebook(site):
    page = (site / "index.html").read_text(encoding="utf-8")
    (target,) = re.findall(r'href="(_downloads/[^"]*\.ipynb)"', page)
    notebook = json.loads((site / target).read_text(encoding="utf-8"))
    code = ["".join(one["source"]) for one in notebook["cells"] if one["cell_type"] == "code"]
    assert code == ["1 + 1"]


def test_a_notebook_keeps_what_was_printed_and_no_messages_about_the_machine(site):
    page = (site / "executed.html").read_text(encoding="utf-8")
    (target,) = re.findall(r'href="(_downloads/[^"]*\.ipynb)"', page)
    notebook = (site / target).read_text(encoding="utf-8")
    assert "to stdout" in notebook and "to stderr" not in notebook
    assert "to stdout" in page and "to stderr" not in page


def test_a_figure_has_on_the_page_the_size_in_which_it_was_drawn(site):
    page = (site / "index.html").read_text(encoding="utf-8")
    (width,) = re.findall(r"<img[^>]*small\.png[^>]*width: (\d+)px", page)
    assert int(width) == pytest.approx(96 * 3.4, abs=1)


def test_pages_use_no_backend_that_the_extra_for_the_site_does_not_bring():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extra = " ".join(extras["optional-dependencies"]["docs"] + extras["dependencies"])
    used = {
        backend
        for page in DOCS.glob("*.md")
        for backend in re.findall('"KERAS_BACKEND": "([a-z]+)"', page.read_text("utf-8"))
    }
    assert used and all(f"{backend}>=" in extra for backend in used)


PACKAGES = ("layers", "models", "tasks", "perturbations", "probing", "envs", "analysis", "plots")


def documented(page):
    """Names that a page of the reference documents, and modules that it documents whole."""
    names, modules = set(), set()
    for directive, name, options in re.findall(
        r"^\.\. (auto\w+):: ([\w.]+)((?:\n   :.*)*)", page.read_text(encoding="utf-8"), re.MULTILINE
    ):
        if directive != "automodule":
            names.add(name.rpartition(".")[2])
        elif ":no-members:" not in options:
            modules.add(name)
    return names, modules


@pytest.mark.parametrize("package", PACKAGES)
def test_the_reference_has_every_public_name(package):
    package = importlib.import_module(f"aru_keras.{package}")
    names, modules = documented(DOCS / "reference" / f"{package.__name__.split('.')[1]}.rst")

    def is_documented(name):
        value = getattr(package, name)
        if isinstance(value, ModuleType):
            return value.__name__ in modules
        homes = {getattr(value, "__module__", None), package.__name__}
        homes |= {module for module in modules if name in vars(sys.modules[module])}
        return name in names or bool(homes & modules)

    for module in modules:
        importlib.import_module(module)
    assert [name for name in package.__all__ if not is_documented(name)] == []
