"""A trial is trained on the kept training images alone, and its record says what it reached on the others."""

import dataclasses
import json

import numpy as np
import pytest
from rich.console import Console

from keras_mnist.studies.search import trial
from keras_mnist.studies.search.found import results

NETWORK = "conv 4 valid, pool, shared 4 x2, pool, average, dense"
SETTINGS = {"epochs": 2, "batch_size": 64, "rotation_degrees": 0}


@pytest.fixture(scope="module")
def record(digits):
    """One trial of two epochs, on a data set whose test images cannot be predicted."""
    strange = dataclasses.replace(digits, test_images=np.zeros_like(digits.test_images))
    configuration = trial.Configuration(NETWORK, trial.BASE.with_settings(**SETTINGS))
    return trial.train(configuration, 3, strange, trial.device(), Console(quiet=True), [])


@pytest.mark.slow
def test_a_record_tells_what_was_trained_and_what_it_reached(record, digits):
    assert (record["network"], record["seed"]) == (NETWORK, 3)
    assert record["settings"] == "epochs=2, batch_size=64, rotation_degrees=0"
    assert record["parameters"] == 4 * 9 + 4 + 4 * 9 + 16 + 2 * 8 + 50
    assert record["held_out_loss"] == pytest.approx(record["history"]["val_loss"][-1], abs=1e-5)
    assert len(record["history"]["val_accuracy"]) == 2 and record["held_out_images"] == digits.held_out_count
    assert not [name for name in record if "test" in name] and json.dumps(record)


@pytest.mark.slow
def test_a_trial_on_record_is_not_trained_again(record, tmp_path):
    configuration = trial.Configuration(NETWORK, trial.BASE.with_settings(**SETTINGS))
    path = configuration.record_file(tmp_path, "mnist", 3)
    with trial.claimed(path) as free:
        assert free
        with trial.claimed(path) as taken:
            assert not taken  # by another search
        trial.keep(record, path)
    with trial.claimed(path) as free:
        assert not free
    other = dataclasses.replace(configuration, recipe=trial.BASE)
    assert other.record_file(tmp_path, "mnist", 3).parent != path.parent
    assert configuration.record_file(tmp_path, "digits", 3) != path


@pytest.mark.slow
def test_the_lowest_mean_loss_stands_first_and_what_diverged_last(record, tmp_path):
    for settings, losses in {"a": (0.3, 0.1), "b": (0.15,), "c": (None,)}.items():
        for seed, loss in enumerate(losses):
            made = record | {"settings": settings, "seed": seed}
            made |= {"held_out_loss": loss, "held_out_accuracy": loss and 1 - loss}
            trial.keep(made, tmp_path / settings / f"seed{seed}.json")
    found = results(tmp_path, "digits")
    assert [result.first["settings"] for result in found] == ["b", "a", "c"]
    assert found[1].loss.mean == pytest.approx(0.2) and found[1].loss.n == 2 and found[2].loss is None
    assert results(tmp_path, "mnist") == []
