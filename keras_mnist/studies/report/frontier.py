"""What was tried in the search for small networks."""

from __future__ import annotations

from keras_mnist.studies.records import DATASET, Records
from keras_mnist.studies.report.registry import Part, region
from keras_mnist.studies.report.words import NONE, percent, table
from keras_mnist.studies.search.found import results


@region
def frontier(records: Records) -> list[Part]:
    """Every configuration on record by its held-out loss."""
    rows = []
    for result in results(records.folder / "frontier", DATASET):
        first, loss, accuracy = result.first, result.loss, result.accuracy
        scores = ["diverged", NONE, NONE]
        if loss:
            deviation = f"{loss.deviation:.4f}" if loss.n > 1 else NONE
            scores = [f"{loss.mean:.4f}", deviation, percent(accuracy.mean)]
        size = [len(result.records), f"{first['parameters']:,}", f"{first['mult_adds']:,}", f"{result.seconds:,.0f}"]
        rows.append([*scores, *size, f"`{first['network']}`", f"`{first['settings']}`" if first["settings"] else ""])
    columns = [">held-out loss", ">deviation", ">held-out accuracy", ">n", ">parameters", ">mult-adds", ">seconds"]
    return [table([*columns, "network", "settings"], rows) if rows else "No configuration is on record yet."]
