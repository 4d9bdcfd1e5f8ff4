"""Callbacks of this package, for `train` and for Keras's `fit`."""

from keras_mnist.training.callbacks import AccuracyTarget, ReduceOnPlateau

__all__ = ["AccuracyTarget", "ReduceOnPlateau"]
