"""The drawing of what each step brought."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes

from keras_mnist.results.drawing import DARK_GREY, GREY, MAIN, drawing
from keras_mnist.studies.report.drawing import SMALL
from keras_mnist.studies.report.words import signed
from keras_mnist.studies.statistics import Summary

REACH = 1.5  # points to either side: one huge difference would leave the others no room
UNCLEAR = GREY  # of steps that change several things at once
INCH = 0.45  # height of a row


class Row(NamedTuple):
    """A step: what changes, the main thing first; from where to where, in small; what it brought."""

    changes: tuple[str, ...]
    networks: str
    differences: Summary


def step_drawing(topics: dict[str, list[Row]]) -> str:
    """One row for each step under its topic; the text stands above the bars, so that these have the whole width."""

    def draw(axes: Axes):
        position = 0.0
        for topic, rows in topics.items():
            position += 0.75
            axes.text(0, position, topic.capitalize(), fontweight="bold", transform=axes.get_yaxis_transform())
            for row in rows:
                position += 1
                draw_row(axes, position, row)
        axes.axvline(0, color=GREY, linewidth=1, zorder=0)
        axes.set_ylim(position + 0.4, 0)
        axes.set_yticks([])
        axes.set_xlim(-REACH, REACH)
        axes.set_xlabel("difference, points")
        axes.spines["left"].set_visible(False)
        axes.plot([], [], "o-", color=MAIN, markersize=4, label="one change")
        axes.plot([], [], "o-", color=UNCLEAR, mfc="white", markersize=4, label="several at once")
        axes.figure.legend(loc="outside upper left", ncols=2)

    lines = len(topics) * 0.75 + sum(map(len, topics.values())) + 0.4
    return drawing(draw, 0.75 + INCH * lines)


def draw_row(axes: Axes, position: float, row: Row) -> None:
    """Text, interval and mean of one step, at a position from the top."""
    clean = len(row.changes) == 1
    style = {"color": MAIN} if clean else {"color": UNCLEAR, "mfc": "white"}
    mean = 100 * row.differences.mean
    if row.differences.interval:
        axes.plot([100 * end for end in row.differences.interval], [position, position], linewidth=1.5, **style)
    marker = "o" if abs(mean) < REACH else "<" if mean < 0 else ">"
    shown = max(-REACH * 0.985, min(mean, REACH * 0.985))
    axes.plot(shown, position, marker, markersize=5, clip_on=False, **style)
    text = row.changes[0] if clean else f"{row.changes[0]} + {len(row.changes) - 1} more"
    across = {"transform": axes.get_yaxis_transform(), "bbox": {"facecolor": "white", "linewidth": 0, "pad": 0.5}}
    axes.text(0, position - 0.42, text, fontsize=SMALL, **across)
    axes.text(1, position - 0.42, signed(row.differences.mean), fontsize=SMALL, ha="right", **across)
    axes.text(0, position - 0.18, row.networks, fontsize=6.5, color=DARK_GREY, **across)
