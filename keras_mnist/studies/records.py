"""The runs that figures come from: docs/records/<dataset>/<variant>/<recipe>/seed<k>/ with run.json and history.csv.

A folder above these makes a group of its own: docs/records/without-optimizations/<dataset>/...
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import json
from pathlib import Path

from keras_mnist.errors import RunError
from keras_mnist.results.run_folder import read_history

RECORDS = Path("docs", "records")  # in a checkout
DATASET = "mnist"  # of all that is reported

# The names of recipes in the two protocols: as the sources trained, and with every decision on held-out images.
AS_DOCUMENTED = "document,validation=test"
TUNED = "tuned"
PROTOCOLS = {"test": "document", "held-out": "held-out", "none": "none"}


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
        """Share of the test images predicted correctly after the last epoch."""
        return self.facts["test_accuracy"]

    @property
    def protocol(self) -> str:
        """What the run watched: "document" for the test images, "held-out" for held-out training images."""
        return PROTOCOLS[self.facts["validation"]]

    @property
    def watched(self) -> list[float]:
        """The accuracy on the watched images after each epoch."""
        return [row["val_accuracy"] for row in self.history]

    @property
    def best_accuracy(self) -> float:
        """That of the best epoch on the test images, for a run that watched those."""
        images = self.facts["test_images"]
        return round(max(self.watched) * images) / images  # Keras counts in single precision

    @functools.cached_property
    def history(self) -> list[dict]:
        """One row for each epoch."""
        return read_history(self.folder / "history.csv")

    @functools.cached_property
    def test_errors(self) -> list[dict[str, str]] | None:
        """One row for each test image that it predicts wrongly; None where the run did not keep them."""
        path = self.folder / "test_errors.csv"
        if not path.is_file():
            return None
        with path.open(newline="") as file:
            return list(csv.DictReader(file))

    @property
    def base(self) -> str:
        """The named recipe that it began with."""
        return self.recipe.partition(",")[0]

    @property
    def changes(self) -> dict[str, str]:
        """What differs from that recipe, as the folder's name gives it."""
        return dict(part.partition("=")[::2] for part in self.recipe.split(",")[1:])

    @property
    def named(self) -> bool:
        """Whether its recipe is a named one, unchanged."""
        return self.changes.keys() <= {"validation"}


class Records:
    """All records below a folder, sorted by their paths."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.runs = [_read(path, folder) for path in sorted(folder.rglob("run.json"))]

    def by_recipe(self, group: str = "") -> dict[tuple[str, str], list[Record]]:
        """The runs on MNIST of a group by variant and recipe, each list by seed."""
        found: dict[tuple[str, str], list[Record]] = {}
        for run in sorted(self.runs, key=lambda run: (run.variant, run.recipe, run.seed)):
            if (run.group, run.dataset) == (group, DATASET):
                found.setdefault((run.variant, run.recipe), []).append(run)
        return found

    def of(self, recipe: str) -> dict[str, list[Record]]:
        """The runs of a recipe by variant."""
        return {variant: runs for (variant, name), runs in self.by_recipe().items() if name == recipe}

    def in_pytorch(self, variant: str) -> list[dict]:
        """What `compare` wrote of a variant: its document's recipe on MNIST, one record for each seed."""
        paths = sorted(self.folder.glob(f"pytorch/{DATASET}/{variant}/seed*.json"))
        return [json.loads(path.read_text()) for path in paths]

    @functools.cached_property
    def benchmark(self) -> dict:
        """What the benchmark wrote with --json."""
        return json.loads((self.folder / "benchmark.json").read_text())

    @functools.cached_property
    def evaluation(self) -> dict:
        """What `evaluate --report` wrote of a trained network of the package."""
        return json.loads((self.folder / "evaluation.json").read_text())

    @functools.cached_property
    def pictures(self) -> dict:
        """What tests/pictures/score.py measured."""
        return json.loads((self.folder / "pictures.json").read_text())


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
