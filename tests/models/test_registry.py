import pytest

import keras_mnist
from keras_mnist.errors import UsageError
from keras_mnist.models import registry
from keras_mnist.recipe import Recipe


def test_an_unknown_name_is_answered_with_close_matches():
    with pytest.raises(UsageError, match="no variant 'bn_gpa'; did you mean bn_gap or "):
        keras_mnist.get_variant("bn_gpa")
    with pytest.raises(UsageError, match="no variant 'zzzzzz'; expected one of base_16k, .*, swift"):
        keras_mnist.get_variant("zzzzzz")


def test_a_name_can_be_taken_once():
    register = registry.variant(params=1, recipe=Recipe(), source="", claim=registry.Claim(0.5, 1))

    def bn_gap():
        """Another."""

    with pytest.raises(ValueError, match="variant 'bn_gap' is defined twice"):
        register(bn_gap)


def test_builders_are_names_of_the_package_too():
    assert keras_mnist.models.bn_gap is keras_mnist.get_variant("bn_gap").build


def test_recipes_have_names_and_others_are_refused():
    variant = keras_mnist.get_variant("bn_gap")
    assert variant.recipe() == variant.recipe("tuned") == registry.TUNED
    fast = variant.recipe("fast")
    assert fast.epochs < variant.recipe().epochs and fast.target.target_accuracy is None
    assert variant.recipe("document").schedule.schedule == "plateau"
    with pytest.raises(UsageError, match="`recipe` is 'best', expected one of tuned, fast, document"):
        variant.recipe("best")
    with pytest.raises(UsageError, match=r"`recipe` is \['tuned'\], expected one of tuned, fast, document"):
        variant.recipe(["tuned"])


@pytest.mark.parametrize("name", ["tuned", "document"])
def test_the_flagship_asks_for_its_target_twice_in_a_row(name):
    target = keras_mnist.get_variant("bn_gap").recipe(name).target
    assert (target.target_accuracy, target.target_epochs) == (0.994, 2)
