"""An evaluation as tables for the screen, and as facts for JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.table import Table

from keras_mnist.results.cards import DATASETS
from keras_mnist.results.distorted import Distortion
from keras_mnist.results.measures import Bin, ClassScore
from keras_mnist.results.score import Score
from keras_mnist.results.tables import facts_table, numbers_table
from keras_mnist.utils.intervals import CONFIDENCE
from keras_mnist.utils.words import counted

NONE, MINUS = "–", "−"
Distorted = Sequence[tuple[Distortion, Score]]


def percent(share: float | None) -> str:
    return NONE if share is None else f"{share:.2%}"


def change(before: float, after: float) -> str:
    """A difference of two shares in percentage points, with its sign."""
    return f"{100 * (after - before):+.2f}".replace("-", MINUS)


def confused_with(score: Score, digit: int) -> list[tuple[int, int]]:
    """What a digit is misclassified as, and how often, the most frequent first."""
    counts = score.confusion[digit]
    return [(int(other), int(counts[other])) for other in (-counts).argsort(kind="stable") if other != digit]


def evaluation_tables(network: str, score: Score, distorted: Distorted = ()) -> list[Table]:
    """The score, each digit, and the distorted images where they were scored."""
    tables = [score_table(network, score), class_table(score)]
    return [*tables, distortion_table(score, distorted)] if distorted else tables


def score_table(network: str, score: Score) -> Table:
    """The whole score in a few lines."""
    low, high = score.interval
    kind = "test image" if score.dataset in DATASETS else "image"  # a user's own may be any
    facts = {
        "data set": f"{score.dataset}, {counted(score.images, kind)}",
        "accuracy": f"{score.accuracy:.2%} ({score.errors} misclassified), "
        f"{CONFIDENCE:.0%} interval {low:.2%} to {high:.2%}",
        "loss": f"{score.loss:.4f}",
        "calibration": f"expected calibration error {score.calibration_error:.2%}; "
        f"mean confidence {score.mean_confidence:.2%}",
        "weakest digit": weakest(score.worst_class),
    }
    return facts_table(network, facts)


def weakest(worst: ClassScore) -> str:
    missed = worst.images - worst.correct
    return f"{worst.digit}: recall {percent(worst.recall)} ({missed} of {worst.images:,} misclassified)"


def class_table(score: Score) -> Table:
    """One row for each digit."""
    rows = []
    for found in score.classes:
        others = ", ".join(f"{other} ({count})" for other, count in confused_with(score, found.digit)[:3] if count)
        rows.append([str(found.digit), f"{found.images:,}", percent(found.precision), percent(found.recall), others])
    columns = ["digit", "images", "precision", "recall", "misclassified as"]
    table = numbers_table(f"digits of {score.dataset}", columns, rows)
    table.columns[-1].justify = "left"
    return table


def distortion_table(score: Score, distorted: Distorted) -> Table:
    """One row for each distortion, beside the images as they are."""
    rows = [["as they are", "", percent(score.accuracy), ""]]
    for distortion, found in distorted:
        difference = change(score.accuracy, found.accuracy)
        rows.append([distortion.name, distortion.amount, percent(found.accuracy), difference])
    return numbers_table(f"distorted images of {score.dataset}", ["distortion", "by", "accuracy", "points"], rows)


def evaluation_json(network: str, score: Score, distorted: Distorted = ()) -> str:
    """All figures of an evaluation; shares are fractions, and null what there is none of."""
    facts = {
        "network": network,
        **_accuracy(score),
        "loss": score.loss,
        "mean_confidence": score.mean_confidence,
        "expected_calibration_error": score.calibration_error,
        "classes": [_class(found) for found in score.classes],
        "confusion_matrix": score.confusion.tolist(),
        "reliability": [_bin(found) for found in score.reliability],
        "misclassified": score.misclassified,
    }
    if distorted:
        facts["distortions"] = [_distortion(*found) for found in distorted]
    return json.dumps(facts, indent=2, allow_nan=False) + "\n"


def _accuracy(score: Score) -> dict:
    return {
        "dataset": score.dataset,
        "images": score.images,
        "errors": score.errors,
        "accuracy": score.accuracy,
        "accuracy_interval": score.interval,
    }


def _class(found: ClassScore) -> dict:
    return {
        "digit": found.digit,
        "images": found.images,
        "predicted": found.predicted,
        "correct": found.correct,
        "precision": found.precision,
        "recall": found.recall,
    }


def _bin(found: Bin) -> dict:
    return {
        "above": found.low,
        "up_to": found.high,
        "images": found.images,
        "correct": found.correct,
        "mean_confidence": found.mean_confidence,
        "accuracy": found.accuracy,
    }


def _distortion(distortion: Distortion, score: Score) -> dict:
    named = {"distortion": distortion.name, "strength": distortion.strength, "unit": distortion.unit or None}
    return {**named, **_accuracy(score), "loss": score.loss}
