"""What decides a run's outcome: network, recipe, data, what is held out, and the seed."""

from __future__ import annotations

import dataclasses
import numbers
from pathlib import Path

from keras_mnist.data.pipeline import steps_per_epoch
from keras_mnist.data.sources import DigitSet
from keras_mnist.errors import RunError, UsageError
from keras_mnist.models.registry import Variant
from keras_mnist.recipe import RECIPES, Recipe
from keras_mnist.training.device import SHARDS

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
            raise UsageError(f"`validation` is {self.validation!r}, expected one of {', '.join(VALIDATIONS)}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, numbers.Integral) or not 0 <= self.seed < 2**32:
            raise UsageError(f"`seed` is {self.seed!r}, expected a whole number from 0 to {2**32 - 1}")
        if self.recipe.batch_size > self.train_images:
            raise UsageError(
                f"`batch_size` is {self.recipe.batch_size}, expected at most the {self.train_images} training images "
                f"of {self.digits.name}"
            )

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

    def arguments(self) -> dict:
        """The same in plain values, as run.json keeps it."""
        return {
            "variant": self.variant.name,
            "dataset": self.digits.name,
            "seed": int(self.seed),
            "validation": self.validation,
            "recipe": self.recipe.flat(),
        }

    @property
    def folder(self) -> Path:
        """Where a run of this plan is kept: no two plans share one."""
        return Path(self.digits.name, self.variant.name, self.name, f"seed{self.seed}")

    @property
    def name(self) -> str:
        """The recipe's name, the settings that differ from it, and the validation if it is not the default."""
        borrowed = self.recipe.name == "document" and self.variant.document is None
        base = self.variant.recipe(self.recipe.name) if self.recipe.name in RECIPES and not borrowed else Recipe()
        validation = [f"validation={self.validation}"] if self.validation != "held-out" else []
        return ",".join([self.recipe.name, *self.recipe.differences(base), *validation])

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

    def require_same(self, found: dict, path: Path) -> None:
        """Raise RunError that names the arguments in which a record or state differs from this plan.

        Settings that an older one lacks have their defaults.
        """
        ours, theirs = self.arguments(), {**found, "recipe": Recipe().flat() | found["recipe"]}
        ours, theirs = ({**facts, **facts["recipe"], "recipe": None} for facts in (ours, theirs))
        differing = [
            f"{name} {theirs.get(name)!r} is now {ours[name]!r}" for name in ours if ours[name] != theirs.get(name)
        ]
        if differing:
            raise RunError(f"{path} is of another run: {', '.join(differing)}; pass `overwrite` to start over")

    def divide(self) -> tuple[tuple, tuple | None]:
        """(images, labels) to train on, and those to watch or None."""
        digits = self.digits
        if self.validation == "held-out":
            return digits.kept, digits.held_out
        watched = (digits.test_images, digits.test_labels) if self.validation == "test" else None
        return (digits.train_images, digits.train_labels), watched
