"""What each step of a study brought, as differences between runs of the same seed."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable

from keras_mnist.studies.records import AS_DOCUMENTED, DATASET, TUNED, Record, Records, without_validation
from keras_mnist.studies.report.groups import between
from keras_mnist.studies.report.registry import Part, Picture, section
from keras_mnist.studies.report.step_drawing import REACH, Row, step_drawing
from keras_mnist.studies.report.steps import (
    ACCURACY_TARGET,
    DOCUMENT_RECIPE_STEPS,
    HELD_OUT_RECIPE_STEPS,
    STEPS,
    TOPICS,
    RecipeStep,
)
from keras_mnist.studies.report.words import difference_interval, paragraph, signed, table
from keras_mnist.studies.statistics import Summary


@dataclasses.dataclass(frozen=True)
class Found:
    """A step with what it brought."""

    topic: str
    before: str
    after: str
    changes: tuple[str, ...]
    differences: Summary


def steps_with(records: Records, recipe: str) -> list[Found]:
    """The steps between networks that were trained with a recipe, where both are recorded for a seed."""
    runs = records.of(recipe)
    found = []
    for step in STEPS:
        changes = step.network + step.recipe * (recipe == AS_DOCUMENTED)
        before, after = runs.get(step.before, []), runs.get(step.after, [])
        if changes and (differences := between(before, after)):
            found.append(Found(step.topic, step.before, step.after, _acting(changes, after), differences))
    return found


def recipe_steps(records: Records, steps: Iterable[RecipeStep]) -> list[Found]:
    """The steps between recipes of the same layers, where both are recorded for a seed."""
    runs = records.by_recipe()
    found = []
    for step in steps:
        before, after = runs.get(step.before, []), runs.get(step.after, [])
        if differences := between(before, after):
            sides = map(_side, (step.before, step.after))
            found.append(Found(step.topic, *sides, _acting(step.changes, after), differences))
    return found


def _side(side: tuple[str, str]) -> str:
    variant, recipe = side
    return f"{variant} {without_validation(recipe)[0]}"


def _acting(changes: tuple[str, ...], after: list[Record]) -> tuple[str, ...]:
    """The changes without an accuracy target that ended no run."""
    ended = any(run.facts["epochs_run"] < run.facts["recipe"]["epochs"] for run in after)
    return tuple(change for change in changes if ended or change != ACCURACY_TARGET)


def _by_topic(found: list[Found]) -> list[tuple[str, list[Found]]]:
    ordered = sorted(found, key=lambda step: TOPICS.index(step.topic))
    return [(topic, list(steps)) for topic, steps in itertools.groupby(ordered, key=lambda step: step.topic)]


def _rows(found: list[Found]):
    for topic, steps in _by_topic(found):
        yield f"**{topic.capitalize()}**", "", "", "", ""
        for step in steps:
            several = f"{len(step.changes)} at once: " if len(step.changes) > 1 else ""
            differences = step.differences
            clear = " *" if differences.interval and not differences.covers(0) else ""
            row = several + "; ".join(step.changes), signed(differences.mean), difference_interval(differences) + clear
            yield *row, differences.n, f"`{step.before}` → `{step.after}`"


def _table(found: list[Found]) -> str:
    return table(["what changes", ">difference", ">95 % interval", ">n", "from → to"], _rows(found))


def _drawing(found: list[Found]) -> str:
    rows = {
        topic: [Row(step.changes, f"{step.before} → {step.after}", step.differences) for step in steps]
        for topic, steps in _by_topic(found)
    }
    return step_drawing(rows)


@section("What each step brought")
def steps(records: Records) -> list[Part]:
    """Differences between neighbours of a study by topic, one drawing and one table for each protocol."""
    documented = steps_with(records, AS_DOCUMENTED) + recipe_steps(records, DOCUMENT_RECIPE_STEPS)
    groups = (
        ("Document protocol: each network with its own document's recipe.", documented),
        ("Held-out protocol, all with `tuned`: the networks alone differ.", steps_with(records, TUNED)),
    )
    parts: list[Part] = [
        paragraph(
            f"Mean differences of test accuracies on {DATASET} after the last epoch, in percentage points, between "
            "runs of the same seed; n pairs; Student's t interval over them. An interval without 0 has a star; of "
            "twenty steps that change nothing one would have it too. Where several things change at once, their "
            "effects cannot be told apart: such a step is hollow in the drawings, and stands under its main change."
        )
    ]
    ends = f"Mean differences, 95 % intervals. The axis ends at {REACH:g} points; an arrow points at a mean beyond."
    parts += [Picture(_drawing(found), f"{words} {ends}") for words, found in groups if found]
    for words, found in groups:
        parts += [f"**{words}**", _table(found) if found else "No pair is recorded yet."]
    found = recipe_steps(records, HELD_OUT_RECIPE_STEPS)
    if found:
        parts += ["**Held-out protocol, the same network: the recipes alone differ.**", _table(found)]
    return parts
