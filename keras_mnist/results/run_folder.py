"""The folder of one run: who may write to it, and the files that it keeps."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import filelock

from keras_mnist.errors import START_OVER, RunError, UsageError
from keras_mnist.models.trained import teaching
from keras_mnist.utils.files import claim, remove_drafts, whole_file, write_whole
from keras_mnist.utils.lazy import keras


class RunFolder:
    """The files of a run; each appears whole or not at all, and run.json as the last one: with it the run is done."""

    def __init__(self, path: Path):
        self.path = path
        self.record, self.state, self.history = path / "run.json", path / "state.bin", path / "history.csv"
        self.model, self.summary, self.curves = path / "model.keras", path / "summary.txt", path / "curves.png"
        self.test_errors, self.output = path / "test_errors.csv", path / "output.txt"
        self.failure = path / "failure.txt"

    def __str__(self):
        return str(self.path)

    @property
    def _files(self) -> tuple[Path, ...]:
        return self.record, self.state, self.history, self.test_errors, self.model, self.summary, self.curves

    @contextlib.contextmanager
    def owned(self) -> Iterator[None]:
        """Make the folder and keep other processes out of it inside the block.

        Raises: UsageError if it cannot be written or the run is already going on.
        """
        lock = self._lock(".lock")
        if lock is None:
            raise UsageError(f"{self} is in use by another run; wait for it, or choose another `seed` or `runs`")
        try:
            remove_drafts(self.path)
            yield
        finally:
            lock.release()

    def claim(self) -> filelock.FileLock | None:
        """Keep other studies from training this run until the lock is released; None where one of them trains it.

        Raises: UsageError if the folder cannot be written.
        """
        return self._lock(".study.lock")

    @property
    def in_use(self) -> bool:
        """Whether a run is going on in it."""
        lock = self._lock(".lock")
        if lock:
            lock.release()
        return lock is None

    def _lock(self, name: str) -> filelock.FileLock | None:
        try:
            return claim(self.path / name)
        except OSError as error:
            raise UsageError(
                f"cannot write to {error.filename or self} ({error.strerror}); choose another `runs`"
            ) from None

    def clear(self) -> None:
        """Remove what an earlier run has left."""
        for path in self._files:
            path.unlink(missing_ok=True)

    @property
    def finished(self) -> bool:
        """Whether it holds a run that ended."""
        return self.record.exists()

    def facts(self) -> dict:
        """What run.json holds.

        Raises: RunError if it is no record of a run.
        """
        try:
            record = json.loads(self.record.read_text())
            if not {"variant", "dataset", "seed", "recipe", "test_accuracy"} <= record.keys():
                raise ValueError
        except (ValueError, AttributeError) as error:
            raise RunError(f"{self.record} is no record of a run; {START_OVER}") from error
        return record

    def read_record(self) -> dict:
        """The record of a finished run.

        Raises: RunError if it is none, or if a file that a finished run keeps is missing.
        """
        record = self.facts()
        for path in (self.history, self.model):
            if not path.is_file():
                raise RunError(f"{path} is missing from a finished run; {START_OVER}")
        return record

    def write_history(self, history: list[dict]) -> None:
        """Keep one row for each epoch."""
        write_whole(self.history, _csv(list(history[0]), history))

    def keep(
        self, model: keras.Model, record: dict, history: list[dict], test_errors: list[dict], title: str, watched: str
    ) -> None:
        """Write everything that a finished run gave, and remove its state.

        Args:
            test_errors: as `evaluation.misclassified` gives them.
            title, watched: words for the curves: of the run, and of the images that val_* figures are of.
        """
        # Here, so that whoever only looks at runs imports neither matplotlib nor Keras.
        from keras_mnist.results import plots
        from keras_mnist.results.tables import summary_text

        self.write_history(history)
        write_whole(self.test_errors, _csv(["index", "label", "prediction", "probability"], test_errors))
        with whole_file(self.model) as draft:
            model.save(draft)
        write_whole(self.summary, summary_text(model))
        plots.curves(history, title, watched, self.curves)
        write_whole(self.record, json.dumps(record, indent=2) + "\n")
        self.state.unlink(missing_ok=True)


def _csv(columns: list[str], rows: list[dict]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_history(path: Path) -> list[dict]:
    """The rows of a history.csv."""
    with path.open(newline="") as file:
        return [{k: int(v) if k == "epoch" else float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def teacher_of(facts: dict) -> str | None:
    """Whose answers a run learned, by its run.json; None for a run without a teacher."""
    recipe = facts.get("recipe")
    return teaching(recipe.get("teacher"), facts["dataset"]) if isinstance(recipe, dict) else None
