"""A recipe's optimizer."""

from __future__ import annotations

import math

import keras

from keras_mnist import conventions
from keras_mnist.recipe import Recipe
from keras_mnist.schedules import SCHEDULES


class Muon(keras.optimizers.SGD):
    """SGD whose steps of the 1x1 and first convolutions' kernels are made orthogonal."""

    def update_step(self, gradient, variable, learning_rate):
        rows, columns = math.prod(variable.shape[:-1]), variable.shape[-1]
        if len(variable.shape) != 4 or min(rows, columns) < 2:
            return super().update_step(gradient, variable, learning_rate)
        momentum = self.momentums[self._get_variable_index(variable)]
        momentum.assign(self.momentum * momentum + gradient)
        step = _orthogonal(keras.ops.reshape(gradient + self.momentum * momentum, (rows, columns)))
        scale = 0.2 * max(1, rows / columns) ** 0.5
        self.assign_sub(variable, keras.ops.reshape(step, variable.shape) * (learning_rate * scale))


def _orthogonal(matrix):
    wide = matrix.shape[0] > matrix.shape[1]
    x = keras.ops.transpose(matrix) if wide else matrix
    x = x / (keras.ops.norm(x) + 1e-7)
    for _ in range(5):
        a = x @ keras.ops.transpose(x)
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return keras.ops.transpose(x) if wide else x


def build_optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The recipe's optimizer with its learning-rate schedule."""
    rate = SCHEDULES[recipe.schedule.schedule](recipe, steps_per_epoch)
    clip = recipe.global_clipnorm or None
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(rate, epsilon=conventions.ADAM_EPSILON, global_clipnorm=clip)
    kind = Muon if recipe.optimizer == "muon" else keras.optimizers.SGD
    return kind(rate, momentum=recipe.momentum, nesterov=recipe.nesterov, global_clipnorm=clip)
