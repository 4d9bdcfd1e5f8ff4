"""What decides a run's outcome: network, recipe, data, what is held out, and the seed."""

from __future__ import annotations

import dataclasses

from keras_mnist.data.pipeline import steps_per_epoch
from keras_mnist.data.sources import DigitSet, stratified_split
from keras_mnist.errors import UsageError
from keras_mnist.models.registry import Variant
from keras_mnist.recipe import Recipe

VALIDATIONS = ("held-out", "test", "none")
WATCHED = {"held-out": "held-out training images", "test": "test images", "none": "training images"}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What decides a run's outcome, up to the last bits."""

    variant: Variant
    recipe: Recipe
    digits: DigitSet
    validation: str
    seed: int

    def __post_init__(self):
        if self.validation not in VALIDATIONS:
            raise UsageError(
                f"validation is {self.validation!r}, expected one of {', '.join(VALIDATIONS)}; see --validation"
            )
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"seed is {self.seed}, expected 0 to {2**32 - 1}; see --seed")
        if self.recipe.batch_size > self.train_images:
            raise UsageError(
                f"batch_size is {self.recipe.batch_size}, expected at most the {self.train_images} training images "
                f"of {self.digits.name}; see --batch-size"
            )

    @property
    def train_images(self) -> int:
        """Images trained on."""
        held_out = self.digits.held_out if self.validation == "held-out" else 0
        return len(self.digits.train_labels) - held_out

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        return steps_per_epoch(self.train_images, self.recipe.batch_size, self.digits.passes_per_epoch)

    @property
    def smallest_batch(self) -> int:
        """Images of the smallest batch: the last one of an epoch, unless it is full."""
        return self.train_images * self.digits.passes_per_epoch % self.recipe.batch_size or self.recipe.batch_size

    def arguments(self) -> dict:
        """The same in plain values, as run.json keeps it."""
        return {
            "variant": self.variant.name,
            "dataset": self.digits.name,
            "seed": self.seed,
            "validation": self.validation,
            "recipe": self.recipe.flat(),
        }

    def divide(self) -> tuple[tuple, tuple | None]:
        """(images, labels) to train on, and those to watch or None."""
        digits = self.digits
        everything = digits.train_images, digits.train_labels
        if self.validation == "none":
            return everything, None
        if self.validation == "test":
            return everything, (digits.test_images, digits.test_labels)
        kept, held_out = stratified_split(digits.train_labels, digits.held_out)
        return tuple(part[kept] for part in everything), tuple(part[held_out] for part in everything)
