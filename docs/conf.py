"""Sphinx configuration: python -m sphinx -W -b html docs docs/_build/html"""

import inspect
import os
import re

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # The pages train tiny networks.
os.environ["COLUMNS"] = "86"  # Width of the printed --help.

from aru_keras import __version__

project = "aru-keras"
author = "the aru-keras developers"
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build"]
suppress_warnings = [
    "toc.not_readable",  # index.md lists results and gpu, which may be absent.
    "ref.python",  # `n`, an argument, is the name of many attributes too.
]
html_theme = "furo"
html_title = f"aru-keras {release}"

myst_enable_extensions = ["dollarmath"]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
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


def setup(app):
    app.connect("autodoc-process-signature", signature_of_init)
    app.connect("autodoc-process-docstring", escape, priority=400)  # Before napoleon.
