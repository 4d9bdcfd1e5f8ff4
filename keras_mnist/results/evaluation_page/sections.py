"""The sections of the page, each as HTML."""

from __future__ import annotations

import base64
import io

import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from keras_mnist.results.drawing import GREY, MAIN, drawing
from keras_mnist.results.evaluation_output import Distorted, change, confused_with, percent, weakest
from keras_mnist.results.measures import BINS, Bin
from keras_mnist.results.score import Score
from keras_mnist.utils.intervals import CONFIDENCE
from keras_mnist.utils.words import counted

MOST = 120  # misclassified images that are shown


def summary(score: Score) -> str:
    """The score in five figures."""
    low, high = score.interval
    figures = [
        ("accuracy", percent(score.accuracy), f"{CONFIDENCE:.0%} interval {low:.2%} to {high:.2%}"),
        ("misclassified", f"{score.errors:,}", f"of {counted(score.images, 'image')}"),
        ("weakest digit", str(score.worst_class.digit), weakest(score.worst_class).partition(": ")[2]),
        ("calibration error", percent(score.calibration_error), f"mean confidence {score.mean_confidence:.2%}"),
        ("loss", f"{score.loss:.4f}", "mean cross-entropy"),
    ]
    items = [f"<div><dt>{name}</dt><dd><b>{value}</b>{note}</dd></div>" for name, value, note in figures]
    return _section("summary", None, None, f"<dl>{''.join(items)}</dl>")


def classes(score: Score) -> str:
    """Precision and recall of each digit."""
    rows = []
    for found in score.classes:
        others = ", ".join(f"{other}&nbsp;({count})" for other, count in confused_with(score, found.digit)[:3] if count)
        cells = f"{found.images:,}", percent(found.precision), percent(found.recall)
        numbers = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row">{found.digit}</th>{numbers}<td class="words">{others}</td></tr>')
    heading = "<th>digit</th><th>images</th><th>precision</th><th>recall</th><th class=words>misclassified as</th>"
    words = (
        "Recall is the share of a digit's images that are predicted to be it; precision, the share of the images "
        "predicted to be a digit that are it."
    )
    return _section("classes", "Digit by digit", words, _table(heading, rows))


def confusion(score: Score) -> str:
    """The confusion matrix; errors are shaded by their number."""
    matrix = score.confusion
    most = max(int((matrix - np.diag(np.diag(matrix))).max()), 1)
    rows = []
    for digit, counts in enumerate(matrix.tolist()):
        cells = "".join(_cell(count, count / most, digit == other) for other, count in enumerate(counts))
        rows.append(f'<tr><th scope="row">{digit}</th>{cells}</tr>')
    heading = "<td></td>" + "".join(f'<th scope="col">{digit}</th>' for digit in range(len(matrix)))
    words = "How many images of each digit (row) are predicted to be each digit (column); errors are shaded."
    return _section("confusion", "Confusion matrix", words, _table(heading, rows))


def _cell(count: int, share: float, is_correct: bool) -> str:
    if is_correct:
        return f'<td class="correct">{count:,}</td>'
    return f'<td style="--share: {share:.3f}">{count:,}</td>' if count else "<td></td>"


def calibration(score: Score) -> str:
    """The reliability diagram with its figures."""
    bins = [found for found in score.reliability if found.images]
    rows = [
        f"<tr><th scope=row>{100 * found.low:.0f} to {found.high:.0%}</th><td>{found.images:,}</td>"
        f"<td>{percent(found.mean_confidence)}</td><td>{percent(found.accuracy)}</td></tr>"
        for found in bins
    ]
    words = (
        "Is a prediction of 90% confidence, the probability of the predicted digit, right nine times in ten? Each "
        f"point is one of {BINS} bins of predictions by their confidence, with the {CONFIDENCE:.0%} interval of its "
        "accuracy; on the line, they are right as often as they say. The expected calibration error is the mean "
        f"distance from the line, each bin weighted with its images: {score.calibration_error:.2%}. {_tendency(score)}"
    )
    heading = "<th>confidence</th><th>images</th><th>mean confidence</th><th>accuracy</th>"
    picture = drawing(_reliability_diagram(bins), 3.6).replace("<svg ", '<svg aria-label="Reliability diagram" ', 1)
    return _section("calibration", "Calibration", words, f"<figure>{picture}</figure>{_table(heading, rows)}")


def _tendency(score: Score) -> str:
    low, high = score.interval
    kind = "less" if score.mean_confidence < low else "more" if score.mean_confidence > high else "as"
    than = "as" if kind == "as" else "than"
    return (
        f"On average it is {kind} sure {than} it is accurate: {score.mean_confidence:.2%} mean confidence, "
        f"{score.accuracy:.2%} accuracy."
    )


def _reliability_diagram(bins: list[Bin]):
    def draw(axes: Axes):
        axes.plot([0, 100], [0, 100], color=GREY, linewidth=1)
        for found in bins:
            confidence = 100 * found.mean_confidence
            axes.plot([confidence] * 2, [100 * end for end in found.interval], color=MAIN, linewidth=1.5)
            axes.plot(confidence, 100 * found.accuracy, "o", color=MAIN, markersize=5, markeredgewidth=0)
        axes.set_xlim(0, 103)
        axes.set_ylim(0, 103)
        axes.set_xticks(range(0, 101, 20))
        axes.set_yticks(range(0, 101, 20))
        axes.set_xlabel("mean confidence of a bin, %")
        axes.set_ylabel("accuracy, %")

    return draw


def distortions(score: Score, distorted: Distorted, image: np.ndarray) -> str:
    """How much accuracy is left, with one image under each distortion."""
    rows = [_distortion_row(image, "as they are", "", score, score)]
    for distortion, found in distorted:
        # The distortion of one image among several is the first one's.
        rows.append(_distortion_row(distortion(image[None])[0], distortion.name, distortion.amount, found, score))
    words = "The same images, distorted in fixed ways; pictured is the first one of the data set."
    heading = "<th colspan=2>distortion</th><th class=bar></th><th>accuracy</th><th>points</th>"
    return _section("distortions", "Distorted images", words, _table(heading, rows))


def _distortion_row(image: np.ndarray, name: str, amount: str, found: Score, before: Score) -> str:
    difference = "" if found is before else change(before.accuracy, found.accuracy)
    bar = f'<span class="track"><i style="--share: {found.accuracy:.4f}"></i></span>'
    return (
        f'<tr><td class="picture">{_picture(image, "")}</td><th scope="row">{name} <span>{amount}</span></th>'
        f'<td class="bar">{bar}</td><td>{percent(found.accuracy)}</td><td>{difference}</td></tr>'
    )


def misclassified(score: Score, images: np.ndarray) -> str:
    """The pictures of what is misclassified."""
    rows = sorted(score.misclassified, key=lambda row: -row["probability"])
    if not rows:
        return _section("misclassified", "Misclassified images", "There are none.", "")
    items = [_misclassified_item(images[row["index"]], **row) for row in rows[:MOST]]
    shown = f"The first {MOST} of {len(rows):,}" if len(rows) > MOST else f"All {len(rows)}"
    words = (
        f"{shown}, the surest first: the digit, what it is predicted to be and with which probability, and the image's "
        "index in the data set."
    )
    return _section("misclassified", "Misclassified images", words, f"<ul>{''.join(items)}</ul>")


def _misclassified_item(image: np.ndarray, index: int, label: int, prediction: int, probability: float) -> str:
    picture = _picture(image, f"a {label}, predicted to be a {prediction}")
    sure = f"{min(probability, 0.999):.1%}"  # 100% would be more than a network says
    return f"<li>{picture}<b>{label} → {prediction}</b><span>{sure}</span><small>{index}</small></li>"


def _picture(image: np.ndarray, words: str) -> str:
    """An image (28, 28, 1) as it is, in PNG."""
    content = io.BytesIO()
    Image.fromarray(image[..., 0]).save(content, "PNG", optimize=True)
    return f'<img alt="{words}" src="data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}">'


def _table(heading: str, rows: list[str]) -> str:
    return f"<table><thead><tr>{heading}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _section(name: str, title: str | None, words: str | None, content: str) -> str:
    heading = f"<h2>{title}</h2><p>{words}</p>" if title else ""
    return f'<section id="{name}">{heading}{content}</section>'
