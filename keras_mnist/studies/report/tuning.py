"""How the recipes of our own were chosen, and that the optimizations train as plain layers do."""

from __future__ import annotations

import math
import statistics

from keras_mnist.studies.records import FAST_CANDIDATES, WITHOUT_OPTIMIZATIONS, Record, Records
from keras_mnist.studies.report.groups import between, test_accuracy
from keras_mnist.studies.report.registry import Part, region
from keras_mnist.studies.report.words import (
    NONE,
    SHARED,
    difference_interval,
    paragraph,
    percent,
    points,
    seconds,
    signed,
    spread,
    table,
)
from keras_mnist.studies.statistics import summarize

HELD_OUT_IMAGES = 5000
VARIED = ("epochs", "batch_size", "label_smoothing")  # by the candidates for `fast`


@region
def candidates(records: Records) -> list[Part]:
    """What the tuned recipe was chosen from, by the held-out images."""
    changes = {"optimizer", "learning_rate", "target_accuracy"}
    runs = [
        run
        for run in records.runs
        if run.variant == "bn_gap" and run.base == "tuned" and "target_accuracy" in run.changes.keys() <= changes
    ]
    if not runs:
        return ["No run is recorded yet."]
    rows = []
    for run in sorted(runs, key=lambda run: run.recipe, reverse=True):
        recipe, last = run.facts["recipe"], run.history[-1]
        chosen = " (chosen)" * (run.changes.keys() == {"target_accuracy"})
        row = [recipe["optimizer"], f"{recipe['learning_rate']:g}{chosen}", run.seed]
        rows.append([*row, f"{last['val_loss']:.4f}", percent(last["val_accuracy"])])
    accuracy = statistics.fmean(run.history[-1]["val_accuracy"] for run in runs)
    error = math.sqrt(accuracy * (1 - accuracy) / HELD_OUT_IMAGES)
    return [
        table(["optimizer", ">peak rate", ">seed", ">held-out loss", ">held-out accuracy"], rows),
        f"These are single runs, and an accuracy on 5,000 images has a standard error of {points(error)} points.",
    ]


@region
def clipping(records: Records) -> list[Part]:
    """What one epoch gives with clipped gradients and without."""
    clipped = "tuned,epochs=1,target_accuracy=none"
    found = records.by_recipe()
    rows = []
    for (variant, recipe), runs in found.items():
        if recipe == "tuned,epochs=1,global_clipnorm=0,target_accuracy=none" and (variant, clipped) in found:
            both = found[variant, clipped], runs
            rows.append([variant, *(spread(test_accuracy(some)) for some in both)])
    return [table(["variant", ">clipped", ">not clipped"], rows)]


@region
def fast_candidates(records: Records) -> list[Part]:
    """What swift reaches on the held-out images with the fast recipe, and with what that was chosen from."""
    chosen = records.by_recipe().get(("swift", "fast"))
    if not chosen:
        return ["No run is recorded yet."]
    found = [chosen, *records.by_recipe(FAST_CANDIDATES).values()]
    found.sort(key=lambda runs: [runs[0].facts["recipe"][name] for name in VARIED])
    columns = [">epochs", ">batch size", ">label smoothing", ">n", ">after the first epoch", ">after the last"]
    columns += [">beside the chosen, points", ">95 % interval", ">seconds a run"]
    return [table(columns, [_fast_row(runs, chosen) for runs in found]), SHARED]


def _fast_row(runs: list[Record], chosen: list[Record]) -> list:
    recipe = runs[0].facts["recipe"]
    first, last = (summarize([run.watched[epoch] for run in runs]) for epoch in (0, -1))
    beside = between(chosen, runs, lambda run: run.watched[-1])
    difference = ["chosen", NONE] if runs is chosen else [signed(beside.mean), difference_interval(beside)]
    settings = [recipe["epochs"], recipe["batch_size"], f"{recipe['label_smoothing']:g}", len(runs)]
    return [*settings, spread(first), spread(last), *difference, seconds(run.facts["seconds"] for run in runs)]


@region
def with_and_without_optimizations(records: Records) -> list[Part]:
    """Training losses with the optimizations and without, before a plateau lowers the first learning rate."""
    lines = []
    for (variant, recipe), plain in records.by_recipe(WITHOUT_OPTIMIZATIONS).items():
        optimized = records.by_recipe().get((variant, recipe))
        if not optimized:
            lines.append(f"- `{variant}`, `{recipe}`: the runs with the optimizations are not recorded yet.")
            continue
        epochs = epochs_at_first_rate([*plain, *optimized])
        words = [_losses(runs, epochs) for runs in (optimized, plain)]
        lines.append(
            f"- `{variant}`, `{recipe}`, after {epochs} epochs, up to which no run has lowered its learning rate: mean "
            f"training loss {words[0]} with the optimizations, {words[1]} without."
        )
    return ["\n".join(map(paragraph, lines))]


def _losses(runs: list[Record], epochs: int) -> str:
    losses = summarize([run.history[epochs - 1]["loss"] for run in runs])
    deviation = f", deviation {losses.deviation:.4f}" if losses.n > 1 else ""
    return f"{losses.mean:.4f} (n = {losses.n}{deviation})"


def epochs_at_first_rate(runs: list[Record]) -> int:
    """How many epochs all runs have trained before the first of them lowers its learning rate."""
    return min(sum(row["learning_rate"] == run.history[0]["learning_rate"] for row in run.history) for run in runs)
