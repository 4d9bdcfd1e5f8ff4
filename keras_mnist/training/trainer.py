"""One step of training and one of testing: network, loss, optimizer and the metrics of an epoch."""

from __future__ import annotations

from collections.abc import Collection

import keras
import tensorflow as tf

from keras_mnist.recipe import Recipe
from keras_mnist.training import device
from keras_mnist.training.fused import FusedNetwork
from keras_mnist.training.optimizers import build_optimizer
from keras_mnist.training.teacher import Teacher


def logits_network(model: keras.Model) -> keras.Model:
    """The model up to its logits, on the model's own layers; the model itself where no activation ends it."""
    last = model.layers[-1]
    return keras.Model(model.inputs, last.input) if isinstance(last, keras.layers.Activation) else model


class Trainer:
    """Trains a Keras model step by step, with everything that changes on the way.

    The model is compiled with the trainer's optimizer, so that Keras's callbacks find in it what they expect.

    Args:
        model: ends in an activation over logits, or gives logits itself.
        jit_compile: whether XLA compiles the steps.
        optimizations: some of optimizations.OPTIMIZATIONS.
    """

    def __init__(
        self,
        model: keras.Model,
        recipe: Recipe,
        steps_per_epoch: int,
        jit_compile: bool = False,
        optimizations: Collection[str] = (),
    ):
        self.model, self.network, self.l2 = model, logits_network(model), recipe.l2
        self.forward = self.network
        if {"fused_layers", "shards"} & set(optimizations):
            shards = device.SHARDS if "shards" in optimizations else 1
            self.forward = FusedNetwork(self.network, shards, "fused_layers" in optimizations)
        self.optimizer = build_optimizer(recipe, steps_per_epoch)
        self.optimizer.build(self.network.trainable_variables)
        model.compile(self.optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        model.stop_training = False
        # Keras's callbacks look for metrics by name, which are there once they have been computed.
        model.compute_metrics(None, tf.zeros((1,)), tf.zeros((1, model.output_shape[-1])))
        model.reset_metrics()
        self.loss_function = keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=recipe.label_smoothing
        )
        self.teacher = Teacher(recipe) if recipe.teacher is not None else None
        self.loss = keras.metrics.Mean(name="loss")
        self.accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
        # One graph for batches of any size: graphs for fixed sizes differ in the last bits, and which of them a
        # resumed run would trace depends on where it begins.
        any_batch = [tf.TensorSpec((None, 28, 28, 1), tf.float32), tf.TensorSpec((None, 10), tf.float32)]
        self.train_step = tf.function(self._train_step, any_batch, autograph=False, jit_compile=jit_compile)
        self.test_step = tf.function(self._test_step, any_batch, autograph=False, jit_compile=jit_compile)
        self.train_steps = tf.function(self._train_steps, autograph=False)

    @property
    def variables(self) -> list:
        """All that a later step depends on: weights, moving statistics, dropout's seeds, optimizer, metrics."""
        metrics = self.loss.variables + self.accuracy.variables
        return self.network.variables + self.optimizer.variables + metrics

    def _train_step(self, images, labels):
        weights = self.network.trainable_variables
        with tf.GradientTape() as tape:
            logits = tf.cast(self.forward(images, training=True), tf.float32)
            loss = self.loss_function(labels, logits)
            minimized = self.teacher.mixed_with(loss, images, logits) if self.teacher else loss
        gradients = tape.gradient(minimized, weights)
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

    def _test_step(self, images, labels):
        logits = tf.cast(self.forward(images, training=False), tf.float32)
        self._count(labels, logits, self.loss_function(labels, logits))

    def _count(self, labels, logits, loss):
        self.loss.update_state(loss, sample_weight=tf.shape(labels)[0])
        self.accuracy.update_state(labels, logits)

    def reset_metrics(self) -> None:
        """Begin a new epoch's metrics."""
        self.loss.reset_state()
        self.accuracy.reset_state()

    def metrics(self) -> dict[str, float]:
        """Loss and accuracy since the last reset."""
        # Divided in double precision, so that 4,970 of 5,000 is at a target of 0.994, not a rounding below it.
        return {
            "loss": float(self.loss.result()),
            "accuracy": float(self.accuracy.total) / float(self.accuracy.count),
        }

    @property
    def learning_rate(self) -> float:
        """The rate that the next step will use."""
        return float(self.optimizer.learning_rate)
