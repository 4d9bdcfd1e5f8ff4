"""Distillation: a trained network's answers are learned beside the labels."""

from __future__ import annotations

import tensorflow as tf

from keras_mnist.errors import UsageError
from keras_mnist.models import registry, trained
from keras_mnist.recipe import Recipe


def require_trained(recipe: Recipe) -> None:
    """Raise UsageError if the recipe's `teacher` is no variant that comes trained."""
    if recipe.teacher is not None:
        try:
            trained.facts(registry.get_variant(recipe.teacher).name)
        except UsageError as error:
            raise UsageError(f"`teacher`: {error} (or none)") from error


class Teacher:
    """A trained network that comes with the package, and how much a recipe has of its answers.

    Source: Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network (2015).
    """

    def __init__(self, recipe: Recipe):
        self.network = registry.create_model(recipe.teacher, weights="mnist", classifier_activation=None)
        self.share, self.temperature = recipe.teacher_share, recipe.temperature

    def mixed_with(self, loss, images, logits):
        """A loss, mixed with the cross-entropy to the teacher's probabilities for the same images."""
        answers = tf.stop_gradient(tf.nn.softmax(self.network(images, training=False) / self.temperature))
        differences = tf.nn.softmax_cross_entropy_with_logits(answers, logits / self.temperature)
        # Its gradients shrink with the square of the temperature.
        return (1 - self.share) * loss + self.share * self.temperature**2 * tf.reduce_mean(differences)
