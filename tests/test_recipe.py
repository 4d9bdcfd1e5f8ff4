import dataclasses
import json

import numpy as np
import pytest

from keras_mnist.errors import UsageError
from keras_mnist.recipe import Recipe


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("epochs", 0, ["`epochs` is 0", "at least 1"]),
        ("learning_rate", -0.1, ["`learning_rate` is -0.1", "above 0"]),
        ("learning_rate", float("nan"), ["`learning_rate` is nan"]),
        ("target_accuracy", 99.4, ["`target_accuracy` is 99.4", "at most 1", "as a fraction: write 0.994"]),
        ("schedule", "cosine", ["`schedule` is 'cosine'", "one_cycle"]),
        ("batch_size", 0, ["`batch_size` is 0"]),
        ("momentum", 1.0, ["`momentum` is 1.0"]),
        ("epochs", 10**20, ["`epochs` is 100000000000000000000", "at most 1000000"]),
        ("step_epochs", 10**20, ["`step_epochs` is", "at most 1000000"]),
        ("learning_rate", 10**400, ["at most 100"]),
        ("reduction_factor", 1, ["`reduction_factor` is 1", "below 1"]),
        ("elastic_sigma", 1e-19, ["`elastic_sigma` is 1e-19", "at least 0.1"]),
        ("learning_rate", 1e-46, ["`learning_rate` is 1e-46, expected at least 1.18e-38", "float32"]),
        ("global_clipnorm", 1e-42, ["`global_clipnorm` is 1e-42, expected 0 or at least 1.18e-38"]),
        ("epochs", 1.5, ["`epochs` is 1.5, expected a whole number"]),
        ("epochs", True, ["`epochs` is True, expected a whole number"]),
        ("epochs", None, ["`epochs` is None, expected a whole number"]),
        ("batch_size", np.array([8, 9]), ["expected a whole number"]),
        ("learning_rate", "0.1", ["`learning_rate` is '0.1', expected a number"]),
        ("target_accuracy", "high", ["expected a number or None"]),
        ("nesterov", 1, ["`nesterov` is 1, expected True or False"]),
        ("optimizer", np.array(["sgd", "adam"]), ["expected one of sgd, adam"]),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name_value_and_expectation(setting, value, words):
    with pytest.raises(UsageError) as error:
        Recipe().with_settings(**{setting: value})
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_settings_reach_the_part_they_belong_to_and_leave_the_rest():
    recipe = Recipe().with_settings(epochs=3, rotation_degrees=7, schedule="step", target_accuracy=0.99)
    assert (recipe.epochs, recipe.augmentation.rotation_degrees) == (3, 7)
    assert (recipe.schedule.schedule, recipe.target.target_accuracy) == ("step", 0.99)
    changed = {name for name, value in recipe.flat().items() if value != Recipe().flat()[name]}
    assert changed == {"epochs", "rotation_degrees", "schedule", "target_accuracy"}


def test_an_unknown_setting_is_refused():
    with pytest.raises(UsageError, match="rotation_radians"):
        Recipe().with_settings(rotation_radians=1)


def test_a_recipe_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().epochs = 3


def test_numbers_of_numpy_become_plain_ones_that_json_takes():
    recipe = Recipe(epochs=np.int64(3), learning_rate=np.float32(0.5), global_clipnorm=1, optimizer=np.str_("adam"))
    settings = json.loads(json.dumps(recipe.flat()))
    assert (settings["epochs"], settings["learning_rate"], settings["optimizer"]) == (3, 0.5, "adam")
    assert type(recipe.global_clipnorm) is float and type(recipe.epochs) is int


def test_a_part_that_is_none_is_refused():
    with pytest.raises(UsageError, match=r"`schedule` is 'step', expected Schedule\(...\)"):
        Recipe(schedule="step")


@pytest.mark.parametrize("name", [name for name, value in Recipe().flat().items() if isinstance(value, float)])
def test_what_float32_takes_for_zero_is_no_value_of_any_setting(name):
    for value in (5e-324, 1e-46, float(np.finfo(np.float32).smallest_subnormal), 1.17e-38):
        with pytest.raises(UsageError, match=f"`{name}` is "):
            Recipe().with_settings(**{name: value})
