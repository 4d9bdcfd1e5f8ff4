"""The runs that figures come from: docs/records/<dataset>/<variant>/<recipe>/seed<k>/, each with its three files.

A folder above these makes a group of its own: docs/records/without-optimizations/<dataset>/...
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from keras_mnist.errors import RunError
from keras_mnist.results.run_folder import RunFolder
from keras_mnist.studies.record_files import (
    REMEDY,
    read_epochs,
    read_json,
    read_run,
    read_test_errors,
    require_train_scores,
)

RECORDS = Path("docs", "records")  # in a checkout
DATASET = "mnist"  # of all that is reported
# The group of the runs whose training losses stand beside those of the optimizations. Only the losses are used: no
# scores on training images and no wrong predictions were kept when they were trained.
WITHOUT_OPTIMIZATIONS = "without-optimizations"
# The group of the runs that the recipe `fast` was chosen from: they stand beside it, and are not ranked.
FAST_CANDIDATES = "fast-candidates"

# The names of recipes in the three protocols: as the sources trained, with every decision on held-out images, and with
# those decisions made, on all images.
AS_DOCUMENTED = "document,validation=test"
TUNED = "tuned"
ON_ALL_IMAGES = "tuned,validation=none"
PROTOCOLS = {"test": "document", "held-out": "held-out", "none": "all-images"}


def without_validation(recipe: str) -> tuple[str, str]:
    """A recipe's name in folders without its validation, and that; "" for the default."""
    name, _, validation = recipe.partition(",validation=")
    return name, validation


@dataclasses.dataclass(frozen=True)
class Record:
    """One run: what its folder says of it, and what its files hold.

    history: one row for each epoch.
    test_errors: one row for each test image that it predicts wrongly.
    """

    folder: Path
    group: str
    dataset: str
    variant: str
    recipe: str
    seed: int
    facts: dict
    history: list[dict]
    test_errors: list[dict]

    @property
    def accuracy(self) -> float:
        """Share of the test images predicted correctly after the last epoch."""
        return self.facts["test_accuracy"]

    @property
    def protocol(self) -> str:
        """By what the run watched: "document" the test images, "held-out" held-out ones, "all-images" none."""
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
        self.runs = [read_record(path.parent, folder) for path in sorted(folder.rglob("run.json"))]

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
        return [read_json(path, "write it anew with keras-mnist compare") for path in paths]

    @functools.cached_property
    def benchmark(self) -> dict:
        """What the benchmark wrote with --json."""
        return read_json(self.folder / "benchmark.json", "write it anew with keras-mnist benchmark --json")

    @functools.cached_property
    def evaluation(self) -> dict:
        """What `evaluate --report` wrote of a trained network of the package."""
        return read_json(self.folder / "evaluation.json", "write it anew with keras-mnist evaluate --report")

    @functools.cached_property
    def pictures(self) -> dict:
        """What tests/pictures/score.py measured."""
        return read_json(self.folder / "pictures.json", "write it anew with tests/pictures/score.py")


def read_record(folder: Path, root: Path) -> Record:
    """The record in a folder, below the one that holds all of them.

    Raises: RunError if one of its files is missing or damaged, or of another run than the folder says.
    """
    home, relative = RunFolder(folder), folder.relative_to(root)
    group, named = "/".join(relative.parts[:-4]), Path(*relative.parts[-4:])
    run, facts = read_run(home.record, folder.parent.name.partition(",")[0])
    if run.folder != named:
        raise RunError(f"{home.record} is of the run {run.folder}, expected {named} as its folder says; {REMEDY}")
    test_errors = []
    if group != WITHOUT_OPTIMIZATIONS:
        require_train_scores(home.record, run, facts)
        test_errors = read_test_errors(home.test_errors, facts)
    history = read_epochs(home.history, run, facts)
    return Record(folder, group, run.dataset, run.variant.name, run.name, run.seed, facts, history, test_errors)
