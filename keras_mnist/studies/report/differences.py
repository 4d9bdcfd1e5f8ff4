"""What each step of a study brought, as differences between runs of the same seed."""

from __future__ import annotations

from keras_mnist.studies.records import AS_DOCUMENTED, DATASET, TUNED, Record, Records
from keras_mnist.studies.report.drawing import dots
from keras_mnist.studies.report.registry import Part, Picture, section
from keras_mnist.studies.report.steps import RECIPE_STEPS, STEPS
from keras_mnist.studies.report.words import NONE, paragraph, signed, table
from keras_mnist.studies.statistics import Summary, paired_differences

Found = tuple[str, str, tuple[str, ...], Summary]  # before, after, what changed, differences


def between(before: list[Record], after: list[Record]) -> Summary | None:
    """The differences of test accuracies after the last epoch, seed by seed."""
    return paired_differences(*({run.seed: run.accuracy for run in runs} for runs in (before, after)))


def steps_with(records: Records, recipe: str) -> list[Found]:
    """The steps between networks that were trained with a recipe, where both are recorded for a seed."""
    runs = records.of(recipe)
    found = []
    for step in STEPS:
        changes = step.network + step.recipe * (recipe == AS_DOCUMENTED)
        differences = between(runs.get(step.before, []), runs.get(step.after, []))
        if changes and differences:
            found.append((step.before, step.after, changes, differences))
    return found


def recipe_steps(records: Records) -> list[Found]:
    """The steps between recipes of one network in the held-out protocol."""
    runs = records.by_recipe()
    found = []
    for step in RECIPE_STEPS:
        differences = between(*(runs.get((step.variant, recipe), []) for recipe in (step.before, step.after)))
        if differences:
            before, after = f"{step.variant} {step.before}", f"{step.variant} {step.after}"
            found.append((before, after, step.changes, differences))
    return found


def _rows(found: list[Found]):
    for before, after, changes, differences in found:
        several = f"**{len(changes)} at once:** " if len(changes) > 1 else ""
        low, high = differences.interval or (None, None)
        reach = NONE if low is None else f"{signed(low)} to {signed(high)}"
        clear = "" if low is None or low <= 0 <= high else " *"
        row = f"`{before}` → `{after}`", several + "; ".join(changes), differences.n
        yield *row, signed(differences.mean), reach + clear


def _table(found: list[Found]) -> str:
    return table(["step", "what changes", ">n", ">mean difference", ">95 % interval"], _rows(found))


@section("What each step brought")
def steps(records: Records) -> list[Part]:
    """Differences between neighbours of a study, one table for each protocol."""
    parts: list[Part] = [
        paragraph(
            f"Differences of test accuracies on {DATASET} after the last epoch, in percentage points, between runs of "
            "the same seed; n pairs; Student's t interval over them. An interval without 0 has a star; of twenty steps "
            "that change nothing one would have it too. Where several things change at once, their effects cannot be "
            "told apart."
        )
    ]
    for recipe, words in (
        (AS_DOCUMENTED, "Document protocol: each network with its own document's recipe."),
        (TUNED, "Held-out protocol, all with `tuned`: the networks alone differ."),
    ):
        found = steps_with(records, recipe)
        parts += [f"**{words}**", _table(found) if found else "No pair is recorded yet."]
        if found:
            rows = [(f"{before}\n→ {after}", differences) for before, after, _, differences in found]
            parts.append(Picture(dots(rows, "difference, points"), f"{words} Mean differences, 95 % intervals."))
    found = recipe_steps(records)
    if found:
        parts += ["**Held-out protocol, the same network: the recipes alone differ.**", _table(found)]
    return parts
