"""An evaluation as one HTML page that needs nothing else, and as JSON beside it."""

from __future__ import annotations

import html
import importlib.resources
import re
import string
from pathlib import Path

from keras_mnist.data.digit_set import DigitSet
from keras_mnist.data.labelled import LabelledDigits
from keras_mnist.results.evaluation_output import Distorted, evaluation_json
from keras_mnist.results.evaluation_page import sections
from keras_mnist.results.score import Score
from keras_mnist.results.theme import style
from keras_mnist.utils.files import write_whole
from keras_mnist.utils.words import counted

PARTS = importlib.resources.files(__name__)
PAGE, JSON = "evaluation.html", "evaluation.json"


def write_evaluation(
    folder: Path, network: str, digits: DigitSet | LabelledDigits, score: Score, distorted: Distorted
) -> Path:
    """Write evaluation.html and evaluation.json into a folder, in place of older ones.

    Args:
        network: its name or path, as the page shows it.
        digits, score: the images, and what the network gives for them.
        distorted: its scores on distorted images.

    Returns: the page's path.
    """
    write_whole(folder / JSON, evaluation_json(network, score, distorted))
    write_whole(folder / PAGE, page(network, digits, score, distorted))
    return folder / PAGE


def page(network: str, digits: DigitSet | LabelledDigits, score: Score, distorted: Distorted) -> str:
    """The whole page."""
    images = digits.test_images
    parts = [
        sections.summary(score),
        sections.classes(score),
        sections.confusion(score),
        sections.calibration(score),
        sections.distortions(score, distorted, images[0]),
        sections.misclassified(score, images),
    ]
    return string.Template((PARTS / "page.html").read_text(encoding="utf-8")).substitute(
        network=html.escape(network),
        heading=re.sub(r"([/,])", r"\1<wbr>", html.escape(network)),  # where a path may be broken
        dataset=html.escape(score.dataset),
        images=counted(score.images, "labelled image"),
        json=JSON,
        style=style(PARTS),
        sections="\n".join(parts),
    )
