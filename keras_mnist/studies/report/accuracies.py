"""How accurate each network is after its last epoch, in each of the two protocols."""

from __future__ import annotations

from keras_mnist.studies.records import DATASET, Record, Records
from keras_mnist.studies.report.groups import commits, gap, in_protocol, test_accuracy
from keras_mnist.studies.report.registry import Part, section
from keras_mnist.studies.report.words import interval, paragraph, percent, points, seconds, table
from keras_mnist.studies.statistics import summarize

PROTOCOLS = {
    "document": "Document protocol: trained on all 60,000 images, the callbacks watch the test images as the sources "
    "did; after the last epoch.",
    "held-out": "Held-out protocol: 5,000 training images are held out and every decision is made on them; the test "
    "images are scored once, after the last epoch.",
}


def _row(variant: str, recipe: str, runs: list[Record]):
    found, between = test_accuracy(runs), gap(runs)
    yield from (f"`{variant}`", f"`{recipe.partition(',')[0]}`", f"{runs[0].facts['trainable_parameters']:,}", found.n)
    yield from (percent(found.mean), points(found.deviation), interval(found))
    yield percent(found.best)
    yield f"{points(between.mean)}{f' ± {points(between.deviation)}' * (between.n > 1)}"
    yield seconds(summarize([run.facts["seconds"] for run in runs]))
    yield commits(runs)


COLUMNS = ["variant", "recipe", ">parameters", ">n", ">mean", ">deviation", ">95 % interval", ">best"]
COLUMNS += [">train-test gap", ">seconds", "commit"]


@section("Accuracies")
def accuracies(records: Records) -> list[Part]:
    """The test accuracy of every network with a named recipe; one table for each protocol."""
    parts = [
        paragraph(
            f"On {DATASET}, 10,000 test images. Deviation and gap in percentage points; the gap is the accuracy on the "
            "images trained on, undistorted, less the test accuracy; seconds are of training, mean of the runs, on "
            "machines that [Where it ran](#where-it-ran) lists."
        )
    ]
    for protocol, words in PROTOCOLS.items():
        rows = [_row(*key, runs) for key, runs in in_protocol(records, protocol).items()]
        parts += [paragraph(f"**{words}**"), table(COLUMNS, rows) if rows else "No run is recorded yet."]
    return parts
