"""An evaluation as JSON, and the one in the repository."""

import dataclasses
import json

import numpy as np
import pytest

import keras_mnist
from keras_mnist.models import trained
from keras_mnist.results.distorted import DISTORTIONS
from keras_mnist.results.evaluation_output import distortion_table, evaluation_json, score_table
from keras_mnist.results.score import score
from tests.conftest import ROOT
from tests.results.test_measures import made_up

RECORD = json.loads((ROOT / "docs" / "records" / "evaluation.json").read_text())
ANEW = "write it anew: keras-mnist evaluate --variant bn_gap --dataset mnist --report DIR"


def test_json_has_every_figure_and_null_for_what_there_is_none_of():
    found = made_up(classes=9)  # no image of a nine
    facts = json.loads(evaluation_json("mine", found))
    assert (facts["network"], facts["dataset"], facts["images"]) == ("mine", "made up", 2000)
    assert facts["classes"][9]["recall"] is None and facts["classes"][9]["precision"] == 0
    assert facts["confusion_matrix"] == found.confusion.tolist() and len(facts["misclassified"]) == facts["errors"]
    assert facts["reliability"][0]["accuracy"] is facts["reliability"][0]["mean_confidence"] is None
    assert "distortions" not in facts


def test_a_network_that_is_sure_of_everything_wrong_has_figures_too():
    wrong = score("mine", np.eye(10, dtype=np.float32)[[1, 2]], np.array([2, 1], np.uint8))
    facts = json.loads(evaluation_json("mine", wrong, [(DISTORTIONS[-1], wrong)]))
    assert (facts["accuracy"], facts["expected_calibration_error"]) == (0, 1) and facts["loss"] > 10
    assert facts["distortions"][0].items() >= {"distortion": "inversion", "strength": None, "errors": 2}.items()
    assert distortion_table(wrong, [(DISTORTIONS[-1], wrong)]).row_count == 2


def test_one_image_is_singular():
    found = score("mine", np.eye(10, dtype=np.float32)[:1], np.zeros(1, np.uint8))
    assert next(score_table("net", found).columns[1].cells) == "mine, 1 image"


def test_the_record_is_of_the_weights_that_come_with_the_package():
    known = trained.facts(RECORD["network"])
    assert (RECORD["dataset"], RECORD["images"]) == (known["dataset"], known["test_images"]), ANEW
    assert (RECORD["accuracy"], RECORD["errors"]) == (known["test_accuracy"], known["test_errors"]), ANEW
    names = [(row["distortion"], row["strength"]) for row in RECORD["distortions"]]
    assert names == [(distortion.name, distortion.strength) for distortion in DISTORTIONS], ANEW


@pytest.mark.slow
def test_the_record_is_what_is_measured(mnist):
    model = keras_mnist.create_model(RECORD["network"], weights="mnist")
    found = json.loads(evaluation_json(RECORD["network"], keras_mnist.evaluate(model, mnist)))
    assert np.abs(np.subtract(found["confusion_matrix"], RECORD["confusion_matrix"])).sum() <= 4, ANEW
    for name in ("loss", "mean_confidence", "expected_calibration_error"):
        assert found[name] == pytest.approx(RECORD[name], abs=2e-4), ANEW
    for distortion, row in list(zip(DISTORTIONS, RECORD["distortions"], strict=True))[::4]:
        images = distortion(mnist.test_images)
        errors = keras_mnist.evaluate(model, dataclasses.replace(mnist, test_images=images)).errors
        assert errors == pytest.approx(row["errors"], abs=4), ANEW
