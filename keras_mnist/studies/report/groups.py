"""Runs of one network with one recipe, and what they say together."""

from __future__ import annotations

import operator
from collections.abc import Callable

from keras_mnist.models.registry import get_variant
from keras_mnist.studies.records import AS_DOCUMENTED, TUNED, Record, Records
from keras_mnist.studies.statistics import Summary, paired_differences, summarize

TEN = 10  # seeds, from which on a mean is quoted and ranked
# A drawing for each protocol, and the recipe of the runs in it.
DRAWN = (("Document protocol", AS_DOCUMENTED), ("Held-out protocol, `tuned`", TUNED))


def test_accuracy(runs: list[Record]) -> Summary:
    """After the last epoch."""
    return summarize([run.accuracy for run in runs], runs[0].facts["test_images"])


def gap(runs: list[Record]) -> Summary:
    """How much better the images that were trained on are predicted."""
    return summarize([run.facts["train_accuracy"] - run.accuracy for run in runs])


def between(
    before: list[Record], after: list[Record], accuracy: Callable[[Record], float] = operator.attrgetter("accuracy")
) -> Summary | None:
    """The differences of an accuracy, by default the test accuracy after the last epoch, seed by seed."""
    return paired_differences(*({run.seed: accuracy(run) for run in runs} for runs in (before, after)))


def commits(runs: list[Record]) -> str:
    """The commits that the runs were trained at, shortened."""
    return " ".join(sorted({(run.facts["source_commit"] or "unknown")[:8] for run in runs}))


def in_protocol(records: Records, protocol: str) -> dict[tuple[str, str], list[Record]]:
    """The runs of named recipes in a protocol by variant and recipe, study by study."""
    found = {key: runs for key, runs in records.by_recipe().items() if runs[0].named and runs[0].protocol == protocol}
    return {key: found[key] for key in sorted(found, key=lambda key: (get_variant(key[0]).study, key))}
