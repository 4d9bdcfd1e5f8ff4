"""One run of a study, before it has any data."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from keras_mnist.models.registry import Variant
from keras_mnist.recipe import Recipe
from keras_mnist.training.arguments import RunArguments
from keras_mnist.utils.words import flags_of


@dataclasses.dataclass(frozen=True)
class Run(RunArguments):
    """What it is asked for."""

    variant: Variant
    recipe: Recipe
    dataset: str
    validation: str
    seed: int

    def __str__(self):
        return f"{self.variant.name} seed {self.seed}"

    def train_arguments(self, runs: Path) -> list[str]:
        """The arguments of `keras-mnist` that train it into a folder of runs."""
        flags = {"variant": self.variant.name, "recipe": self.recipe.name, "validation": self.validation}
        flags |= {"seed": self.seed, "dataset": self.dataset, "device": "cpu", "runs": runs}
        return ["train", *flags_of(flags), "--no-export"]
