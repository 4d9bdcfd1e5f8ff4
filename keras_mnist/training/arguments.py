"""What a run is asked for in plain values: they name its folder, and tell it from every other run."""

from __future__ import annotations

import numbers
from pathlib import Path

from keras_mnist.errors import START_OVER, RunError, UsageError
from keras_mnist.models.registry import Variant
from keras_mnist.recipe import RECIPES, Recipe

VALIDATIONS = ("held-out", "test", "none")


class RunArguments:
    """Base of whatever has these five; it needs no data and no TensorFlow."""

    variant: Variant
    recipe: Recipe
    dataset: str
    validation: str
    seed: int

    def __post_init__(self):
        if self.validation not in VALIDATIONS:
            raise UsageError(f"`validation` is {self.validation!r}, expected one of {', '.join(VALIDATIONS)}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, numbers.Integral) or not 0 <= self.seed < 2**32:
            raise UsageError(f"`seed` is {self.seed!r}, expected a whole number from 0 to {2**32 - 1}")
        object.__setattr__(self, "seed", int(self.seed))  # NumPy's do not seed Python, and do not go into JSON

    def arguments(self) -> dict:
        """The five in plain values, as run.json keeps them."""
        return {
            "variant": self.variant.name,
            "dataset": self.dataset,
            "seed": self.seed,
            "validation": self.validation,
            "recipe": self.recipe.flat(),
        }

    @property
    def folder(self) -> Path:
        """Where such a run is kept: no two that differ share one."""
        return Path(self.dataset, self.variant.name, self.name, f"seed{self.seed}")

    @property
    def name(self) -> str:
        """The recipe's name, the settings that differ from it, and the validation if it is not the default."""
        borrowed = self.recipe.name == "document" and self.variant.document is None
        base = self.variant.recipe(self.recipe.name) if self.recipe.name in RECIPES and not borrowed else Recipe()
        validation = [f"validation={self.validation}"] if self.validation != "held-out" else []
        return ",".join([self.recipe.name, *self.recipe.differences(base), *validation])

    def require_same(self, found: dict, path: Path) -> None:
        """Raise RunError that names the arguments in which a record or state differs from these."""
        ours, theirs = self.arguments(), with_defaults(found)
        ours, theirs = ({**facts, **facts["recipe"], "recipe": None} for facts in (ours, theirs))
        differing = [
            f"{name} {theirs.get(name)!r} is now {ours[name]!r}" for name in ours if ours[name] != theirs.get(name)
        ]
        if differing:
            raise RunError(f"{path} is of another run: {', '.join(differing)}; {START_OVER}")


def with_defaults(found: dict) -> dict:
    """A record or state in which settings of the recipe that it lacks, being older, have their defaults."""
    return {**found, "recipe": Recipe().flat() | found["recipe"]}
