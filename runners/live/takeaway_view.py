"""The tab from which a person takes away the recording, the picture and lines of Python."""

import io
from collections.abc import Callable
from typing import Any

import panel as pn

from aru_keras._util.extras import has_xarray
from aru_keras.runners.live import agent_takeaway, takeaway
from aru_keras.runners.live.episode_view import EpisodeView
from aru_keras.runners.live.network_view import owned
from aru_keras.runners.live.networks import safe_name

_NETCDF, _NO_NETCDF = "Recording, netCDF", "netCDF needs xarray"
_STRETCH = {"sizing_mode": "stretch_width"}


class TakeawayView:
    """Downloads of what was done so far, and how to make it again.

    Args:
        episode: The tab on which it is done.
        say: Function that is called with a message for the person.
    """

    def __init__(self, episode: EpisodeView, say: Callable[[str], None]):
        self._episode, self._say = episode, say
        self.downloads = {
            "csv": self._download("Recording, CSV", "csv", lambda: self._table().encode("utf-8")),
            "png": self._download("Picture, PNG", "png", lambda: self._picture("png")),
            "svg": self._download("Picture, SVG", "svg", lambda: self._picture("svg")),
        }
        self.python = pn.widgets.TextAreaInput(
            label="The same in Python", disabled=True, height=190, **_STRETCH
        )

    @property
    def panel(self) -> pn.Column:
        """All of it, one below the other."""
        return pn.Column(pn.FlexBox(*self.downloads.values()), self.python, **_STRETCH)

    def show(self) -> None:
        """Stop, and write down what was done so far."""
        self._episode.pause()
        self.refresh()

    def refresh(self) -> None:
        """Write down what was done so far, while more is done."""
        name = safe_name(self._name)
        for suffix, download in self.downloads.items():
            possible = suffix != "nc" or has_xarray()
            download.disabled = not (self._episode.session.t and possible)
            download.filename = f"{name}.{suffix}"
        self._write()

    @property
    def _name(self) -> str:
        """What the downloads are called."""
        raise NotImplementedError

    def _table(self) -> str:
        raise NotImplementedError

    def _picture(self, suffix: str) -> bytes:
        raise NotImplementedError

    def _write(self) -> None:
        raise NotImplementedError

    def _download(self, label: str, suffix: str, content: Callable[[], bytes]) -> Any:
        return _Download(
            callback=lambda: self._file(content), filename=f".{suffix}", label=label, width=180
        )

    def _file(self, content):
        """What is downloaded; None, and a message, where there is nothing."""
        try:
            return io.BytesIO(content())
        except ValueError as error:
            self._say(str(error))
            return None


class _Download(pn.widgets.FileDownload):
    """A download that sends nothing where its callback returns None."""

    def _sync_data(self, fileobj):
        if fileobj is not None:
            super()._sync_data(fileobj)


class ReadingTakeawayView(TakeawayView):
    """Downloads of what was read so far, and how to make it again.

    Args:
        episode: The tab on which it is read.
        say: Function that is called with a message for the person.
    """

    def __init__(self, episode: Any, say: Callable[[str], None]):
        super().__init__(episode, say)
        self.network = pn.widgets.Select(label="Network", options={}, width=220)
        label = _NETCDF if has_xarray() else _NO_NETCDF
        netcdf = self._download(
            label, "nc", lambda: takeaway.netcdf(episode.session, self.network.value)
        )
        self.downloads = {"nc": netcdf, **self.downloads}
        self.text = pn.widgets.TextInput(
            label="The perturbation, for --perturb and perturbations.parse",
            disabled=True,
            **_STRETCH,
        )
        self.json = pn.widgets.TextAreaInput(
            label="The perturbation as JSON, for perturbations.from_config",
            disabled=True,
            **_STRETCH,
        )
        self.network.param.watch(lambda _: self.refresh(), "value")

    @property
    def panel(self) -> pn.Column:
        """All of it, one below the other."""
        return pn.Column(self.network, *super().panel, self.text, self.json, **_STRETCH)

    def show(self) -> None:
        """Stop, and write down what was read so far, of the first network to begin with."""
        self.network.value = 0
        super().show()

    def refresh(self) -> None:
        """Write down what was read so far, while more is read."""
        labels = [network.label for network in self._episode.session.networks]
        options = {label: index for index, label in enumerate(labels)}
        if options != self.network.options:
            self.network.param.update(options=options, value=0)
        super().refresh()

    @property
    def _name(self):
        session = self._episode.session
        label = session.networks[self.network.value].label
        if session.drawn:
            return f"{label}-{session.split}"
        return f"{label}-{session.split}-{session.index}"

    def _table(self):
        return takeaway.table(self._episode.session, self.network.value)

    def _picture(self, suffix):
        return takeaway.picture(self._episode.session, self._units, suffix, self.network.value)

    @property
    def _units(self):
        """The chosen units, as far as the network has them."""
        return owned(self._episode.units, self._episode.session.networks[self.network.value])

    def _write(self):
        session = self._episode.session
        self.python.value = takeaway.python(session, self._units, self.network.value)
        self.text.value = session.perturbation.to_text()
        self.json.value = takeaway.perturbation_json(session)


class AgentTakeawayView(TakeawayView):
    """Downloads of an episode of an agent, and how to make it again in the unchanged world."""

    @property
    def _name(self):
        session = self._episode.session
        return f"{session.networks[0].label}-{session.index}"

    def _table(self):
        return agent_takeaway.table(self._episode.session)

    def _picture(self, suffix):
        return agent_takeaway.picture(self._episode.session, self._episode.units, suffix)

    def _write(self):
        self.python.value = agent_takeaway.python(self._episode.session, self._episode.units)
