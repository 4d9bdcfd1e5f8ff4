"""What the search has on record: one result for each configuration, over its seeds."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

from keras_mnist.studies.record_files import read_json
from keras_mnist.studies.statistics import Summary, summarize


@dataclasses.dataclass(frozen=True)
class Result:
    """The records of one configuration, one for each seed."""

    records: tuple[dict, ...]

    @property
    def first(self) -> dict:
        """One of them, for what they share."""
        return self.records[0]

    @property
    def diverged(self) -> int:
        """How many gave no network."""
        return sum(record["held_out_loss"] is None for record in self.records)

    @property
    def loss(self) -> Summary | None:
        """The held-out losses after the last epoch; None where all diverged."""
        return self._summary("held_out_loss")

    @property
    def accuracy(self) -> Summary | None:
        """The held-out accuracies after the last epoch; None where all diverged."""
        return self._summary("held_out_accuracy")

    @property
    def seconds(self) -> float:
        """The mean time of a training."""
        return sum(record["seconds"] for record in self.records) / len(self.records)

    def _summary(self, name: str) -> Summary | None:
        values = [record[name] for record in self.records if record[name] is not None]
        return summarize(values) if values else None


def results(folder: Path, dataset: str) -> list[Result]:
    """All configurations on record for a data set, the lowest mean held-out loss first, diverged ones last.

    Raises: RunError if a record is damaged.
    """
    found: dict[tuple, dict[int, dict]] = {}  # by seed, so that one which is there twice counts once
    for path in sorted(folder.glob("*/seed*.json")):
        record = read_json(path, "remove it, and search again")
        if record.get("dataset") == dataset:
            found.setdefault((record["network"], record["settings"]), {})[record["seed"]] = record
    every = [Result(tuple(records.values())) for records in found.values()]
    return sorted(every, key=lambda result: (result.diverged, result.loss.mean if result.loss else math.inf))
