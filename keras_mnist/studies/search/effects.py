"""What each setting brought in the search: pairs of records that differ in that setting alone."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Iterable

from keras_mnist.recipe import TUNED
from keras_mnist.studies.search.found import Result
from keras_mnist.training.arguments import with_defaults

# A setting that the package knows no longer was switched off where a record lacks it.
OFF = (None, 0, False)
# Settings that say nothing unless another is switched on: which.
NEEDS = {"elastic_sigma": "elastic_alpha", "teacher_share": "teacher", "temperature": "teacher"}


@dataclasses.dataclass(frozen=True)
class Effect:
    """One setting with one value beside another, on one network.

    pairs: for each seed that has both the record before and the one after; the value of the recipe `tuned` comes
        first where one has it, else the smaller one.
    """

    setting: str
    before: object
    after: object
    pairs: tuple[tuple[dict, dict], ...]

    @property
    def network(self) -> dict:
        """A record, for what all of them share."""
        return self.pairs[0][0]

    def mean(self, name: str) -> tuple[float, float]:
        """The means of a figure over the pairs, before and after."""
        return tuple(statistics.fmean(record[name] for record in side) for side in zip(*self.pairs, strict=True))

    @property
    def loss_difference(self) -> float:
        """What the setting did to the held-out loss; below zero where it helped."""
        before, after = self.mean("held_out_loss")
        return after - before


def effects(found: Iterable[Result]) -> list[Effect]:
    """All of them, by setting, what helped most first; networks that diverged have no figures to compare."""
    every, tuned = [], _switched_on(TUNED.flat())
    for two in itertools.combinations([(result, _settings(result.first)) for result in found], 2):
        differing = _differing(*(settings for _, settings in two))
        if len(differing) == 1:
            (name,) = differing
            ordered = sorted(two, key=lambda one: _from_tuned(one[1].get(name), tuned.get(name)))
            (before, old), (after, new) = ordered
            pairs = tuple(_pairs(before, after))
            every += [Effect(name, old.get(name), new.get(name), pairs)] if pairs else []
    return sorted(every, key=lambda effect: (effect.setting, effect.loss_difference))


def _from_tuned(value, tuned) -> tuple:
    """What orders two values: that of the recipe `tuned` first, off before on, then numbers by their size."""
    number = value if isinstance(value, int | float) else 0
    return value != tuned, value is not None, number, str(value)


def _settings(record: dict) -> dict:
    """What is switched on in a configuration; the network counts as a setting."""
    return {"network": record["network"], **_switched_on(with_defaults(record)["recipe"])}


def _switched_on(settings: dict) -> dict:
    return {name: value for name, value in settings.items() if value not in OFF}


def _differing(first: dict, second: dict) -> list[str]:
    """The settings that differ; one that needs another counts only where both have that other switched on."""

    def counts(name: str) -> bool:
        needed = NEEDS.get(name)
        return needed is None or (needed in first and needed in second)

    return [name for name in first | second if first.get(name) != second.get(name) and counts(name)]


def _pairs(before: Result, after: Result):
    after_of = {record["seed"]: record for record in after.records}
    for record in before.records:
        other = after_of.get(record["seed"])
        if other and record["held_out_loss"] is not None and other["held_out_loss"] is not None:
            yield record, other
