"""What the drawings of the report have in common."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from matplotlib.axes import Axes

from keras_mnist.results.drawing import COLOURS, GREY, MAIN, drawing
from keras_mnist.studies.statistics import Summary

SMALL = 8  # points, for names
# Of the axis of accuracies, by their errors in per cent: the first of two that would overlap stays.
TICKS = (1, 0.5, 2, 5, 10, 20, 50, 0.7, 0.6, 0.4, 0.3, 3, 1.5, 0.2, 0.1, 0.8, 30, 90)
MARGIN = 1.12  # factor of the error beyond what is drawn


def dots(rows: list[tuple[str, Summary]], label: str) -> str:
    """One row for each summary, from the top: its mean with its interval, in percentage points."""

    def draw(axes: Axes):
        for position, (_, found) in enumerate(rows):
            mean = found.mean * 100
            if found.interval:
                axes.plot([100 * end for end in found.interval], [position, position], color=MAIN, linewidth=1.5)
            axes.plot(mean, position, "o", color=MAIN, markersize=4)
        axes.axvline(0, color=GREY, linewidth=1)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=SMALL)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel(label)
        axes.grid(axis="y", visible=False)

    lines = sum(name.count("\n") + 1 for name, _ in rows)
    return drawing(draw, 0.7 + 0.17 * lines)


def error(accuracy: float) -> float:
    """What an accuracy lacks, in per cent; never 0, which the axis of accuracies does not have."""
    return max(100 * (1 - accuracy), 0.01)


def spaced(ticks: Iterable[float], low: float, high: float, apart: float) -> list[float]:
    """The ticks on a logarithmic axis with this share of it between any two, the first ones first."""
    chosen: list[float] = []
    for tick in ticks:
        near = any(abs(math.log(tick / other)) < apart * math.log(high / low) for other in chosen)
        if low <= tick <= high and not near:
            chosen.append(tick)
    return chosen


def accuracy_axis(axes: Axes, worst: float, best: float) -> None:
    """The vertical axis as accuracies, spaced by the logarithm of the error, so that 99.0 and 99.5 % stand apart."""
    axes.set_yscale("log")
    bottom, top = error(worst) * MARGIN, error(best) / MARGIN
    axes.set_ylim(bottom, top)
    ticks = spaced(TICKS, top, bottom, 0.07)
    axes.set_yticks(ticks, [f"{100 - tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylabel("accuracy, %")


def legend(axes: Axes) -> None:
    """What the colours are, below the axes, where nothing is hidden."""
    axes.figure.legend(loc="outside lower center", ncols=2)


def colours():
    """Colours without end."""
    return itertools.cycle(COLOURS)
