"""What the export formats cost."""

from __future__ import annotations

from keras_mnist.results.tables import figure
from keras_mnist.studies.records import Records
from keras_mnist.studies.report.registry import Part, region
from keras_mnist.studies.report.words import paragraph, table

QUANTITIES = ("size", "accuracy", "difference", "latency", "memory")


@region
def formats_table(records: Records) -> list[Part]:
    """Each variant in each format: size, accuracy, latency and memory."""
    if "formats" not in records.benchmark:
        return ["No format is measured yet."]
    facts = records.benchmark["formats"]["facts"]
    found: dict[tuple[str, str], dict[str, dict]] = {}
    for row in records.benchmark["formats"]["rows"]:
        variant, format, quantity = row["name"].split()
        found.setdefault((variant, format), {})[quantity] = row
    columns = ["variant", "format", ">size", ">test accuracy", ">largest difference", ">latency", ">memory"]
    cells = [(f"`{variant}`", f"`{format}`", *map(_cell, _ordered(rows))) for (variant, format), rows in found.items()]
    where = (
        f"Accuracy and largest difference of a probability from Keras on all test images of {facts['dataset']}; "
        f"latency of one image, the median of repeats of 200 calls from Python, on {facts['processor']}; one trained "
        f"network for each variant, the one that comes with the package. At commit {facts['source_commit'][:12]}."
    )
    return [table(columns, cells), paragraph(where)]


def _ordered(rows: dict[str, dict]) -> list[dict]:
    return [rows[quantity] for quantity in QUANTITIES]


def _cell(row: dict) -> str:
    match row["unit"]:
        case "%":
            return f"{row['median']:.2f}%"
        case "1":
            return f"{row['median']:.0e}"
        case unit:
            return f"{figure(row['median'])} {unit}"
