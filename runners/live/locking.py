"""Changes of a page in the order of its messages, under the lock of its document."""

import functools
from collections.abc import Callable
from typing import Any

import panel as pn


def locked(function: Callable[..., Any]) -> Callable[..., None]:
    """A function that Panel may call at any moment, and that changes models of Bokeh.

    Panel calls what watches a widget without the lock of the document. Models of Bokeh may be
    changed under that lock alone: otherwise a change that falls between two messages to the browser
    is an error, and lost. Where there is no server, the function is called at once.
    """

    @functools.wraps(function)
    def scheduled(*arguments):
        document = pn.state.curdoc
        if document is None or document.session_context is None:
            function(*arguments)
        else:
            document.add_next_tick_callback(functools.partial(function, *arguments))

    return scheduled
