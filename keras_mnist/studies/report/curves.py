"""Accuracy over the epochs."""

from __future__ import annotations

import statistics

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from keras_mnist.models.registry import get_variant
from keras_mnist.results.drawing import drawing
from keras_mnist.studies.records import AS_DOCUMENTED, DATASET, TUNED, Record, Records
from keras_mnist.studies.report.drawing import accuracy_axis, colours, error, legend
from keras_mnist.studies.report.registry import Part, Picture, section
from keras_mnist.studies.report.words import paragraph

WATCHED = ((AS_DOCUMENTED, "test images", "document protocol"), (TUNED, "held-out images", "held-out protocol, tuned"))


def mean_curve(runs: list[Record]) -> list[float]:
    """The mean over seeds of the watched accuracy, up to the epoch that all of them have."""
    return [statistics.fmean(values) for values in zip(*(run.watched for run in runs), strict=False)]


def _draw(found: dict[str, list[Record]]):
    def draw(axes: Axes):
        worst, best = 1.0, 0.0
        for colour, (name, runs) in zip(colours(), found.items(), strict=False):
            for run in runs if len(runs) > 1 else ():
                _line(axes, run.watched, color=colour, linewidth=0.5, alpha=0.35)
            mean = mean_curve(runs)
            _line(axes, mean, color=colour, linewidth=1.8, label=f"{name} ({len(runs)})")
            worst = min(worst, sorted(mean)[len(mean) // 4])  # a first epoch would take up half of the axis
            best = max(best, *(max(run.watched) for run in runs))
        accuracy_axis(axes, worst, best)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        legend(axes)

    return draw


def _line(axes: Axes, accuracies: list[float], **style) -> None:
    axes.plot(range(1, len(accuracies) + 1), list(map(error, accuracies)), **style)


@section("Training curves")
def curves(records: Records) -> list[Part]:
    """One drawing for each study and protocol."""
    parts: list[Part] = []
    for recipe, images, words in WATCHED:
        runs = records.of(recipe)
        for study in sorted({get_variant(name).study for name in runs}):
            members = {name: found for name, found in runs.items() if get_variant(name).study == study}
            parts.append(
                Picture(
                    drawing(_draw(members), 3.1 + 0.09 * len(members)), f"{study}, {words}: accuracy on the {images}."
                )
            )
    if not parts:
        return ["No run is recorded yet."]
    return [
        paragraph(
            f"Accuracy on the images watched during training on {DATASET}, after each epoch: each seed, thin, and the "
            "mean over seeds, thick, as far as all of them went; n in brackets. The common `tuned` ends a run that "
            "comes to 99.4% of the held-out images twice. The axis is spaced by the error."
        ),
        *parts,
    ]
