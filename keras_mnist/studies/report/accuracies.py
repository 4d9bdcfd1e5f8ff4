"""How accurate each network is after its last epoch, in each of the three protocols."""

from __future__ import annotations

from keras_mnist.studies.records import DATASET, Record, Records
from keras_mnist.studies.report.groups import commits, gap, in_protocol, test_accuracy
from keras_mnist.studies.report.registry import Part, section
from keras_mnist.studies.report.words import (
    SHARED,
    cut,
    interval,
    paragraph,
    percent,
    points,
    seconds,
    spread,
    table,
)

PROTOCOLS = {
    "document": "Document protocol: trained on all 60,000 images, the callbacks watch the test images as the sources "
    "did; after the last epoch.",
    "held-out": "Held-out protocol: 5,000 training images are held out and every decision is made on them; the test "
    "images are scored once, after the last epoch.",
    "all-images": "All images: with what was decided on held-out images, trained on all 60,000; nothing is watched, "
    "and the test images are scored once, after the last epoch.",
}


def _row(variant: str, recipe: str, runs: list[Record]):
    found, between = test_accuracy(runs), gap(runs)
    yield from (f"`{variant}`", spread(found), f"`{recipe.partition(',')[0]}`", found.n, interval(found))
    yield percent(found.best)
    yield f"{points(between.mean)}{f' ± {points(between.deviation)}' * (between.n > 1)}"
    yield f"{runs[0].facts['trainable_parameters']:,}"
    yield seconds(run.facts["seconds"] for run in runs)
    yield f"`{commits(runs)}`"


# The result comes early: a phone shows the first three columns.
COLUMNS = ["variant", ">accuracy", "recipe", ">n", ">95 % interval", ">best", ">train-test gap", ">parameters"]
COLUMNS += [">seconds", "commit"]


@section("Accuracies")
def accuracies(records: Records) -> list[Part]:
    """The test accuracy of every network with a named recipe; one table for each protocol."""
    found = {protocol: in_protocol(records, protocol) for protocol in PROTOCOLS}
    summaries = [test_accuracy(runs) for groups in found.values() for runs in groups.values()]
    parts = [
        paragraph(
            f"On {DATASET}, 10,000 test images: mean ± standard deviation of n runs, with the 95 % interval of the "
            f"mean.{cut(summaries)} Deviation and gap are in percentage points; the gap is the accuracy on the images "
            f"trained on, undistorted, less the test accuracy. Seconds are the median of the runs' training. {SHARED}"
        )
    ]
    for protocol, words in PROTOCOLS.items():
        rows = [_row(*key, runs) for key, runs in found[protocol].items()]
        parts += [paragraph(f"**{words}**"), table(COLUMNS, rows) if rows else "No run is recorded yet."]
    return parts
