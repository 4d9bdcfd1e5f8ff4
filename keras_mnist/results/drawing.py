"""Drawings as SVG for pages: the same bytes for the same figures, and text that stays text."""

from __future__ import annotations

import io
import re

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

WIDTH = 4.0  # inches: what a phone shows without shrinking its letters much
GREY, DARK_GREY = "#8a8f98", "#6b7078"  # of lines, and of small text
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "keras_mnist",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
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
    """The SVG that `draw(axes)` gives on a panel of this height in inches.

    An artist whose gid begins with "title:" says the rest of it where the pointer rests on it.
    """
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
    svg = re.sub(r'<g id="title:([^"]*)">', r"<g><title>\1</title>", svg)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    svg = re.sub(r"<svg [^>]*viewBox=\"([^\"]+)\"[^>]*>", r'<svg viewBox="\1" role="img">', svg)
    svg = re.sub(r'\bd="[^"]*"', lambda path: re.sub(r"(\.\d)\d+", r"\1", path[0]), svg)
    svg = re.sub(r"(\.\d\d)\d+", r"\1", svg)
    return re.sub(r"\s*\n\s*", "\n", svg).strip()
