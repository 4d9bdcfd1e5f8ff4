"""Learning-rate schedules by name: each is one function of the recipe and the steps of an epoch.

It gives the learning rate that the optimizer takes: a number, or one of Keras's schedules over steps.
"""

from __future__ import annotations

from keras_mnist.settings import Setting, add_settings
from keras_mnist.utils.lazy import keras
from keras_mnist.utils.registry import Registry

SCHEDULES = Registry("schedule")


def schedule(**settings: Setting):
    """Register the decorated function as a schedule under its own name, with settings of its own if it has any."""

    def register(function):
        add_settings("schedule", settings)
        SCHEDULES[function.__name__] = function
        return function

    return register


@schedule()
def constant(recipe, steps_per_epoch):
    """One rate for the whole run."""
    return recipe.learning_rate


@schedule()
def step(recipe, steps_per_epoch):
    """The rate times `reduction_factor` after every `step_epochs` epochs."""
    steps = recipe.schedule.step_epochs * steps_per_epoch
    return keras.optimizers.schedules.ExponentialDecay(
        recipe.learning_rate, steps, recipe.schedule.reduction_factor, staircase=True
    )


@schedule()
def plateau(recipe, steps_per_epoch):
    """One rate, which a callback reduces when the loss stops falling."""
    return recipe.learning_rate


@schedule()
def one_cycle(recipe, steps_per_epoch):
    """Up to the peak in the first steps, and down along a cosine to almost nothing.

    Source: Smith, A disciplined approach to neural network hyper-parameters (2018).
    """
    peak, steps = recipe.learning_rate, recipe.epochs * steps_per_epoch
    warmup = int(steps * recipe.schedule.warmup_fraction)
    return keras.optimizers.schedules.CosineDecay(
        peak / 25 if warmup else peak,  # the ratio of Smith's policy
        decay_steps=steps - warmup,
        alpha=recipe.schedule.final_fraction,
        warmup_target=peak if warmup else None,
        warmup_steps=warmup,
    )
