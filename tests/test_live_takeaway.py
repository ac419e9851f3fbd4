"""The tab "Take it away" of the page `aru-keras live`, without a browser."""

import csv
import io
import json

import numpy as np
import pytest

pytest.importorskip("panel")

from aru_keras import perturbations
from aru_keras.runners.live.networks import Networks
from aru_keras.runners.live.page import Page

RUN, OTHER = "pretrained:arun-digits", "pretrained:gamma-digits"


@pytest.fixture(scope="module")
def networks():
    return Networks(RUN)


@pytest.fixture
def page(networks):
    """A page on this tab, after three steps."""
    made = Page(networks)
    made.episode.advance(3)
    made.shown.value = "Take it away"
    return made


def table(page):
    return list(csv.DictReader(io.StringIO(page.takeaway._table())))


def test_what_is_taken_away_is_what_is_on_the_page_now(page):
    taken, controls = page.takeaway, page.episode.controls
    assert "'test', 3, perturbation" in taken.python.value and len(table(page)) == 3
    controls.split.value = "train"
    assert "'train', 3, perturbation" in taken.python.value
    assert all(download.disabled for download in taken.downloads.values())
    controls.sliders["drive"].value = 2.0
    page.episode.advance(2)
    assert taken.text.value == page.episode.session.perturbation.to_text() != "none"
    told = perturbations.from_config(json.loads(taken.json.value))
    assert told == page.episode.session.perturbation
    assert not taken.downloads["csv"].disabled and len(table(page)) == 2
    controls.units.value = "7, 8"
    assert "picture_of(reading, [7, 8])" in taken.python.value


def test_a_tab_that_is_not_seen_is_not_written(page):
    page.shown.value = "Reading"
    page.episode.controls.split.value = "train"
    assert "'test', 3, perturbation" in page.takeaway.python.value


def test_a_download_before_the_first_step_says_so(page):
    page.episode.begin_again()
    download = page.takeaway.downloads["csv"]
    download._clicks += 1
    assert "Take a step first" in page.message.object and download._transfers == 0
    page.episode.advance(1)
    download._clicks += 1
    assert download._transfers == 1 and download.data.startswith("data:text/plain")


def test_downloads_have_the_names_of_what_they_hold(page):
    def names():
        return {download.filename for download in page.takeaway.downloads.values()}

    def of(name):
        return {f"{name}.{suffix}" for suffix in page.takeaway.downloads}

    assert names() == of("arun-digits-test-3")
    page.episode.controls.other.value = OTHER
    page.takeaway.network.value = 1
    assert names() == of("gamma-digits-test-3")
    page.episode.controls.split.value = "train"
    assert names() == of("gamma-digits-train-3")
    page.episode._drawn(np.zeros((8, 8), "float32"))
    assert names() == of("gamma-digits-drawn")
    page.episode.controls.other.value = "nothing"
    assert names() == of("arun-digits-drawn")


def test_a_drawing_begins_with_nothing_and_is_judged_once_its_class_is_chosen(networks):
    page = Page(networks)
    episode, controls = page.episode, page.episode.controls
    page.takeaway.show()
    episode.player.play = lambda: None
    controls.draw.value = True
    assert not episode.world._whole.data["image"][0].any()
    assert episode.world.chart.title.text == "drawn by hand" and "Draw on" in page.message.object
    episode._drawn(np.eye(8, dtype="float32"))
    episode.advance(64)
    (view,) = episode.views
    assert not set("✓✗") & set(view.title.text) and not view.answers._label.visible
    assert page.takeaway._picture("png").startswith(b"\x89PNG") and len(table(page)) == 64
    assert episode.session.reading().label == -1
    controls.label.value = 4
    assert "meant as 4" in episode.world.chart.title.text and view.answers._label.visible
    episode.advance(64)
    assert set("✓✗") & set(view.title.text)
    controls.draw.value = False
    assert episode.world.chart.title.text.startswith("test[3]")
