"""Distillation: the answers of trained networks are learned beside the labels."""

from __future__ import annotations

import tensorflow as tf

from keras_mnist.errors import UsageError
from keras_mnist.models import registry, trained
from keras_mnist.recipe import Recipe


def require_trained(recipe: Recipe) -> None:
    """Raise UsageError if one of the recipe's teachers is no variant that comes trained."""
    try:
        for name in _names(recipe):
            trained.facts(registry.get_variant(name).name)
    except UsageError as error:
        raise UsageError(f"`teacher`: {error}") from error


def _names(recipe: Recipe) -> list[str]:
    return recipe.teacher.split("+") if recipe.teacher is not None else []


class Teacher:
    """Trained networks that come with the package, and how much a recipe has of their answers.

    Source: Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network (2015).
    """

    def __init__(self, recipe: Recipe):
        self.networks = [
            registry.create_model(name, weights="mnist", classifier_activation=None) for name in _names(recipe)
        ]
        self.share, self.temperature = recipe.teacher_share, recipe.temperature

    def mixed_with(self, loss, images, logits):
        """A loss, mixed with the cross-entropy to the teachers' mean probabilities for the same images."""
        every = [tf.nn.softmax(network(images, training=False) / self.temperature) for network in self.networks]
        answers = tf.stop_gradient(tf.add_n(every) / len(every))
        differences = tf.nn.softmax_cross_entropy_with_logits(answers, logits / self.temperature)
        # Its gradients shrink with the square of the temperature.
        return (1 - self.share) * loss + self.share * self.temperature**2 * tf.reduce_mean(differences)
