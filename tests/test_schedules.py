import keras
import numpy as np
import pytest

from keras_mnist.errors import UsageError
from keras_mnist.recipe import Recipe, Schedule
from keras_mnist.schedules import SCHEDULES, schedule


def learning_rate(recipe, steps):
    return SCHEDULES[recipe.schedule.schedule](recipe, steps)


def rates(recipe, steps):
    rate = learning_rate(recipe, steps)
    return [float(rate(step)) for step in range(recipe.epochs * steps)]


def test_one_cycle_rises_to_the_peak_and_ends_near_zero():
    found = rates(Recipe(epochs=10, learning_rate=0.1, schedule=Schedule("one_cycle")), 50)
    assert found[0] == pytest.approx(0.004)
    assert max(found) == pytest.approx(0.1) and found.index(max(found)) == 100
    assert np.all(np.diff(found[:100]) > 0) and np.all(np.diff(found[101:]) < 0)
    assert found[-1] == pytest.approx(0.0001, rel=0.1)


def test_one_cycle_without_warmup_begins_at_the_peak():
    found = rates(Recipe(epochs=2, learning_rate=0.1, schedule=Schedule("one_cycle", warmup_fraction=0)), 50)
    assert found[0] == pytest.approx(0.1) and np.all(np.diff(found) < 0)


def test_step_reduces_between_epochs():
    stepwise = Schedule("step", step_epochs=2, reduction_factor=0.5)
    found = rates(Recipe(epochs=6, learning_rate=0.8, schedule=stepwise), 3)
    assert found == pytest.approx([0.8] * 6 + [0.4] * 6 + [0.2] * 6)


@pytest.mark.parametrize("name", ["constant", "plateau"])
def test_other_schedules_begin_as_a_number(name):
    assert learning_rate(Recipe(learning_rate=0.3, schedule=Schedule(name)), 10) == 0.3


@pytest.mark.parametrize("name", SCHEDULES)
def test_an_optimizer_takes_what_every_schedule_gives(name):
    optimizer = keras.optimizers.SGD(learning_rate(Recipe(learning_rate=0.3, schedule=Schedule(name)), 10))
    assert 0 < float(optimizer.learning_rate) < 0.301


def test_a_registered_schedule_is_a_choice_from_then_on():
    with pytest.raises(UsageError, match="`schedule` is 'halved', expected one of constant, step, plateau, one_cycle"):
        Schedule("halved")

    @schedule()
    def halved(recipe, steps_per_epoch):
        """Half of the rate."""
        return recipe.learning_rate / 2

    try:
        assert learning_rate(Recipe(learning_rate=0.3, schedule=Schedule("halved")), 10) == 0.15
        with pytest.raises(ValueError, match="schedule 'halved' is defined twice"):
            schedule()(halved)
    finally:
        del SCHEDULES["halved"]
