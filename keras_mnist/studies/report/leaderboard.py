"""The best networks by size, and the fastest."""

from __future__ import annotations

from keras_mnist.results.run_folder import teacher_of
from keras_mnist.studies.records import DATASET, ON_ALL_IMAGES, TUNED, Record, Records, without_validation
from keras_mnist.studies.report.groups import TEN, in_protocol, test_accuracy
from keras_mnist.studies.report.networks import network_facts
from keras_mnist.studies.report.registry import Part, region, section
from keras_mnist.studies.report.speed import in_seconds, to_accuracy
from keras_mnist.studies.report.words import (
    SHARED,
    cut,
    interval,
    names,
    paragraph,
    seconds,
    spread,
    table,
    training_command,
)
from keras_mnist.studies.statistics import Summary

SIZES = (1_000, 2_000, 4_000, 8_000, 20_000)
RANKED_PROTOCOLS = ("held-out", "all-images")  # those in which the test images decide nothing

RULES = f"""\
The rules:

- {DATASET}, test accuracy after the last epoch, {TEN} seeds or more; the mean counts. The held-out protocol, or, with
  what was decided there, all 60,000 training images (`--validation none`).
- Size is trainable parameters; an entry stands in the smallest class that it fits.
- The test images decide nothing: not the network, not the recipe, not the epoch.

To enter:

1. Add the network, one function, and its recipe if it has one of its own: CONTRIBUTING.md, "A variant".
2. Train {TEN} seeds, whose records are copied to `docs/records`:
   `{training_command(TUNED, ("NAME",), TEN)}`.
3. Commit `docs/records`.
4. Regenerate: `keras-mnist report`."""


def entries(records: Records) -> dict[tuple[str, str], list[Record]]:
    """Everything that has the seeds from 0 on, the best first; recipes with changed settings too."""
    found = {
        key: runs
        for key, runs in records.by_recipe().items()
        if {run.seed for run in runs}.issuperset(range(TEN)) and runs[0].protocol in RANKED_PROTOCOLS
    }
    return {key: found[key] for key in sorted(found, key=lambda key: -test_accuracy(found[key]).mean)}


def size_class(parameters: int) -> int | None:
    """The smallest class for so many parameters."""
    return next((size for size in SIZES if parameters < size), None)


def _row(variant: str, recipe: str, runs: list[Record]):
    found, facts = test_accuracy(runs), runs[0].facts
    yield from (f"`{variant}`", spread(found), f"`{without_validation(recipe)[0]}`", f"{facts['train_images']:,}")
    yield from (found.n, interval(found))
    yield f"{facts['trainable_parameters']:,}"
    yield f"{network_facts()[variant]['mult_adds'] / 1e6:.2f} M"
    yield seconds(run.facts["seconds"] for run in runs)


COLUMNS = ["variant", ">accuracy", "recipe", ">training images", ">n", ">95 % interval", ">parameters", ">mult-adds"]
COLUMNS += [">seconds"]
SHORT_COLUMNS = ["network", ">parameters", ">mult-adds", f">accuracy on {DATASET}", ">n", ">epochs", ">training images"]
SHORT_COLUMNS += [">seconds a run"]


@section("Leaderboard")
def leaderboard(records: Records) -> list[Part]:
    """Ten seeds each, by size; and by time to an accuracy."""
    found = entries(records)
    summaries = [test_accuracy(runs) for runs in found.values()]
    parts: list[Part] = [
        paragraph(
            f"Test accuracy on {DATASET}: mean ± standard deviation, in percentage points, of n runs.{cut(summaries)} "
            f"Seconds are the median of the runs' training. {SHARED}"
        )
    ]
    empty = []
    for size in SIZES:
        members = {key: runs for key, runs in found.items() if _class_of(runs) == size}
        if members:
            rows = [_row(*key, runs) for key, runs in members.items()]
            parts += [f"**Under {size:,} parameters**", table(COLUMNS, rows)]
        else:
            empty.append(f"{size:,}")
    if empty:
        parts.append(paragraph(f"No entry yet under {', '.join(empty)} parameters."))
    parts += _teachers(found)
    others = {key: runs for protocol in RANKED_PROTOCOLS for key, runs in in_protocol(records, protocol).items()}
    few = [
        f"`{variant}` `{recipe}` ({len(runs)})"
        for (variant, recipe), runs in others.items()
        if len(runs) < TEN and _class_of(runs)
    ]
    parts += [paragraph(f"Not ranked, with fewer than {TEN} seeds (how many): {', '.join(few)}.")] if few else []
    large = dict.fromkeys(variant for (variant, _), runs in others.items() if not _class_of(runs))
    parts += [paragraph(f"Not under {SIZES[-1]:,} parameters, so in no class: {names(large)}.")] if large else []
    return [*parts, *_fastest(records), RULES]


@region
def ten_seeds(records: Records) -> list[Part]:
    """The best with the recipe `tuned`, for the README."""
    found = {key: runs for key, runs in entries(records).items() if key[1] in (TUNED, ON_ALL_IMAGES)}
    if not found:
        return [f"No network has {TEN} seeds with held-out images yet."]
    words = (
        f"Test accuracy on {DATASET}: mean ± standard deviation, in percentage points, of n runs with the recipe "
        f"`{TUNED}`, each with a seed of its own. Every decision was made on held-out training images; the "
        f"10,000 test images were scored once, after the last epoch. Of 60,000 training images 5,000 were held out, "
        f"or, where it says 60,000, the same recipe was trained on all. Seconds are the median of the runs' training, "
        f"{_machines([run for runs in found.values() for run in runs])}."
    )
    rows = [_short_row(variant, runs) for (variant, _), runs in found.items()]
    return [table(SHORT_COLUMNS, rows), paragraph(words), *_teachers(found)]


def _teachers(found: dict[tuple[str, str], list[Record]]) -> list[str]:
    """Which networks had help in training: a sentence, or nothing."""
    all_taught = (
        f"`{variant}` (`{teacher}`)" for (variant, _), (run, *_) in found.items() if (teacher := teacher_of(run.facts))
    )
    taught = list(dict.fromkeys(all_taught))
    return (
        [paragraph(f"Trained with a teacher, a larger network of the package: {', '.join(taught)}.")] if taught else []
    )


def _short_row(variant: str, runs: list[Record]):
    yield from (f"`{variant}`", f"{runs[0].facts['trainable_parameters']:,}")
    yield f"{network_facts()[variant]['mult_adds'] / 1e6:.2f} M"
    yield from (spread(test_accuracy(runs)), len(runs))
    epochs = sorted({run.facts["epochs_run"] for run in runs})
    yield epochs[0] if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]}"
    yield f"{runs[0].facts['train_images']:,}"
    yield seconds(run.facts["seconds"] for run in runs)


def _machines(runs: list[Record]) -> str:
    """What the runs computed on."""
    machines = {(run.facts["processor"], run.facts["shards"] * run.facts["threads"]) for run in runs}
    words = (f"on {cores} {'core' if cores == 1 else 'cores'} ({processor})" for processor, cores in sorted(machines))
    return " or ".join(words)


def _class_of(runs: list[Record]) -> int | None:
    return size_class(runs[0].facts["trainable_parameters"])


def _fastest(records: Records) -> list[Part]:
    """The benchmark's part `accuracy`, which times the real command."""
    facts = records.benchmark["accuracy"]["facts"]
    rows = []
    for (variant, recipe, accuracy), found in sorted(to_accuracy(records).items(), key=_by_time):
        median, extremes = in_seconds(found)
        rows.append([f"`{variant}`", median, accuracy, f"`{recipe}`", found.n, extremes, facts["source_commit"][:8]])
    columns = ["variant", ">median seconds", ">to test accuracy", "recipe", ">n", ">range", "commit"]
    words = (
        f"**Time to an accuracy**, from the start of the real command, on {facts['shards']} cores "
        f"({facts['processor']}), all 60,000 training images, {TEN} seeds. The test images are scored after each "
        "epoch and decide nothing. A teacher comes trained, and its own training is not counted. To enter, name the "
        "variant and its recipe in `FASTEST` (keras_mnist/benchmarks/measurements.py), and on an idle machine measure "
        "every entry again, side by side:"
    )
    again = f"`keras-mnist benchmark --parts accuracy --seeds {TEN} --dataset mnist --json docs/records/benchmark.json`"
    return [paragraph(words), again, table(columns, rows)]


def _by_time(item: tuple[tuple[str, str, str], Summary]) -> tuple[str, float]:
    """The accuracies apart, the quickest first."""
    (_, _, accuracy), found = item
    return accuracy, found.median
