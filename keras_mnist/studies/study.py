"""A study: variants x seeds with one recipe and one validation, each an ordinary run in its own folder."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Container
from pathlib import Path

from keras_mnist.errors import RunError, UsageError
from keras_mnist.models.registry import get_variant, list_variants
from keras_mnist.results.run_folder import RunFolder, read_history
from keras_mnist.studies.records import Record, read_record
from keras_mnist.studies.run import Run
from keras_mnist.utils.files import whole_file, write_whole

FINISHED, INTERRUPTED, FAILED, MISSING = "finished", "interrupted", "failed", "missing"


@dataclasses.dataclass(frozen=True)
class Study:
    """All its runs, and where they are kept.

    folder: of all runs, as `train` takes it.
    records: folder of the records of finished runs without their weights; None for none. A run that has a record there
        counts as finished.
    """

    runs: tuple[Run, ...]
    folder: Path
    records: Path | None = None

    def home(self, run: Run) -> RunFolder:
        """The folder of a run."""
        return RunFolder(self.folder / run.folder)

    def status(self, run: Run) -> str:
        """How far a run is: finished, failed, interrupted or missing."""
        home = self.home(run)
        if self.record(run):
            return FINISHED
        if home.failure.exists():
            return FAILED
        return INTERRUPTED if home.state.exists() else MISSING

    def unfinished(self) -> list[Run]:
        """The runs that are still to be trained or continued."""
        return [run for run in self.runs if self.status(run) != FINISHED]

    def record(self, run: Run) -> Record | None:
        """What a finished run gave, from its folder or else from the records.

        Raises: see `read_record`.
        """
        for root in (self.folder, self.records):
            if root and RunFolder(root / run.folder).finished:
                return read_record(root / run.folder, root)
        return None

    def history(self, run: Run) -> list[dict]:
        """The epochs that a run in the folder has ended so far."""
        path = self.home(run).history
        return read_history(path) if path.exists() else []

    def note_failure(self, run: Run, why: str) -> None:
        """Keep why a run failed in its folder, until it is started again."""
        write_whole(self.home(run).failure, f"{why}\n")

    def keep_record(self, run: Run) -> None:
        """Copy what a finished run says of itself to the records, run.json as the last file.

        Raises: RunError if the copy cannot be written.
        """
        if self.records is None:
            return
        home, copy = self.home(run), RunFolder(self.records / run.folder)
        try:
            for name in ("history", "test_errors", "record"):
                with whole_file(getattr(copy, name)) as draft:
                    shutil.copyfile(getattr(home, name), draft)
        except OSError as error:
            raise RunError(f"cannot write to {copy} ({error.strerror}); choose another `records`") from error

    def keep_records(self, but: Container[Run] = ()) -> None:
        """The same for every finished run in the folder that has no record yet, but some."""
        for run in self.runs if self.records else ():
            if run not in but and self.home(run).finished and not RunFolder(self.records / run.folder).finished:
                self.keep_record(run)

    @property
    def title(self) -> str:
        """The data set and how accuracies came about; those of different protocols never stand in one table."""
        first = self.runs[0]
        if (first.recipe.name, first.validation) == ("document", "test"):
            return f"{first.dataset}, document protocol"
        return f"{first.dataset}, {first.recipe.name} recipe, validation {first.validation}"


def plan_study(
    variants: str,
    *,
    recipe: str,
    validation: str,
    seeds: int,
    dataset: str,
    folder: Path,
    records: Path | None = None,
) -> Study:
    """A study of these variants with seeds from 0 on, each seed of every variant before the next.

    Args:
        variants: names with commas between them, or "all": those that have the recipe.
        recipe: "tuned", "fast" or "document".
        dataset: "mnist" or "digits".

    Raises: UsageError for an unknown name or a number out of range.
    """
    if not 1 <= seeds <= 1000:
        raise UsageError(f"`seeds` is {seeds}, expected at least 1 and at most 1000")
    names = list_variants() if variants == "all" else dict.fromkeys(variants.split(","))
    chosen = [get_variant(name) for name in names]
    if variants == "all" and recipe == "document":
        chosen = [variant for variant in chosen if variant.document]
    runs = [
        Run(variant, variant.recipe(recipe), dataset, validation, seed) for seed in range(seeds) for variant in chosen
    ]
    return Study(tuple(runs), folder, records)
