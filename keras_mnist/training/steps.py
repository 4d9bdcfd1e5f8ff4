"""One step of training and one of scoring: network, loss, optimizer and the running means of an epoch."""

from __future__ import annotations

from collections.abc import Collection

import keras
import tensorflow as tf

from keras_mnist import conventions
from keras_mnist.recipe import Recipe
from keras_mnist.training import runtime
from keras_mnist.training.fused import FusedNetwork


def build_optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The recipe's optimizer with its learning-rate schedule."""
    rate = learning_rate(recipe, steps_per_epoch)
    clip = recipe.clip_norm or None
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(rate, epsilon=conventions.ADAM_EPSILON, global_clipnorm=clip)
    return keras.optimizers.SGD(rate, momentum=recipe.momentum, nesterov=recipe.nesterov, global_clipnorm=clip)


def learning_rate(recipe: Recipe, steps_per_epoch: int):
    """A number, or Keras's schedule over steps; reduction on plateau starts from a number and is a callback."""
    schedule, peak = recipe.schedule, recipe.learning_rate
    if schedule.schedule == "step":
        return keras.optimizers.schedules.ExponentialDecay(
            peak, schedule.step_epochs * steps_per_epoch, schedule.reduction_factor, staircase=True
        )
    if schedule.schedule == "one_cycle":
        steps = recipe.epochs * steps_per_epoch
        warmup = int(steps * schedule.warmup_fraction)
        return keras.optimizers.schedules.CosineDecay(
            peak / 25 if warmup else peak,  # the ratio of Smith's one-cycle policy
            decay_steps=steps - warmup,
            alpha=schedule.final_fraction,
            warmup_target=peak if warmup else None,
            warmup_steps=warmup,
        )
    return peak


class Stepper:
    """A network that gives logits, with everything that changes while it is trained.

    It stands where Keras's callbacks expect a model: they read `optimizer` and set `stop_training`.
    """

    def __init__(
        self,
        network: keras.Model,
        recipe: Recipe,
        steps_per_epoch: int,
        compile_steps: bool = False,
        tricks: Collection[str] = (),
    ):
        self.network, self.l2 = network, recipe.l2
        self.forward = network
        if {"chains", "parts"} & set(tricks):
            self.forward = FusedNetwork(network, runtime.PARTS if "parts" in tricks else 1, "chains" in tricks)
        self.optimizer = build_optimizer(recipe, steps_per_epoch)
        self.optimizer.build(network.trainable_variables)
        self.loss_function = keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=recipe.label_smoothing
        )
        self.loss = keras.metrics.Mean(name="loss")
        self.accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
        self.stop_training = False
        # One graph for batches of any size: graphs for fixed sizes differ in the last bits, and which of them a
        # resumed run would trace depends on where it begins.
        any_batch = [tf.TensorSpec((None, 28, 28, 1), tf.float32), tf.TensorSpec((None, 10), tf.float32)]
        self.train_step = tf.function(self._train_step, any_batch, autograph=False, jit_compile=compile_steps)
        self.score_step = tf.function(self._score_step, any_batch, autograph=False, jit_compile=compile_steps)
        self.train_steps = tf.function(self._train_steps, autograph=False)

    @property
    def variables(self) -> list:
        """All that a later step depends on: weights, moving statistics, dropout's seeds, optimizer, means."""
        means = self.loss.variables + self.accuracy.variables
        return self.network.variables + self.optimizer.variables + means

    def _train_step(self, images, labels):
        weights = self.network.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.forward(images, training=True)
            loss = self.loss_function(labels, logits)
        gradients = tape.gradient(loss, weights)
        if self.l2:
            gradients = [gradient + self.l2 * weight for gradient, weight in zip(gradients, weights, strict=True)]
        self.optimizer.apply(gradients)
        self._count(labels, logits, loss)
        return loss

    def _train_steps(self, batches, count):
        """Up to `count` steps without coming back to Python, fewer if the loss stops being a number.

        Args:
            batches: an iterator of training_batches.
            count: int32 tensor, at least 1.

        Returns: (steps done, the last one's loss).
        """

        def step(done, _):
            return done + 1, self.train_step(*next(batches))

        def going_on(done, loss):
            return (done < count) & tf.math.is_finite(loss)

        return tf.while_loop(going_on, step, (tf.constant(0), tf.constant(0.0)))

    def _score_step(self, images, labels):
        logits = self.forward(images, training=False)
        self._count(labels, logits, self.loss_function(labels, logits))

    def _count(self, labels, logits, loss):
        self.loss.update_state(loss, sample_weight=tf.shape(labels)[0])
        self.accuracy.update_state(labels, logits)

    def reset_means(self) -> None:
        """Begin a new epoch's means."""
        self.loss.reset_state()
        self.accuracy.reset_state()

    def means(self) -> dict[str, float]:
        """Loss and accuracy since the last reset."""
        # Divided in double precision, so that 4,970 of 5,000 is at a target of 0.994, not a rounding below it.
        return {
            "loss": float(self.loss.result()),
            "accuracy": float(self.accuracy.total) / float(self.accuracy.count),
        }

    def score(self, batches) -> dict[str, float]:
        """Loss and accuracy on batches, without training."""
        self.reset_means()
        for images, labels in batches:
            self.score_step(images, labels)
        return self.means()

    @property
    def learning_rate(self) -> float:
        """The rate that the next step will use."""
        return float(self.optimizer.learning_rate)
