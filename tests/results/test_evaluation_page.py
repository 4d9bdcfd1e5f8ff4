"""The page of an evaluation: its figures, its pictures, and how it looks in a browser."""

import base64
import dataclasses
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from keras_mnist.data.labelled import LabelledDigits
from keras_mnist.results.distorted import DISTORTIONS
from keras_mnist.results.evaluation_page import page, write_evaluation
from keras_mnist.results.score import score
from tests.results.test_measures import made_up

TOO_WIDE = """
() => [...document.querySelectorAll("section :is(td, th, dd, dt, p, li, figure)")]
  .filter((part) => part.getBoundingClientRect().right > part.closest("section").getBoundingClientRect().right ||
                    part.scrollWidth > part.clientWidth + 1)
  .map((part) => part.outerHTML.slice(0, 99))
"""
NAME = "runs/mnist/<bn_gap>/tuned/seed0/model.keras"


@pytest.fixture(scope="module")
def evaluated(digits):
    """Digits with made-up predictions: (digits, score, scores of distorted images)."""
    found = made_up(300)
    of_label = [np.flatnonzero(digits.train_labels == label) for label in found.labels]
    images = np.stack([digits.train_images[indices[index % 100]] for index, indices in enumerate(of_label)])
    worse = [made_up(300, seed=number) for number in range(len(DISTORTIONS))]
    return LabelledDigits("made up", images, found.labels), found, list(zip(DISTORTIONS, worse, strict=True))


@pytest.fixture(scope="module")
def text(evaluated):
    return page(NAME, *evaluated)


def section(text, name):
    return re.search(rf'<section id="{name}">(.*?)</section>', text, re.DOTALL)[1]


def words_of(text):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_the_page_tells_the_score_and_loads_nothing(text, evaluated):
    _, found, distorted = evaluated
    said = words_of(section(text, "summary"))
    for figure in (f"{found.accuracy:.2%}", f"{found.errors} of 300 images", f"{found.loss:.4f}"):
        assert figure in said
    assert "model.keras" in text and "<bn_gap>" not in text
    assert not re.search(r'https?://(?!www\.w3\.org)|@import|<link[^>]+stylesheet|src="(?!data:)|url\((?!#)', text)
    said = words_of(section(text, "distortions"))
    assert f"inversion {distorted[-1][1].accuracy:.2%}" in said and said.count("%") == len(distorted) + 1


def test_the_matrix_has_every_image_once(text, evaluated):
    rows = re.findall(r'<th scope="row">(\d)</th>(.*?)</tr>', section(text, "confusion"))
    found = [[int(count or 0) for count in re.findall(r"<td[^>]*>(\d*)</td>", cells)] for _, cells in rows]
    np.testing.assert_array_equal(found, evaluated[1].confusion)


def test_every_misclassified_image_is_pictured_with_its_answer(text, evaluated):
    digits, found, _ = evaluated
    items = re.findall(
        r'<li><img alt="[^"]+" src="data:image/png;base64,([^"]+)"><b>(\d) → (\d)</b><span>([\d.]+)%</span>'
        r"<small>(\d+)</small></li>",
        section(text, "misclassified"),
    )
    assert len(items) == found.errors > 20
    assert [float(item[3]) for item in items] == sorted([float(item[3]) for item in items], reverse=True)
    for content, label, prediction, _, index in items:
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
        np.testing.assert_array_equal(picture, digits.test_images[int(index), ..., 0])
        assert (int(label), int(prediction)) == (found.labels[int(index)], found.predictions[int(index)])


def test_digits_that_are_missing_and_predictions_that_are_all_right_are_shown(evaluated):
    digits, *_ = evaluated
    few = dataclasses.replace(digits, test_images=digits.test_images[:2], test_labels=np.array([1, 1], np.uint8))
    text = page("right", few, score("few", np.eye(10, dtype=np.float32)[[1, 1]], few.test_labels), [])
    assert "There are none." in text and words_of(section(text, "classes")).count("–") == 18
    assert "as sure as it is accurate" in text


def test_the_files_are_written_whole_over_older_ones(evaluated, text, tmp_path):
    (tmp_path / "evaluation.json").write_text("{")
    path = write_evaluation(tmp_path, NAME, *evaluated)
    assert path == tmp_path / "evaluation.html" and path.read_text() == text
    facts = json.loads((tmp_path / "evaluation.json").read_text())
    assert facts["network"] == NAME and facts["dataset"] == "made up" and len(facts["distortions"]) == len(DISTORTIONS)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["evaluation.html", "evaluation.json"]


def test_nothing_on_the_page_is_wider_than_its_section(opened, text, tmp_path):
    (tmp_path / "page.html").write_text(text)
    window = opened(tmp_path / "page.html")
    for width in (1280, 700, 390):
        window.set_viewport_size({"width": width, "height": 900})
        assert window.evaluate("document.documentElement.scrollWidth") <= width
        assert window.evaluate(TOO_WIDE) == []
