"""A recipe's optimizer."""

from __future__ import annotations

import keras

from keras_mnist import conventions
from keras_mnist.recipe import Recipe
from keras_mnist.schedules import SCHEDULES


def build_optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The recipe's optimizer with its learning-rate schedule."""
    rate = SCHEDULES[recipe.schedule.schedule](recipe, steps_per_epoch)
    clip = recipe.global_clipnorm or None
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(rate, epsilon=conventions.ADAM_EPSILON, global_clipnorm=clip)
    return keras.optimizers.SGD(rate, momentum=recipe.momentum, nesterov=recipe.nesterov, global_clipnorm=clip)
