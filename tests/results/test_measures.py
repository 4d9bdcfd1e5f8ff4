"""Figures beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from keras_mnist.results.measures import BINS, expected_calibration_error, reliability
from keras_mnist.results.score import score


def made_up(images=2000, classes=10, seed=0):
    """A score of predictions that are right more often than not, of labels below `classes`."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, images).astype(np.uint8)
    values = rng.normal(size=(images, 10)) + 2.5 * np.eye(10)[labels]
    probabilities = (np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)).astype(np.float32)
    return score("made up", probabilities, labels)


def test_confusion_precision_and_recall_are_scikit_learn_s():
    found = made_up()
    np.testing.assert_array_equal(found.confusion, confusion_matrix(found.labels, found.predictions))
    precision, recall, _, support = precision_recall_fscore_support(found.labels, found.predictions)
    assert [each.precision for each in found.classes] == pytest.approx(precision)
    assert [each.recall for each in found.classes] == pytest.approx(recall)
    assert [each.images for each in found.classes] == support.tolist()
    assert found.worst_class.digit == recall.argmin()
    assert len(found.misclassified) == found.errors == found.images - np.trace(found.confusion)


def test_a_digit_without_images_or_predictions_has_no_share():
    found = score("made up", np.eye(10, dtype=np.float32)[[3, 3, 5]], np.array([3, 4, 5], np.uint8))
    three, four, nine = (found.classes[digit] for digit in (3, 4, 9))
    assert (three.precision, three.recall) == (0.5, 1)
    assert (four.precision, four.recall) == (None, 0)
    assert (nine.precision, nine.recall) == (None, None)
    assert found.worst_class == four


def test_a_prediction_that_is_no_number_is_wrong_and_of_no_digit():
    probabilities = np.eye(10, dtype=np.float32)
    probabilities[7] = np.nan
    found = score("made up", probabilities, np.arange(10, dtype=np.uint8))
    assert found.errors == 1 and found.confusion.sum() == 9
    assert found.classes[7].images == 1 and found.classes[7].recall == 0


def test_calibration_is_scikit_learn_s():
    found = made_up()
    correct = found.predictions == found.labels
    bins = [each for each in found.reliability if each.images]
    accuracy, confidence = calibration_curve(correct, found.confidences, n_bins=BINS)
    assert [each.accuracy for each in bins] == pytest.approx(accuracy)
    assert [each.mean_confidence for each in bins] == pytest.approx(confidence)
    shares = np.array([each.images for each in bins]) / found.images
    assert shares.sum() == pytest.approx(1) and 5 < len(bins) < BINS
    assert found.calibration_error == pytest.approx(shares @ np.abs(accuracy - confidence))


def test_sure_predictions_that_are_half_right_are_half_wrongly_calibrated():
    bins = reliability(np.ones(8, np.float32), np.arange(8) % 2 == 0)
    assert [each.images for each in bins] == [0] * (BINS - 1) + [8]
    assert expected_calibration_error(bins) == 0.5
    assert bins[0].accuracy is bins[0].mean_confidence is bins[0].interval is None
