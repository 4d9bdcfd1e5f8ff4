"""Where the runs were trained, and with what."""

from __future__ import annotations

import collections

from keras_mnist.studies.records import Record, Records
from keras_mnist.studies.report.groups import commits
from keras_mnist.studies.report.registry import Part, section
from keras_mnist.studies.report.words import paragraph, table


def _environment(run: Record) -> tuple:
    facts = run.facts
    versions = facts["versions"]
    cores = facts["shards"] * facts["threads"]
    return facts["processor"], cores, versions["python"], versions["tensorflow"], versions["keras"], commits([run])


@section("Where it ran")
def provenance(records: Records) -> list[Part]:
    """Machine, versions and commit of all runs."""
    counts: collections.Counter = collections.Counter()
    seconds: collections.Counter = collections.Counter()
    for run in records.runs:
        counts[_environment(run)] += 1
        seconds[_environment(run)] += run.facts["seconds"]
    rows = [(*environment, counts[environment], f"{seconds[environment] / 3600:.1f}") for environment in sorted(counts)]
    columns = ["processor", ">cores", "Python", "TensorFlow", "Keras", "commit", ">runs", ">hours"]
    return [
        paragraph(
            f"{len(records.runs)} runs, each with its settings, machine, versions and commit in a `run.json` under "
            "`docs/records/`. Cores are those that one run used."
        ),
        table(columns, rows),
    ]
