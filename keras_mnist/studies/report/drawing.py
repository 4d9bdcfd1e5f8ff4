"""What the drawings of the report have in common."""

from __future__ import annotations

import itertools

from matplotlib.axes import Axes

from keras_mnist.results.drawing import COLOURS, MAIN, drawing
from keras_mnist.studies.statistics import Summary

SMALL = 8  # points, for names


def dots(rows: list[tuple[str, Summary]], label: str) -> str:
    """One row for each summary, from the top: its mean with its interval, in percentage points."""

    def draw(axes: Axes):
        for position, (_, found) in enumerate(rows):
            mean = found.mean * 100
            if found.interval:
                axes.plot([100 * end for end in found.interval], [position, position], color=MAIN, linewidth=1.5)
            axes.plot(mean, position, "o", color=MAIN, markersize=4)
        axes.axvline(0, color="#8a8f98", linewidth=1)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=SMALL)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel(label)
        axes.grid(axis="y", visible=False)

    lines = sum(name.count("\n") + 1 for name, _ in rows)
    return drawing(draw, 0.7 + 0.17 * lines)


def accuracy_axis(axes: Axes, worst: float) -> None:
    """The vertical axis as accuracies, spaced by the logarithm of the error, so that 99.0 and 99.5 % stand apart."""
    axes.set_yscale("log")
    axes.invert_yaxis()
    errors = [error for error in (0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 90) if error <= worst * 120]
    axes.set_yticks(errors, [f"{100 - error:g}" for error in errors])
    axes.minorticks_off()
    axes.set_ylabel("accuracy, %")


def legend(axes: Axes) -> None:
    """What the colours are, below the axes, where nothing is hidden."""
    axes.figure.legend(loc="outside lower center", ncols=2)


def colours():
    """Colours without end."""
    return itertools.cycle(COLOURS)
