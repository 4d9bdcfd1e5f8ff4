"""What scripts print at the end."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from keras_mnist.training.run import RunResult


def facts_table(title: str, facts: dict[str, str]) -> Table:
    """Two columns: what, and its value."""
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="cyan")
    table.add_column()
    for name, value in facts.items():
        table.add_row(name, value)
    return table


def run_table(result: RunResult, export: Path | None = None) -> Table:
    """A finished run in a few lines."""
    record = result.record
    facts = {
        "data set": f"{record['dataset']}: {record['train_images']:,} images trained on",
        "test accuracy": f"{record['test_accuracy']:.2%} of {record['test_images']:,} {record['dataset']} test images "
        f"({record['test_errors']} misread)",
        "test loss": f"{record['test_loss']:.4f}",
        "trainable parameters": f"{record['trainable_parameters']:,}",
        "epochs": f"{record['epochs_run']}, stopped by: {record['stopped_by']}",
        "time": f"{record['seconds']:.0f} s, {record['seconds_per_epoch']:.1f} s an epoch on {record['device']}",
        "run": f"{result.folder}",
    }
    if export:
        facts["SavedModel"] = str(export)
    return facts_table(f"{record['variant']}, seed {record['seed']}", facts)
