"""What each setting brought in the search: pairs of records that differ in that setting alone."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Iterable

from keras_mnist.recipe import TUNED, Recipe
from keras_mnist.studies.search.found import Result

# A setting that the package knows no longer was switched off where a record lacks it.
OFF = (None, 0, False)


@dataclasses.dataclass(frozen=True)
class Effect:
    """One setting with one value beside another, on one network.

    pairs: for each seed that has both the record before and the one after, the value of the recipe `tuned` first.
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
    every = []
    for first, second in itertools.combinations(found, 2):
        differing = _differing(first.first, second.first)
        if len(differing) == 1:
            (setting,) = differing
            before, after = sorted((first, second), key=lambda result: _order(result, setting))
            pairs = tuple(_pairs(before, after))
            if pairs:
                values = (_value(result.first, setting) for result in (before, after))
                every.append(Effect(setting, *values, pairs))
    return sorted(every, key=lambda effect: (effect.setting, effect.loss_difference))


def _differing(first: dict, second: dict) -> list[str]:
    """The settings that differ; the network counts as one."""
    names = ("network", *(Recipe().flat() | first["recipe"] | second["recipe"]))
    return [name for name in names if _value(first, name) != _value(second, name)]


def _value(record: dict, name: str):
    value = record["network"] if name == "network" else (Recipe().flat() | record["recipe"]).get(name)
    return None if value in OFF else value


def _order(result: Result, setting: str) -> tuple:
    value = _value(result.first, setting)
    return value != (TUNED.flat().get(setting) or None), str(value)


def _pairs(before: Result, after: Result):
    after_of = {record["seed"]: record for record in after.records}
    for record in before.records:
        other = after_of.get(record["seed"])
        if other and record["held_out_loss"] is not None and other["held_out_loss"] is not None:
            yield record, other
