"""The generated parts of README.md and docs/*.md: each is one function of the records, found by its name.

In a document such a part stands between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import functools
import math
import re
import statistics
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path

from keras_mnist.errors import UsageError
from keras_mnist.models.analysis import all_variant_facts
from keras_mnist.models.registry import get_variant
from keras_mnist.results.tables import figure, variants_markdown
from keras_mnist.studies.records import Record, Records
from keras_mnist.utils.registry import Registry

RECORDS = Path("docs", "records")
BEGIN, END = re.compile(r"<!-- generated: (\w+) -->"), "<!-- end -->"
REGION = re.compile(rf"{BEGIN.pattern}.*?{END}", re.DOTALL)

REGIONS: dict[str, Callable[[Records], str]] = Registry("generated region")


def region(function: Callable[[Records], str]) -> Callable[[Records], str]:
    """Register the decorated function as the region of its name."""
    REGIONS[function.__name__] = function
    return function


def outdated(root: Path) -> dict[Path, str]:
    """The documents of a checkout whose generated parts are not what the records give, each with its new text.

    Raises: UsageError if there are no records, if a region has no function, or no end.
    """
    if not (root / RECORDS).is_dir():
        raise UsageError(f"{root.resolve()} has no {RECORDS}, expected a checkout of keras_mnist; change to its folder")
    records = Records(root / RECORDS)
    made = functools.cache(lambda name: f"<!-- generated: {name} -->\n\n{REGIONS[name](records)}\n\n{END}")
    found = {}
    for path in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        text = path.read_text()
        if REGION.findall(text) != BEGIN.findall(text):
            raise UsageError(f"{path} has a generated region without its `{END}`")
        new = REGION.sub(lambda match: made(match[1]), text)
        found |= {path: new} if new != text else {}
    return found


def table(columns: dict[str, str], rows: Iterable[Iterable]) -> str:
    """A table in Markdown; `columns` has the rule below each heading: "---" for text, "---:" for figures."""
    lines = [columns, columns.values(), *rows]
    heading, rule, *body = [[str(cell) for cell in line] for line in lines]
    written = [f"| {' | '.join(cells)} |" for cells in [heading, *body]]
    return "\n".join([written[0], f"|{'|'.join(rule)}|", *written[1:]])


def paragraph(text: str) -> str:
    """Text in lines of at most 120 characters; those of a list's item are indented."""
    return textwrap.fill(text, 120, subsequent_indent="  " * text.startswith("- "), break_on_hyphens=False)


def spread(values: list[float]) -> str:
    """Accuracies as their mean, with deviation and count where there are several."""
    mean = f"{statistics.fmean(values):.2%}"
    if len(values) == 1:
        return mean
    return f"{mean} (n = {len(values)}, deviation {statistics.stdev(values) * 100:.2f} points)"


@region
def variants(records: Records) -> str:
    """All variants of the registry."""
    return variants_markdown(all_variant_facts())


@region
def seeds(records: Records) -> str:
    """Every recipe that was trained with several seeds."""
    columns = {"variant": "---", "recipe": "---", "optimizations": "---", "seeds": "---:", "mean": "---:"}
    columns |= {"standard deviation": "---:", "each seed": "---", "seconds": "---:"}
    rows = []
    for group, words in (("", "all"), ("without-optimizations", "none")):
        for (variant, recipe), runs in records.by_recipe(group).items():
            if len(runs) < 2:
                continue
            found = [run.accuracy for run in runs]
            seconds = [run.facts["seconds"] for run in runs]
            row = [f"`{variant}`", f"`{recipe}`", words, len(runs), f"{statistics.fmean(found):.2%}"]
            row += [f"{statistics.stdev(found) * 100:.2f} points", ", ".join(f"{value:.2%}" for value in found)]
            rows.append([*row, f"{min(seconds):.0f} to {max(seconds):.0f}"])
    return table(columns, sorted(rows, key=lambda row: row[:2]))


@region
def bn_gap_claim(records: Records) -> str:
    """How the claim of bn_gap's document compares with the runs here."""
    claim = get_variant("bn_gap").claim.accuracy
    runs = [run for run in records.runs if run.variant == "bn_gap"]
    words = []
    for recipe in ("document", "tuned"):
        found = [run.accuracy for run in runs if run.recipe == recipe]
        words.append(f"{sum(accuracy >= claim for accuracy in found)} of {len(found)} runs of `{recipe}` reach it")
    return paragraph(
        f"The source claims {claim:.2%} for its own recipe: the best epoch of one run, watched on the test set, "
        f"trained on all 60,000 images. After the last epoch, {' and '.join(words)}."
    )


@region
def with_and_without_optimizations(records: Records) -> str:
    """Training losses with the optimizations and without, before a plateau lowers the first learning rate."""
    lines = []
    for (variant, recipe), plain in records.by_recipe("without-optimizations").items():
        optimized = records.by_recipe()[variant, recipe]
        epochs = min(map(_epochs_at_first_rate, [*plain, *optimized]))
        words = []
        for runs in (optimized, plain):
            losses = [run.history[epochs - 1]["loss"] for run in runs]
            deviation = f", deviation {statistics.stdev(losses):.4f}" if len(losses) > 1 else ""
            words.append(f"{statistics.fmean(losses):.4f} (n = {len(losses)}{deviation})")
        lines.append(
            f"- `{variant}`, `{recipe}`, after {epochs} epochs, up to which no run has lowered its learning rate: mean "
            f"training loss {words[0]} with the optimizations, {words[1]} without."
        )
    return "\n".join(map(paragraph, lines))


def _epochs_at_first_rate(run: Record) -> int:
    rates = [row["learning_rate"] for row in run.history]
    return next((number for number, rate in enumerate(rates) if rate != rates[0]), len(rates))


@region
def one_epoch(records: Records) -> str:
    """Every variant that was trained for one epoch with a named recipe."""
    found: dict[str, dict[str, list[float]]] = {}
    for run in records.runs:
        if run.facts["recipe"]["epochs"] == 1 and run.changes.keys() <= {"epochs", "target_accuracy"}:
            found.setdefault(run.variant, {}).setdefault(run.base, []).append(run.accuracy)
    recipes = ["tuned", "document"]
    columns = {"variant": "---"} | dict.fromkeys(recipes, "---:")
    cells = {name: [spread(by[recipe]) if recipe in by else "" for recipe in recipes] for name, by in found.items()}
    return table(columns, [[name, *cells[name]] for name in sorted(cells)])


@region
def candidates(records: Records) -> str:
    """What the tuned recipe was chosen from, by the held-out images."""
    changes = {"optimizer", "learning_rate", "target_accuracy"}
    runs = [
        run
        for run in records.runs
        if run.variant == "bn_gap" and run.base == "tuned" and "target_accuracy" in run.changes.keys() <= changes
    ]
    rows = []
    for run in sorted(runs, key=lambda run: run.recipe, reverse=True):
        recipe, last = run.facts["recipe"], run.history[-1]
        chosen = " (chosen)" * (run.changes.keys() == {"target_accuracy"})
        row = [recipe["optimizer"], f"{recipe['learning_rate']:g}{chosen}", run.seed]
        rows.append([*row, f"{last['val_loss']:.4f}", f"{last['val_accuracy']:.2%}"])
    accuracy = statistics.fmean(run.history[-1]["val_accuracy"] for run in runs)
    error = math.sqrt(accuracy * (1 - accuracy) / 5000)
    columns = {"optimizer": "---", "peak rate": "---:", "seed": "---:", "held-out loss": "---:"}
    return (
        f"{table(columns | {'held-out accuracy': '---:'}, rows)}\n\n"
        f"These are single runs, and an accuracy on 5,000 images has a standard error of {error * 100:.2f} points."
    )


@region
def clipping(records: Records) -> str:
    """What one epoch gives with clipped gradients and without."""
    clipped = "tuned,epochs=1,target_accuracy=none"
    found = records.by_recipe()
    rows = []
    for (variant, recipe), runs in found.items():
        if recipe == "tuned,epochs=1,global_clipnorm=0,target_accuracy=none" and (variant, clipped) in found:
            both = found[variant, clipped], runs
            rows.append([variant, *(spread([run.accuracy for run in some]) for some in both)])
    return table({"variant": "---", "clipped": "---:", "not clipped": "---:"}, rows)


@region
def fast_on_held_out_images(records: Records) -> str:
    """What swift with the fast recipe reaches on the images that it was chosen on."""
    runs = records.by_recipe()["swift", "fast"]
    last = [(run.history[-1]["val_loss"], run.history[-1]["val_accuracy"]) for run in runs]
    rows = [[run.seed, f"{loss:.4f}", f"{accuracy:.2%}"] for run, (loss, accuracy) in zip(runs, last, strict=True)]
    losses, accuracies = zip(*last, strict=True)
    rows.append([f"mean (n = {len(runs)})", f"{statistics.fmean(losses):.4f}", f"{statistics.fmean(accuracies):.2%}"])
    if len(runs) > 1:
        deviations = f"{statistics.stdev(losses):.4f}", f"{statistics.stdev(accuracies) * 100:.2f} points"
        rows.append(["standard deviation", *deviations])
    return table({"seed": "---:", "held-out loss": "---:", "held-out accuracy": "---:"}, rows)


@region
def benchmark_machine(records: Records) -> str:
    """Where each part of the benchmark ran."""
    lines: dict[str, list[str]] = {}
    for part, found in records.benchmark.items():
        facts = found["facts"]
        versions, commit = facts["versions"], facts["source_commit"][:12]
        where = (
            f"on {facts['dataset']}, on {facts['shards']} cores ({facts['processor']}), with TensorFlow "
            f"{versions['tensorflow']} and Keras {versions['keras']}, at commit {commit}"
        )
        lines.setdefault(where, []).append(part)
    return "\n".join(paragraph(f"- {', '.join(parts)}: {where}") for where, parts in lines.items())


def _measurements(records: Records) -> dict[str, dict]:
    """Every row of the benchmark by its name, in order."""
    return {row["name"]: row for found in records.benchmark.values() for row in found["rows"]}


@region
def benchmark_table(records: Records) -> str:
    """Every measurement beside the first of the same unit in its part."""
    columns = {"part": "---", "what": "---", "n": "---:", "median": "---:", "range": "---:"}
    rows = []
    for part, found in records.benchmark.items():
        for row in found["rows"]:
            first = next(other["median"] for other in found["rows"] if other["unit"] == row["unit"])
            extremes = f"{figure(row['min'])} to {figure(row['max'])}"
            cells = part, row["name"], len(row["values"]), figure(row["median"]), extremes, row["unit"]
            rows.append([*cells, f"{row['median'] / first:.2f}"])
    return table(columns | {"unit": "---", "ratio": "---:"}, rows)


@region
def benchmark_summary(records: Records) -> str:
    """What the table says, in sentences."""
    rows = _measurements(records)
    median = {name: row["median"] for name, row in rows.items()}
    ours = median["keras_mnist"]
    others = {"plain Keras": median["plain Keras, image by image"]}
    recipe = [value for name, value in median.items() if name.startswith("PyTorch recipe")]
    expert = [value for name, value in median.items() if name.startswith("PyTorch, ")]
    others |= {"the source's PyTorch recipe": min(recipe)} if recipe else {}
    others |= {"PyTorch as an expert would write it": min(expert)} if expert else {}
    ratios = [f"{ours / value:.2f} of the time of {name}" for name, value in others.items()]
    input_share = median["and elastic"] / 1000 * math.ceil(60_000 / 128) / ours
    rates = [f"{name.partition(',')[0]} {value:,.0f}" for name, value in median.items() if name.endswith("batch 1")]
    lines = [
        f"an epoch of `bn_gap` with its document recipe takes {' and '.join(ratios)}",
        f"the first step ends {median['to the first step']:.1f} s after the command's start, on prepared data",
        f"the input pipeline alone, with elastic distortion, is {1 / input_share:.1f} times as fast as training",
        f"a run holds {median['peak memory of a run']:,.0f} MB",
        f"images per second, one at a time: {', '.join(rates)}",
    ]
    return "\n".join(paragraph(f"- {line};") for line in lines[:-1]) + f"\n- {lines[-1]}."


@region
def time_to_accuracy(records: Records) -> str:
    """The seconds of the real command until an accuracy, over seeds."""
    facts, rows = records.benchmark["accuracy"]["facts"], _measurements(records)
    last = rows["test accuracy after the last epoch"]
    words = [
        f"of {name.split()[1]} in {row['mean']:.1f} s (standard deviation {row['deviation']:.1f} s)"
        for name, row in rows.items()
        if name.startswith("to ") and name.endswith("of the test images")
    ]
    return paragraph(
        f"On {facts['dataset']}, mean over {len(last['values'])} seeds, on {facts['shards']} cores "
        f"({facts['processor']}): `swift` with `--recipe fast` reaches a test accuracy {' and '.join(words)} from the "
        f"command's start, and of {last['mean']:.2f}% (standard deviation {last['deviation']:.2f} points) after its "
        "last epoch."
    )
