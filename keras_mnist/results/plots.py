"""Pictures of a run."""

from __future__ import annotations

import io
import math
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter

from keras_mnist.utils.files import write_whole

TRAINING, HELD_OUT = "#8a8f98", "#1f5fbf"


def curves(history: list[dict], title: str, watched: str, path: Path) -> None:
    """Draw loss, accuracy and learning rate over the epochs into a PNG file.

    Args:
        history: one dictionary for each epoch, as in history.csv.
        watched: what the val_* figures were measured on, for the legend.
    """
    # Not through pyplot, whose backend and open figures are the user's.
    figure = Figure(figsize=(13, 3.8))
    figure.subplots_adjust(left=0.06, right=0.985, bottom=0.13, top=0.83, wspace=0.16)
    loss, accuracy, rate = figure.subplots(1, 3)
    epochs = [row["epoch"] for row in history]
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        axes.plot(epochs, [row[name] for row in history], color=TRAINING, marker=".", label="training, augmented")
        if f"val_{name}" in history[0]:
            values = [row[f"val_{name}"] for row in history]
            axes.plot(epochs, values, color=HELD_OUT, marker=".", label=watched)
        axes.set_title(name)
        axes.legend(frameon=False)
    loss.set_yscale("log")
    loss.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    loss.yaxis.set_major_formatter(FormatStrFormatter("%.3g"))
    loss.yaxis.set_minor_formatter(NullFormatter())
    # The first epochs are far below the rest: show the range of the later ones, where the differences are.
    later = history[len(history) // 4 :]
    shown = [row[name] for row in later for name in ("accuracy", "val_accuracy") if name in row]
    shown = [value for value in shown if math.isfinite(value)] or [0.0]
    accuracy.set_ylim(min(shown) - 0.002, min(1.0, max(shown) + 0.002))
    rate.plot(epochs, [row["learning_rate"] for row in history], color=TRAINING, marker=".")
    rate.set_title("learning rate at the end of the epoch")
    for axes in (loss, accuracy, rate):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    picture = io.BytesIO()
    figure.set_dpi(110)
    FigureCanvasAgg(figure).print_png(picture)
    write_whole(path, picture.getvalue())
