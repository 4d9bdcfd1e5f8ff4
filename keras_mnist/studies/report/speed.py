"""How long training takes until an accuracy."""

from __future__ import annotations

import itertools
import math
import statistics

from keras_mnist.studies.records import AS_DOCUMENTED, DATASET, Record, Records
from keras_mnist.studies.report.registry import Part, region, section
from keras_mnist.studies.report.words import NONE, SHARED, paragraph, seconds, table
from keras_mnist.studies.statistics import Summary, summarize

ACCURACIES = (0.994, 0.99, 0.98)  # the hardest first, as the table is ordered
LAST = " after the last epoch"  # ends the name of a row of the benchmark


def until(run: Record, accuracy: float) -> tuple[int, float] | None:
    """The first epoch whose watched images come to an accuracy, and the seconds of training until its end."""
    passed = itertools.accumulate(row["seconds"] for row in run.history)
    for row, so_far in zip(run.history, passed, strict=True):
        if round(row["val_accuracy"], 4) >= accuracy:
            return row["epoch"], so_far
    return None


def _cells(runs: list[Record], accuracy: float):
    found = [reached for run in runs if (reached := until(run, accuracy))]
    if not found:
        return NONE, NONE
    epochs, passed = zip(*found, strict=True)
    share = f" ({len(found)} of {len(runs)})" * (len(found) < len(runs))
    return f"{statistics.fmean(epochs):.1f}{share}", seconds(passed)


@section("Time to accuracy")
def time(records: Records) -> list[Part]:
    """Epochs and seconds until the test images are predicted so well."""
    columns = ["variant"]
    for accuracy in ACCURACIES:
        columns += [f">epochs to {accuracy * 100:g}%", ">seconds"]
    found = records.of(AS_DOCUMENTED)
    ordered = sorted(found, key=lambda name: _order(found[name]))
    rows = [(f"`{name}`", *_all_cells(found[name]), len(found[name])) for name in ordered]
    parts: list[Part] = [
        paragraph(
            f"Document protocol on {DATASET}: epochs and seconds of training until the watched test images are first "
            "predicted so well: mean of epochs and median of seconds of the runs that come there (how many, where not "
            "all do). First stand the networks that come there with most of their n runs, of these the ones that need "
            f"the fewest epochs. {SHARED}"
        ),
        table([*columns, ">n"], rows) if rows else "No run is recorded yet.",
    ]
    return [*parts, *time_to_accuracy(records)]


def _all_cells(runs: list[Record]) -> list[str]:
    return [cell for accuracy in ACCURACIES for cell in _cells(runs, accuracy)]


def _order(runs: list[Record]) -> tuple:
    """Those of whose runs most come to the highest accuracy, then those of few epochs; then the same for the next."""
    key = []
    for accuracy in ACCURACIES:
        epochs = [reached[0] for run in runs if (reached := until(run, accuracy))]
        key += [-len(epochs) / len(runs), statistics.fmean(epochs or [0])]
    return tuple(key)


def to_accuracy(records: Records) -> dict[tuple[str, str, str], Summary]:
    """The benchmark's seconds from the real command's start, by variant, recipe and the test accuracy, in words."""
    rows = records.benchmark["accuracy"]["rows"]
    named = [(row["name"].split(" to "), row["values"]) for row in rows if " to " in row["name"]]
    return {(*entry.split(), accuracy): summarize(values) for (entry, accuracy), values in named}


def in_seconds(found: Summary) -> tuple[str, str]:
    """The median of all runs, and the range of those that come to the accuracy, with how many where not all do."""
    there = [value for value in found.values if math.isfinite(value)]
    median = f"{found.median:.1f}" if math.isfinite(found.median) else NONE
    extremes = f"{min(there):.1f} to {max(there):.1f}" if there else NONE
    return median, extremes + f", {len(there)} of {found.n} runs" * (len(there) < found.n)


@region
def time_to_accuracy(records: Records) -> list[Part]:
    """The seconds of the real command until an accuracy, over seeds."""
    facts, rows = records.benchmark["accuracy"]["facts"], records.benchmark["accuracy"]["rows"]
    sentences = []
    for row in rows:
        if row["name"].endswith(LAST):
            variant, recipe = row["name"].removesuffix(LAST).split()
            words = " and ".join(
                "of {} in {} s ({})".format(accuracy, *in_seconds(found))
                for (*entry, accuracy), found in to_accuracy(records).items()
                if entry == [variant, recipe]
            )
            last = summarize(row["values"])
            sentences.append(
                f"`{variant}` with `--recipe {recipe}` reaches a test accuracy {words} from the command's start, "
                f"median and range over {last.n} seeds, and of {last.mean:.2f}% (mean; standard deviation "
                f"{last.deviation:.2f} points) after its last epoch."
            )
    where = f"On {facts['dataset']}, on {facts['shards']} cores ({facts['processor']}):"
    return [paragraph(" ".join([where, *sentences]))]
