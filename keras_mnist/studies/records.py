"""The runs that figures come from: docs/records/<dataset>/<variant>/<recipe>/seed<k>/ with run.json and history.csv.

A folder above these makes a group of its own: docs/records/without-optimizations/<dataset>/...
"""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path

from keras_mnist.errors import RunError
from keras_mnist.results.run_folder import read_history


@dataclasses.dataclass(frozen=True)
class Record:
    """One run: what its folder says of it, and what its run.json holds."""

    folder: Path
    group: str
    dataset: str
    variant: str
    recipe: str
    seed: int
    facts: dict

    @property
    def accuracy(self) -> float:
        """Share of the test images predicted correctly."""
        return self.facts["test_accuracy"]

    @functools.cached_property
    def history(self) -> list[dict]:
        """One row for each epoch."""
        return read_history(self.folder / "history.csv")

    @property
    def base(self) -> str:
        """The named recipe that it began with."""
        return self.recipe.partition(",")[0]

    @property
    def changes(self) -> dict[str, str]:
        """What differs from that recipe, as the folder's name gives it."""
        return dict(part.partition("=")[::2] for part in self.recipe.split(",")[1:])


class Records:
    """All records below a folder, sorted by their paths."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.runs = [_read(path, folder) for path in sorted(folder.rglob("run.json"))]

    def by_recipe(self, group: str = "") -> dict[tuple[str, str], list[Record]]:
        """The runs of a group by variant and recipe, each list by seed."""
        found: dict[tuple[str, str], list[Record]] = {}
        for run in sorted((run for run in self.runs if run.group == group), key=lambda run: run.seed):
            found.setdefault((run.variant, run.recipe), []).append(run)
        return found

    @functools.cached_property
    def benchmark(self) -> dict:
        """What the benchmark wrote with --json."""
        return json.loads((self.folder / "benchmark.json").read_text())


def _read(path: Path, folder: Path) -> Record:
    """One record.

    Raises: RunError if it does not lie where records are kept, or cannot be read.
    """
    try:
        *group, dataset, variant, recipe, seed, _ = path.relative_to(folder).parts
        number = int(seed.removeprefix("seed"))
        return Record(path.parent, "/".join(group), dataset, variant, recipe, number, json.loads(path.read_text()))
    except ValueError as error:
        raise RunError(
            f"{path} is no record, expected a run.json in <dataset>/<variant>/<recipe>/seed<k>/ ({error})"
        ) from error
