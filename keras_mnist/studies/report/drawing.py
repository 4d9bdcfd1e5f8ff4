"""Drawings as SVG for the page: the same bytes for the same figures, and text that stays text."""

from __future__ import annotations

import io
import itertools
import re

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from keras_mnist.studies.statistics import Summary

WIDTH = 4.0  # inches: what a phone shows without shrinking its letters much
SMALL = 8  # points, for names
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "keras_mnist",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8f98",
    "axes.labelcolor": "#333a45",
    "xtick.color": "#333a45",
    "ytick.color": "#333a45",
    "axes.grid": True,
    "grid.color": "#e3e6ea",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
# Told apart also by the colour-blind (Okabe and Ito), and black.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")
MAIN = COLOURS[0]


def drawing(draw, height: float) -> str:
    """The SVG that `draw(axes)` gives on a panel of this height in inches."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever a user's matplotlibrc says
        matplotlib.rcParams.update(STYLE)
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.subplots())
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _slim(text.getvalue())


def _slim(svg: str) -> str:
    """Without what only a file of its own needs, and with names that no other drawing of the page has."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    svg = re.sub(r"<svg [^>]*viewBox=\"([^\"]+)\"[^>]*>", r'<svg viewBox="\1" role="img">', svg)
    svg = re.sub(r'\bd="[^"]*"', lambda path: re.sub(r"(\.\d)\d+", r"\1", path[0]), svg)
    svg = re.sub(r"(\.\d\d)\d+", r"\1", svg)
    return re.sub(r"\s*\n\s*", "\n", svg).strip()


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
