"""How far networks fit their training images better than the test images."""

from __future__ import annotations

from keras_mnist.studies.records import DATASET, Records
from keras_mnist.studies.report.drawing import dots
from keras_mnist.studies.report.groups import DRAWN, gap
from keras_mnist.studies.report.registry import Part, Picture, section
from keras_mnist.studies.report.words import paragraph


@section("Train-test gap")
def train_test_gap(records: Records) -> list[Part]:
    """How far each network fits its training images better than the test images."""
    parts: list[Part] = [
        paragraph(
            f"Accuracy on the images trained on, undistorted, less the test accuracy, on {DATASET} after the last "
            "epoch. Where it is near zero or below, the network does not overfit, and more regularisation has nothing "
            "to mend."
        )
    ]
    for words, recipe in DRAWN:
        found = {name: gap(runs) for name, runs in records.of(recipe).items()}
        rows = sorted(found, key=lambda name: found[name].mean)
        if rows:
            svg = dots([(f"{name} ({found[name].n})", found[name]) for name in rows], "train − test, points")
            parts.append(Picture(svg, f"{words}: mean gap with its 95 % interval, n in brackets."))
    return parts if len(parts) > 1 else ["No run is recorded yet."]
