"""What was measured, as tables in Markdown and as a picture."""

import csv
import math
from pathlib import Path
from typing import Any

from aru_keras._util.files import replacing

KIND_COLOURS = {
    "at once": "#0072B2",
    "step by step": "#56B4E9",
    "step by step, jit": "#999999",
    "eager loop": "#D55E00",
    "GRU": "#009E73",
    "LSTM": "#CC79A7",
}


def training_table(rows: list[dict]) -> str:
    """The rows of `training.training` in Markdown, a table for each size."""
    lines = []
    for size in dict.fromkeys(row["size"] for row in rows):
        own = [row for row in rows if row["size"] == size]
        first = own[0]
        lines.append(
            f"B·T·N·G = {size}. This machine: products {first['operation_rate'] / 1e9:.0f} "
            f"GFLOP/s, tanh {1e9 / first['tanh_rate']:.2f} ns; floor {1e3 * first['floor']:.1f} "
            "ms.\n"
        )
        lines.append(
            "| backend | variant | ms per step | × step by step | × torch's eager loop "
            "| × floor | peak memory, MiB |\n|---|---|---|---|---|---|---|"
        )
        lines += [_line(row) for row in own]
        lines.append("")
    return "\n".join(lines)


def _line(row):
    start = f"| {row['backend']} | {row['kind']} | "
    if row["failure"]:
        return start + f"{row['failure']} | | | | |"
    ratios = " | ".join(
        "" if math.isnan(row[name]) else f"{row[name]:.2f}"
        for name in ("of_step_by_step", "of_eager_loop", "of_floor")
    )
    memory = f"{row['memory'] / 2**20:.0f}" if row["memory"] else "–"
    return start + f"{1e3 * row['seconds']:.1f} | {ratios} | {memory} |"


def training_chart(rows: list[dict]) -> Any:
    """The rows of `training.training` as bars: the time of a step as a multiple of the floor.

    Returns:
        A `matplotlib.figure.Figure` with a panel for each size.
    """
    from aru_keras.plots import style

    sizes = list(dict.fromkeys(row["size"] for row in rows))
    tallest = max(sum(row["size"] == size for row in rows) for size in sizes)
    figure, axes = style.panels(len(sizes), row_height=0.6 + 0.22 * tallest)
    for panel, size in zip(axes, sizes, strict=True):
        own = [row for row in rows if row["size"] == size and not row["failure"]][::-1]
        labels = [f"{row['backend']} {row['kind']}" for row in own]
        colours = [KIND_COLOURS.get(row["kind"], "#999999") for row in own]
        bars = panel.barh(labels, [row["of_floor"] for row in own], color=colours)
        panel.bar_label(bars, fmt="%.1f", padding=2, fontsize=7)
        panel.axvline(1, color="black", lw=0.8)
        panel.tick_params(axis="y", labelsize=7, labelleft=panel is axes[0])
        panel.set_xlabel("time, multiples of the floor")
        panel.set_title(f"B·T·N·G = {size}", fontsize=9)
        panel.margins(x=0.18)
    return figure


def save_rows(rows: list[dict], path: Path) -> Path:
    """Write the rows of `training.training` as CSV, with all that was measured; return the path."""
    columns = dict.fromkeys(name for row in rows for name in row)
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def online_table(rows: list[dict]) -> str:
    """The rows of `online.online` in Markdown."""
    lines = [
        "| N | G | backend | variant | µs per step | × probe's step on that backend |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        start = "| {units} | {controller_units} | {backend} | {kind} | ".format(**row)
        if row["failure"]:
            lines.append(start + f"{row['failure']} | |")
        else:
            lines.append(start + f"{1e6 * row['seconds']:.0f} | {row['of_online_step']:.2f} |")
    return "\n".join(lines)
