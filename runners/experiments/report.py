"""The report of a reproduction, as Markdown and as an HTML page that contains the figures."""

import base64
import contextlib
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aru_keras._util.checked_files import writing
from aru_keras._util.files import replacing
from aru_keras.plots import save_numbers, style
from aru_keras.runners.experiments.experiment import LEAST_SEEDS, Conclusion, Experiment, Table
from aru_keras.runners.run_folder import RunError

FILES = ("report.md", "report.html")

FORMATS = ("png", "svg")
"""Default formats of the figures. The report shows the PNG."""

CSS_INCH = 120
"""Pixels of the page per inch of a figure, so that the text of all figures has the same size."""

MARKS = {True: "✓", False: "✗", None: "?"}
WORDS = {True: "holds", False: "does not hold", None: "not decided"}

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem; }
th, td { border-bottom: 1px solid #ccc; padding: 0.3rem 0.7rem; text-align: left; }
img { max-width: 100%; margin: 0.5rem 0; }
h2 { margin-top: 3rem; } .expected { color: #555; }
"""


@dataclass(frozen=True)
class Section:
    """The section of a report about one experiment.

    Attributes:
        experiment: Experiment of the section.
        conclusion: Conclusion of the experiment; None if it could not be measured.
        figures: PNG files of the figures, by name.
        failure: Reason why it could not be measured, or None.
    """

    experiment: Experiment
    conclusion: Conclusion | None
    figures: Mapping[str, Path]
    failure: str | None = None

    @property
    def title(self) -> str:
        """The number, the title, and the figure or section of the paper."""
        return f"{self.experiment.heading} ({self.experiment.paper})"

    @property
    def verdict(self) -> str:
        """The verdict of the conclusion, or "not measured"."""
        return self.conclusion.verdict if self.conclusion else "not measured"


def write(
    folder: Path, title: str, facts: Mapping[str, str], sections: Sequence[Section]
) -> list[Path]:
    """Write `report.md` and `report.html`.

    Args:
        folder: Folder of the report, which contains the figures.
        title: Title of the report.
        facts: Facts about the run by name, for the top of the report.
        sections: Sections, one for each experiment.

    Returns:
        The two files.

    Raises:
        RunError: The files cannot be written. Both are then unchanged.
    """
    pages = (_markdown(folder, title, facts, sections), _page(title, facts, sections))
    with writing(folder, RunError), contextlib.ExitStack() as both:
        temporaries = [both.enter_context(replacing(folder / name)) for name in FILES]
        for temporary, text in zip(temporaries, pages, strict=True):
            temporary.write_text(text, encoding="utf-8")
    return [folder / name for name in FILES]


def is_there(folder: Path) -> bool:
    """Whether a folder contains a report."""
    return all((folder / name).exists() for name in FILES)


def save_figures(
    folder: Path,
    experiment: Experiment,
    conclusion: Conclusion,
    formats: Sequence[str] = FORMATS,
    dpi: int = style.DPI,
) -> dict[str, Path]:
    """Write the figures of a conclusion, and the numbers behind each as CSV.

    Args:
        folder: Folder of the figures.
        experiment: Experiment of the figures.
        conclusion: Conclusion with the figures.
        formats: Formats of the figures, as in `plots.save`; PNG is always written.
        dpi: Resolution of the PNG files, in dots per inch.

    Returns:
        The PNG files by name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for name, drawn in conclusion.figures.items():
        path = folder / f"{experiment.name}-{name}"
        pictures[name] = style.save(drawn, path, ("png", *formats), dpi)[0]
        save_numbers(drawn, path)
    return pictures


def _overview(sections):
    rows = [
        (
            section.experiment.number,
            section.experiment.title,
            section.experiment.paper,
            section.verdict,
        )
        for section in sections
    ]
    return Table(("#", "experiment", "in the paper", "verdict"), tuple(rows))


def _claims(conclusion):
    rows = [
        (MARKS[claim.holds], claim.text, _word(claim), claim.evidence)
        for claim in conclusion.claims
    ]
    return Table(("", "claim", "here", "numbers"), tuple(rows))


def _word(claim):
    return f"shown, below {LEAST_SEEDS} seeds" if claim.few else WORDS[claim.holds]


def _blocks(section):
    """The blocks of a section in order: texts, tables and pictures."""
    yield f"Expected: {section.experiment.expected}"
    if section.failure:
        yield f"Not measured: {section.failure}"
        return
    conclusion = section.conclusion
    if conclusion.claims:
        yield _claims(conclusion)
    if conclusion.note:
        yield conclusion.note
    yield from conclusion.tables
    yield from section.figures.values()


def _markdown(folder, title, facts, sections):
    parts = [f"# {title}", "\n".join(f"- {name}: {value}" for name, value in facts.items())]
    parts.append(markdown_table(_overview(sections)))
    for section in sections:
        parts += [f"## {section.title}", f"Verdict: **{section.verdict}**"]
        for block in _blocks(section):
            if isinstance(block, Table):
                parts.append(markdown_table(block))
            elif isinstance(block, Path):
                parts.append(f"![{block.stem}]({block.relative_to(folder).as_posix()})")
            else:
                parts.append(block)
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> str:
    """A table in Markdown."""
    lines = [table.header, ["---"] * len(table.header), *table.rows]
    return "\n".join("| " + " | ".join(_escaped(entry) for entry in line) + " |" for line in lines)


def _escaped(text):
    return str(text).replace("|", "\\|")


def _page(title, facts, sections):
    parts = [f"<h1>{html.escape(title)}</h1>", "<ul>"]
    parts += [f"<li>{html.escape(f'{name}: {value}')}</li>" for name, value in facts.items()]
    parts += ["</ul>", _html_table(_overview(sections))]
    for section in sections:
        parts.append(f"<h2>{html.escape(section.title)}</h2>")
        parts.append(f"<p>Verdict: <b>{html.escape(section.verdict)}</b></p>")
        parts += [_html(block) for block in _blocks(section)]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _html(block):
    if isinstance(block, Table):
        return _html_table(block)
    if isinstance(block, Path):
        compact, width = _compact(block)
        data = base64.b64encode(compact).decode("ascii")
        alt = html.escape(block.stem)
        return f'<img alt="{alt}" width="{width}" src="data:image/png;base64,{data}">'
    return f"<p>{html.escape(block)}</p>"


def _compact(picture):
    """The picture as a PNG of 256 colours, a third as large, and its width on the page."""
    from PIL import Image

    compact = io.BytesIO()
    with Image.open(picture) as opened:
        inches = opened.width / opened.info.get("dpi", (style.DPI,))[0]
        opened.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(compact, "PNG")
    return compact.getvalue(), round(CSS_INCH * inches)


def _html_table(table):
    lines = [("th", table.header), *(("td", row) for row in table.rows)]
    rows = [
        "<tr>" + "".join(f"<{tag}>{html.escape(str(entry))}</{tag}>" for entry in entries) + "</tr>"
        for tag, entries in lines
    ]
    return "<table>" + "\n".join(rows) + "</table>"
