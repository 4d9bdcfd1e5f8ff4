import dataclasses

import pytest

from keras_mnist.errors import UsageError
from keras_mnist.recipe import Recipe


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("epochs", 0, ["epochs is 0", "at least 1"]),
        ("learning_rate", -0.1, ["learning_rate is -0.1", "above 0"]),
        ("learning_rate", float("nan"), ["learning_rate is nan"]),
        ("target_accuracy", 99.4, ["target_accuracy is 99.4", "at most 1", "write 0.994", "--target-accuracy"]),
        ("schedule", "cosine", ["schedule is 'cosine'", "one_cycle"]),
        ("batch_size", 0, ["batch_size is 0"]),
        ("momentum", 1.0, ["momentum is 1.0"]),
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
