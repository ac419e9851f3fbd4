"""The tab from which a person takes away the recording, the picture and lines of Python."""

import io
from collections.abc import Callable

import panel as pn

from aru_keras._util.extras import has_xarray
from aru_keras.runners.live import takeaway
from aru_keras.runners.live.networks import safe_name
from aru_keras.runners.live.reading_view import ReadingView

_NETCDF, _NO_NETCDF = "Recording, netCDF", "netCDF needs xarray"
_STRETCH = {"sizing_mode": "stretch_width"}


class TakeawayView:
    """Downloads of what was read so far, and how to make it again.

    Args:
        reading: The tab on which it is read.
    """

    def __init__(self, reading: ReadingView):
        self._reading = reading
        self.network = pn.widgets.Select(label="Network", options={}, width=220)
        self.downloads = {
            "nc": self._download(_NETCDF if has_xarray() else _NO_NETCDF, "nc", takeaway.netcdf),
            "csv": self._download("Recording, CSV", "csv", _table),
            "png": self._download("Picture, PNG", "png", self._picture("png")),
            "svg": self._download("Picture, SVG", "svg", self._picture("svg")),
        }
        self.python = pn.widgets.TextAreaInput(
            label="The same in Python", disabled=True, height=190
        )
        self.text = pn.widgets.TextInput(
            label="The perturbation, for --perturb and perturbations.parse", disabled=True
        )
        self.json = pn.widgets.TextAreaInput(
            label="The perturbation as JSON, for perturbations.from_config", disabled=True
        )
        for widget in (self.python, self.text, self.json):
            widget.sizing_mode = "stretch_width"
        self.network.param.watch(lambda _: self._write(), "value")
        files = pn.FlexBox(*self.downloads.values())
        self.panel = pn.Column(self.network, files, self.python, self.text, self.json, **_STRETCH)

    def show(self) -> None:
        """Write down what was read so far."""
        self._reading.close()
        networks = self._reading.session.networks
        self.network.options = {network.label: index for index, network in enumerate(networks)}
        self.network.value = 0
        for suffix, download in self.downloads.items():
            possible = suffix != "nc" or has_xarray()
            download.disabled = not (self._reading.session.t and possible)
        self._write()

    def _write(self):
        session = self._reading.session
        self.python.value = takeaway.python(session, self._reading.units, self.network.value)
        self.text.value = session.perturbation.to_text()
        self.json.value = takeaway.perturbation_json(session)

    def _download(self, label, suffix, make: Callable):
        def content():
            made = make(self._reading.session, self.network.value)
            return io.BytesIO(made)

        name = safe_name(self._reading.networks.first.label)
        return pn.widgets.FileDownload(
            callback=content, filename=f"{name}.{suffix}", label=label, width=180
        )

    def _picture(self, suffix):
        def make(session, network_index):
            width = session.networks[network_index].units
            units = [unit for unit in self._reading.units if unit < width] or [0]
            return takeaway.picture(session, units, suffix, network_index)

        return make


def _table(session, network_index):
    return takeaway.table(session, network_index).encode("utf-8")
