"""What decides a run's outcome: network, recipe, data, what is held out, and the seed."""

from __future__ import annotations

import dataclasses
import functools

from keras_mnist.data.digit_set import DigitSet
from keras_mnist.data.pipeline import steps_per_epoch
from keras_mnist.errors import UsageError
from keras_mnist.models import trained
from keras_mnist.models.registry import Variant
from keras_mnist.recipe import Recipe
from keras_mnist.training.arguments import RunArguments
from keras_mnist.training.device import SHARDS
from keras_mnist.training.teacher import require_trained

WATCHED = {"held-out": "held-out training images", "test": "test images", "none": "training images"}


@dataclasses.dataclass(frozen=True)
class Plan(RunArguments):
    """What decides a run's outcome, up to the last bits."""

    variant: Variant
    recipe: Recipe
    digits: DigitSet
    validation: str
    seed: int

    def __post_init__(self):
        super().__post_init__()
        require_trained(self.recipe)
        if self.recipe.batch_size > self.train_images:
            raise UsageError(
                f"`batch_size` is {self.recipe.batch_size}, expected at most the {self.train_images} training images "
                f"of {self.digits.name}"
            )

    @property
    def teacher(self) -> str | None:
        """The recipe's teacher; None where it does not know the digits."""
        return trained.teaching(self.recipe.teacher, self.dataset)

    def arguments(self) -> dict:
        """Those that every run has, and which weights its teacher has."""
        return super().arguments() | self._teacher_weights

    @functools.cached_property  # the state of each epoch is saved with it
    def _teacher_weights(self) -> dict:
        return {"teacher_sha256": trained.facts(self.teacher)["sha256"]} if self.teacher else {}

    @property
    def dataset(self) -> str:
        """The data set's name."""
        return self.digits.name

    @property
    def train_images(self) -> int:
        """Images trained on."""
        held_out = self.digits.held_out_count if self.validation == "held-out" else 0
        return len(self.digits.train_labels) - held_out

    @property
    def steps(self) -> int:
        """Steps per epoch."""
        return steps_per_epoch(self.train_images, self.recipe.batch_size, self.digits.passes_per_epoch)

    @property
    def smallest_batch(self) -> int:
        """Images of the smallest batch: the last one of an epoch, unless it is full."""
        return self.train_images * self.digits.passes_per_epoch % self.recipe.batch_size or self.recipe.batch_size

    @property
    def monitor_prefix(self) -> str:
        """What the names of the monitored metrics begin with."""
        return "" if self.validation == "none" else "val_"

    def optimizations(self, of_device: tuple[str, ...], can_be_fused: bool) -> tuple[str, ...]:
        """Those of a device's optimizations that this plan can use, with a network that can or cannot be fused."""
        unusable = set()
        if not can_be_fused or self.recipe.dtype_policy != "float32":  # our operations compute in float32
            unusable |= {"fused_layers", "shards"}
        if self.smallest_batch < SHARDS:
            unusable |= {"shards"}  # TensorFlow's convolutions do not take empty shards
        return tuple(name for name in of_device if name not in unusable)

    def divide(self) -> tuple[tuple, tuple | None]:
        """(images, labels) to train on, and those to watch or None."""
        digits = self.digits
        if self.validation == "held-out":
            return digits.kept, digits.held_out
        watched = (digits.test_images, digits.test_labels) if self.validation == "test" else None
        return (digits.train_images, digits.train_labels), watched
