"""docs/results.csv: one row for each network, recipe and protocol, for programs.

Accuracies are in per cent, and their intervals end at 0 and 100; seconds are the median of the runs.
"""

from __future__ import annotations

import csv
import io
import statistics

from keras_mnist.studies.records import DATASET, Record, Records, without_validation
from keras_mnist.studies.report.groups import commits, gap, test_accuracy
from keras_mnist.studies.report.networks import network_facts
from keras_mnist.studies.statistics import Summary, summarize


def results_csv(records: Records) -> str:
    """Every recipe that was trained on MNIST, the best first in each protocol."""
    groups = sorted(
        records.by_recipe().items(),
        key=lambda item: (item[1][0].protocol, -test_accuracy(item[1]).mean, item[0]),
    )
    rows = [_row(*key, runs) for key, runs in groups]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(variant: str, recipe: str, runs: list[Record]) -> dict:
    last, between = test_accuracy(runs), gap(runs)
    best = summarize([run.best_accuracy for run in runs]) if runs[0].protocol == "document" else None
    return {
        "variant": variant,
        "recipe": without_validation(recipe)[0],
        "protocol": runs[0].protocol,
        "dataset": DATASET,
        "n": last.n,
        "mean": _mean(last),
        "std": _deviation(last),
        "interval_low": _percent(last.interval[0]),
        "interval_high": _percent(last.interval[1]),
        "interval": "t" if last.n > 1 else "Wilson",
        "best_epoch_mean": _mean(best),
        "best_epoch_std": _deviation(best),
        "train_test_gap": _mean(between),
        "parameters": runs[0].facts["trainable_parameters"],
        "mult_adds": network_facts()[variant]["mult_adds"],
        "seconds": round(statistics.median(run.facts["seconds"] for run in runs), 1),
        "commit": commits(runs),
    }


def _mean(found: Summary | None) -> str:
    return _percent(found.mean) if found else ""


def _deviation(found: Summary | None) -> str:
    return _percent(found.deviation) if found and found.n > 1 else ""


def _percent(share: float) -> str:
    return f"{share * 100:.3f}"
