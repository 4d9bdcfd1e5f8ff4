"""Which digits are predicted wrongly, and as what; with `tuned`, where every decision was made on other images."""

from __future__ import annotations

import collections
import dataclasses

from matplotlib.axes import Axes

from keras_mnist.results.drawing import drawing
from keras_mnist.studies.records import DATASET, TUNED, Record, Records
from keras_mnist.studies.report.registry import Part, Picture, section
from keras_mnist.studies.report.words import paragraph, table

SHOWN = 20


def confusion(runs: list[Record]) -> list[list[float]]:
    """Row: the digit; column: as what it is predicted; how often in one run, on average."""
    counts = collections.Counter((row["label"], row["prediction"]) for run in runs for row in run.test_errors)
    return [[counts[label, prediction] / len(runs) for prediction in range(10)] for label in range(10)]


@dataclasses.dataclass
class HardImage:
    """One test image: how many networks predict it wrongly with most of their seeds, and what all such runs say."""

    index: int
    label: int
    networks: int
    said: collections.Counter


def hardest_images(networks: dict[str, list[Record]]) -> list[HardImage]:
    """The images that most networks predict wrongly, the hardest first."""
    labels: dict[int, int] = {}
    said: dict[int, collections.Counter] = collections.defaultdict(collections.Counter)
    by_network: collections.Counter = collections.Counter()
    for runs in networks.values():
        times: collections.Counter = collections.Counter()
        for row in (row for run in runs for row in run.test_errors):
            index = row["index"]
            labels[index] = row["label"]
            said[index][row["prediction"]] += 1
            times[index] += 1
        by_network.update(index for index, count in times.items() if 2 * count > len(runs))
    order = sorted(said, key=lambda index: (-by_network[index], -said[index].total(), index))
    return [HardImage(index, labels[index], by_network[index], said[index]) for index in order]


def _matrix(found: list[list[float]]):
    def draw(axes: Axes):
        axes.pcolormesh(found, cmap="Blues", vmin=0, vmax=max(map(max, found)) * 1.4 or 1)
        for label, row in enumerate(found):
            for prediction, count in enumerate(row):
                if count >= 0.05:
                    axes.text(prediction + 0.5, label + 0.5, f"{count:.1f}", ha="center", va="center", fontsize=8)
        middles = [digit + 0.5 for digit in range(10)]
        axes.set_xticks(middles, range(10))
        axes.set_yticks(middles, range(10))
        axes.invert_yaxis()
        axes.set_aspect("equal")
        axes.set_xlabel("predicted")
        axes.set_ylabel("digit")
        axes.grid(visible=False)

    return draw


def _said(counts: collections.Counter) -> str:
    return ", ".join(f"{digit} ({count})" for digit, count in sorted(counts.items(), key=lambda pair: -pair[1]))


@section("Wrong predictions")
def wrong_predictions(records: Records) -> list[Part]:
    """The confusion matrix, and the digits that most networks predict wrongly."""
    networks = records.of(TUNED)
    runs = [run for found in networks.values() for run in found]
    if not runs:
        return ["No run is recorded yet."]
    found = confusion(runs)
    pairs = sorted(((found[a][b], a, b) for a in range(10) for b in range(10)), reverse=True)[:10]
    images = hardest_images(networks)
    rows = [
        (row.index, row.label, f"{row.networks} of {len(networks)}", row.said.total(), _said(row.said))
        for row in images[:SHOWN]
    ]
    all_images = runs[0].facts["test_images"]
    return [
        paragraph(
            f"Held-out protocol with `tuned` on {DATASET}: {len(runs)} runs of {len(networks)} networks. "
            f"{all_images - len(images):,} of the {all_images:,} test images are predicted correctly by all of "
            "them. Most frequent in a run: "
            + "; ".join(f"a {a} predicted as {b} ({count:.1f} times)" for count, a, b in pairs if count)
            + "."
        ),
        Picture(drawing(_matrix(found), 4.2), "How often a digit is predicted as another in one run, on average."),
        paragraph(
            "The images that most networks predict wrongly. The index is that of "
            "`keras_mnist.load_data().test_images`; a network counts where most of its seeds predict the image "
            "wrongly; in brackets are runs."
        ),
        table([">index", ">label", ">networks", ">runs", "predicted as"], rows),
    ]
