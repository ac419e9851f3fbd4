"""Sphinx configuration: python -m sphinx -W -b html docs docs/_build/html"""

import importlib.metadata
import inspect
import os
import re
from pathlib import Path

import nbformat
from docutils import nodes
from PIL import Image
from sphinx.addnodes import download_reference
from sphinx.util import logging

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # The pages train tiny networks.
os.environ["COLUMNS"] = "86"  # Width of the printed --help.

from aru_keras import __version__

project = "aru-keras"
author = "aru-keras contributors"
copyright = f"2026 {author}"
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
]
if "READTHEDOCS" in os.environ:  # Elsewhere a build needs no network. Keras has no inventory.
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "gymnasium": ("https://gymnasium.farama.org", None),
    }
exclude_patterns = ["_build"]
suppress_warnings = [
    "toc.not_readable",  # index.md lists results and gpu, which may be absent.
    "ref.python",  # `n`, an argument, is the name of many attributes too.
]
html_theme = "furo"
html_title = f"aru-keras {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3  # Headings that other pages point to.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_in_temp = True
nb_output_stderr = "remove"  # TensorFlow's messages about the machine.
nb_merge_streams = True
nb_render_markdown_format = "myst"

default_role = "py:obj"  # `name` in a docstring links to that name, where it is documented.
autodoc_default_options = {
    "members": True,
    "member-order": "bysource",
    "exclude-members": "cell_class",
}
autodoc_inherit_docstrings = False  # Keras writes its own in Markdown.
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Call arguments", "params_style")]


try:  # The one file of MathJax that needs no other, so that equations are read offline too.
    mathjax = importlib.metadata.distribution("sphinx-mathjax-offline")
    html_static_path += [
        str(mathjax.locate_file("sphinx-mathjax-offline/static/mathjax/tex-svg.js"))
    ]
    mathjax_path = "tex-svg.js"
except importlib.metadata.PackageNotFoundError:
    logging.getLogger(__name__).warning(
        "Equations of this site will be fetched from a CDN and not be seen offline: "
        "sphinx-mathjax-offline is missing. pip install 'aru-keras[docs]' brings it."
    )


def signature_of_init(app, what, name, obj, options, signature, return_annotation):
    """The arguments of `__init__`: Keras gives its classes a `__new__` that takes anything."""
    if what != "class" or not inspect.isfunction(obj.__init__):
        return None
    shown = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(obj.__init__).parameters.values()
        if parameter.name != "self"
    ]
    return str(inspect.Signature(shown)), ""


def escape(app, what, name, obj, options, lines):
    """Docstrings mean |n| and (K, *shape) as they stand; to reStructuredText they are markup."""
    marks = r"(`[^`]*`)|(?<=, )\*(?=\w)|\|"
    lines[:] = [re.sub(marks, lambda mark: mark[1] or f"\\{mark[0]}", line) for line in lines]


def size_as_drawn(app, doctree):
    """Show figures in the inches in which they were drawn, so that small ones are not blown up."""
    for image in doctree.findall(nodes.image):
        file = Path(app.srcdir, Path(app.env.docname).parent, image["uri"])
        if file.suffix == ".png" and file.exists() and "width" not in image:
            with Image.open(file) as opened:
                dpi = opened.info.get("dpi", (96,))[0]
                image["width"] = f"{round(96 * opened.width / dpi)}px"


def remove_messages(file):
    """Take the messages about the machine out of an executed notebook, as out of the page."""
    notebook = nbformat.read(file, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
    nbformat.write(notebook, file)


def offer_notebook(app, doctree):
    """A link to the executed page as a Jupyter notebook, below the title of a page with code."""
    containers = doctree.findall(nodes.container)
    if not any(container.get("nb_element") == "cell_code" for container in containers):
        return
    file = Path(app.env.mystnb_config.output_folder, f"{app.env.docname}.ipynb")
    remove_messages(file)
    link = download_reference(reftarget="/" + os.path.relpath(file, app.srcdir))
    link += nodes.inline(text="Download this page as a notebook")
    title = next(doctree.findall(nodes.title))
    below = title.parent.index(title) + 1
    title.parent.insert(below, nodes.paragraph("", "", link, classes=["notebook-download"]))


def setup(app):
    app.connect("autodoc-process-signature", signature_of_init)
    app.connect("autodoc-process-docstring", escape, priority=400)  # Before napoleon.
    # Before Sphinx collects images and downloads.
    app.connect("doctree-read", size_as_drawn, priority=400)
    app.connect("doctree-read", offer_notebook, priority=400)
