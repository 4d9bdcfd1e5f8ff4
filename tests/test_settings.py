"""Settings that others add: in a group of this file, so that no recipe changes."""

import dataclasses
import subprocess
import sys

import pytest

from keras_mnist import settings as module
from keras_mnist.errors import UsageError
from keras_mnist.settings import Settings, add_settings, group, setting, settings_of


@pytest.fixture
def drink():
    """A group of settings of its own for each test."""

    @group("drink")
    @dataclasses.dataclass(frozen=True)
    class Drink(Settings):
        """What is in a cup."""

        sugar_grams: int = setting(0, "sugar", low=0)

    yield Drink
    del module._GROUPS["drink"]


def test_a_setting_that_is_added_is_one_like_the_others(drink):
    before = drink(5)
    add_settings("drink", {"milk_share": setting(0.0, "milk, a fraction", low=0, high=1)})
    assert [field.name for field in settings_of(drink)] == ["sugar_grams", "milk_share"]
    cup = drink(5, milk_share=0.5)
    assert repr(cup).endswith("Drink(sugar_grams=5, milk_share=0.5)")
    assert cup == dataclasses.replace(before, milk_share=0.5) != drink(5)
    assert hash(cup) == hash(drink(5, 0.5)) != hash(drink(5))
    assert before.milk_share == 0.0 and before == drink(5) and hash(before) == hash(drink(5))
    assert type(cup) is drink and type(drink(milk_share=1).milk_share) is float
    with pytest.raises(UsageError, match="`milk_share` is 2, expected at least 0 and at most 1"):
        drink(milk_share=2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        cup.milk_share = 1.0
    with pytest.raises(TypeError, match="lemon"):
        drink(lemon=1)


def test_settings_of_several_kinds_are_added_and_checked(drink):
    kinds = {
        "iced": setting(False, "with ice"),
        "cup": setting("mug", "what it is in", choices=("mug", "glass")),
        "shots": setting(1, "shots", low=1),
    }
    add_settings("drink", kinds)
    assert drink(iced=True, cup="glass", shots=2) == drink(0, True, "glass", 2)
    for wrong, words in (
        ({"iced": 1}, "`iced` is 1, expected True or False"),
        ({"cup": "bowl"}, "`cup` is 'bowl', expected one of mug, glass"),
        ({"shots": 1.5}, "`shots` is 1.5, expected a whole number"),
    ):
        with pytest.raises(UsageError, match=words):
            drink(**wrong)


def test_a_name_can_be_taken_once(drink):
    with pytest.raises(ValueError, match="setting 'sugar_grams' is defined twice"):
        add_settings("drink", {"sugar_grams": setting(1, "more sugar")})
    assert drink().sugar_grams == 0


def test_settings_wait_for_their_group():
    add_settings("dish", {"salt_grams": setting(1.0, "salt", low=0)})

    @group("dish")
    @dataclasses.dataclass(frozen=True)
    class Dish(Settings):
        """What is on a plate."""

    try:
        assert Dish() == Dish(salt_grams=1) and Dish(2).salt_grams == 2.0
    finally:
        del module._GROUPS["dish"]


RECIPE = """
import json
from keras_mnist.recipe import TUNED, Augmentation, Recipe
before = Augmentation(rotation_degrees=7), Recipe(epochs=3)
assert hash(Recipe())
from keras_mnist.settings import add_settings, setting
add_settings("augmentation", {"blur_pixels": setting(0.0, "blur", low=0, high=3)})
add_settings("target", {"stop_after_minutes": setting(0, "minutes", low=0)})
assert before[0].blur_pixels == 0 and before[1].augmentation.blur_pixels == 0
assert before[0] == Augmentation(rotation_degrees=7) and before[1] == Recipe(epochs=3)
blurred = TUNED.with_settings(blur_pixels=2, stop_after_minutes=5)
assert blurred != TUNED and hash(blurred) != hash(TUNED) and "blur_pixels=2.0" in repr(blurred)
assert json.loads(json.dumps(blurred.flat()))["blur_pixels"] == 2.0 and TUNED.flat()["blur_pixels"] == 0.0
assert blurred.differences(TUNED) == ["blur_pixels=2", "stop_after_minutes=5"], blurred.differences(TUNED)
import argparse
from keras_mnist import cli
parser = cli.parser("train.py", "")
cli.add_recipe_flags(parser)
assert cli.recipe_settings(parser.parse_args(["--blur-pixels", "1.5"])) == {"blur_pixels": 1.5}
TUNED.with_settings(blur_pixels=4)
"""


def test_a_setting_added_to_a_recipe_is_in_its_records_differences_and_flags():
    done = subprocess.run([sys.executable, "-c", RECIPE], capture_output=True, text=True)
    assert done.stderr.strip().endswith("UsageError: `blur_pixels` is 4, expected at least 0 and at most 3")
