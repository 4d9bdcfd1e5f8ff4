"""What scripts print: networks and finished runs as tables."""

from __future__ import annotations

import io
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from keras_mnist.errors import UsageError
from keras_mnist.models.analysis import LayerFacts, layer_facts, parameters_by_block, size_kb, trainable_parameters
from keras_mnist.utils.lazy import keras
from keras_mnist.utils.screen import shown


def facts_table(title: str, facts: dict[str, str]) -> Table:
    """Two columns: what, and its value."""
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="cyan")
    table.add_column(overflow="fold")  # whole, for copying: a path has no spaces to wrap at
    for name, value in facts.items():
        table.add_row(name, value)
    return table


def run_table(record: dict, folder: Path, saved_model: Path | None = None) -> Table:
    """A finished run in a few lines: its record, its folder, and its own export if there is one."""
    facts = {
        "data set": f"{record['dataset']}: {record['train_images']:,} images trained on",
        "test accuracy": f"{record['test_accuracy']:.2%} of {record['test_images']:,} {record['dataset']} test images "
        f"({record['test_errors']} misclassified)",
        "test loss": "no number" if record["test_loss"] is None else f"{record['test_loss']:.4f}",
        "trainable parameters": f"{record['trainable_parameters']:,}",
        "epochs": f"{record['epochs_run']}, stopped by: {record['stopped_by']}",
        "time": f"{record['seconds']:.0f} s, {record['seconds_per_epoch']:.1f} s per epoch on {record['device']}",
        "run": shown(folder),
    }
    if saved_model:
        facts["SavedModel"] = shown(saved_model)
    return facts_table(f"{record['variant']}, seed {record['seed']}", facts)


def numbers_table(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    """A table whose columns after the first are right-aligned figures."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def layer_table(facts: list[LayerFacts]) -> Table:
    """Output shape, parameters, mult-adds and receptive field of each call of a layer that changes one of them."""
    telling = [fact for fact in facts if fact.parameters or fact.mult_adds or "Pool" in fact.kind or fact.kind == "Add"]
    rows = [
        [
            fact.name,
            " x ".join(map(str, fact.output_shape)),
            f"{fact.parameters:,}",
            f"{fact.mult_adds:,}",
            f"{fact.receptive_field} x {fact.receptive_field}",
        ]
        for fact in telling
    ]
    return numbers_table("layers", ["layer", "output", "parameters", "mult-adds", "receptive field"], rows)


def block_table(facts: list[LayerFacts]) -> Table:
    """Trainable parameters of each block and their share."""
    blocks = parameters_by_block(facts)
    total = sum(blocks.values())
    rows = [[name, f"{count:,}", f"{count / total:.1%}"] for name, count in blocks.items()]
    return numbers_table("blocks", ["block", "parameters", "share"], rows)


def summary_text(model: keras.Model) -> str:
    """model.summary(), the layer and block tables where the model is a graph of layers, and the totals, as text."""
    lines: list[str] = []
    model.summary(print_fn=lambda text, line_break=False: lines.append(text))
    count = trainable_parameters(model)
    totals = [f"size: {size_kb(count):.1f} kB in float32", f"trainable parameters: {count:,}"]
    try:
        facts = layer_facts(model)
    except UsageError:
        return "\n".join([*lines, *totals, ""])
    page = Console(file=io.StringIO(), width=80, force_jupyter=False)  # a notebook would show it instead
    page.print(layer_table(facts))
    page.print(block_table(facts))
    mult_adds = f"mult-adds per image: {sum(fact.mult_adds for fact in facts):,}"
    return "\n".join([*lines, page.file.getvalue(), mult_adds, *totals, ""])


def variants_table(rows: list[dict]) -> Table:
    """One row for each variant, study by study."""
    columns = ["variant", "parameters", "mult-adds", "field", "claimed on"]
    table = numbers_table("variants: field is the receptive field before the head, in pixels", columns, [])
    for index, row in enumerate(rows):
        if index and row["study"] != rows[index - 1]["study"]:
            table.add_section()
        table.add_row(
            row["variant"],
            f"{row['parameters']:,}",
            f"{row['mult_adds'] / 1e6:.2f} M",
            str(row["receptive_field_before_head"]),
            f"{row['claimed_accuracy']:.2%} {row['claimed_on']}" if row["claimed_on"] else "ours",
        )
    return table


def variants_markdown(rows: list[dict]) -> str:
    """The table of docs/variants.md."""
    lines = [
        "| variant | study | what it is | parameters | mult-adds | claimed MNIST accuracy |",
        "|---|---|---|---:|---:|---:|",
    ]
    for row in rows:
        images = " (on its training images)" if row["claimed_on"] == "train" else ""
        claim = f"{row['claimed_accuracy']:.2%}{images}" if row["claimed_on"] else "ours"
        cells = row["variant"], row["study"], row["title"], f"{row['parameters']:,}", f"{row['mult_adds'] / 1e6:.2f} M"
        lines.append(f"| {' | '.join([*cells, claim])} |")
    return "\n".join(lines)


def figure(value: float) -> str:
    """A measured number in three digits, or whole where it is large."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def measurement_table(title: str, measurements: list) -> Table:
    """Medians with their spread, and each beside the first of the same unit."""
    rows = []
    for m in measurements:
        first = next(other.median for other in measurements if other.unit == m.unit)
        spread = f"{figure(min(m.values))} to {figure(max(m.values))}"
        rows.append([m.name, figure(m.median), spread, m.unit, f"{m.median / first:.2f}"])
    return numbers_table(title, ["what", "median", "range", "unit", "ratio"], rows)
