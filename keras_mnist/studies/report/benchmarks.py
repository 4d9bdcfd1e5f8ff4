"""What the benchmark measured."""

from __future__ import annotations

import math

from keras_mnist.results.tables import figure
from keras_mnist.studies.records import Records
from keras_mnist.studies.report.registry import Part, region
from keras_mnist.studies.report.words import items, table


@region
def benchmark_machine(records: Records) -> list[Part]:
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
    return [items(f"{', '.join(parts)}: {where}" for where, parts in lines.items())]


@region
def benchmark_table(records: Records) -> list[Part]:
    """Every measurement beside the first of the same unit in its part; formats have a table of their own."""
    rows = []
    for part, found in records.benchmark.items():
        if part == "formats":
            continue
        for row in found["rows"]:
            first = next(other["median"] for other in found["rows"] if other["unit"] == row["unit"])
            extremes = f"{figure(row['min'])} to {figure(row['max'])}"
            cells = part, row["name"], len(row["values"]), figure(row["median"]), extremes, row["unit"]
            rows.append([*cells, f"{row['median'] / first:.2f}"])
    return [table(["part", "what", ">n", ">median", ">range", "unit", ">ratio"], rows)]


@region
def benchmark_summary(records: Records) -> list[Part]:
    """What the table says, in sentences."""
    rows = {row["name"]: row for found in records.benchmark.values() for row in found["rows"]}
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
    return [items([*(f"{line};" for line in lines[:-1]), f"{lines[-1]}."])]
