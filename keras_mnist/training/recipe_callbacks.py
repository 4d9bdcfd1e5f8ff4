"""The callbacks that a recipe asks for: each is one function from the recipe to a Keras callback, or to None."""

from __future__ import annotations

from keras_mnist.recipe import Recipe
from keras_mnist.settings import Setting, add_settings
from keras_mnist.utils.registry import Registry

CALLBACKS = Registry("callback")


def recipe_callback(**settings: Setting):
    """Register the decorated function of (recipe, prefix), with settings of its own if it has any.

    `prefix` is what the names of monitored metrics begin with: "val_", or nothing where no images are held out.
    """

    def register(function):
        add_settings("target", settings)
        CALLBACKS[function.__name__] = function
        return function

    return register


def recipe_callbacks(recipe: Recipe, prefix: str) -> list:
    """All callbacks that a recipe asks for."""
    made = [function(recipe, prefix) for function in CALLBACKS.values()]
    return [callback for callback in made if callback is not None]


@recipe_callback()
def reduction_on_plateau(recipe, prefix):
    """Reduce the learning rate when the loss stops falling."""
    from keras_mnist.training.callbacks import ReduceOnPlateau

    schedule = recipe.schedule
    if schedule.schedule == "plateau":
        return ReduceOnPlateau(
            f"{prefix}loss", schedule.reduction_factor, schedule.patience, min_delta=schedule.min_delta, mode="min"
        )


@recipe_callback()
def accuracy_target(recipe, prefix):
    """Stop at an accuracy."""
    from keras_mnist.training.callbacks import AccuracyTarget

    target = recipe.target
    if target.target_accuracy is not None:
        return AccuracyTarget(target.target_accuracy, target.target_epochs, f"{prefix}accuracy")
