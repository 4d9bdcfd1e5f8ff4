"""The networks themselves, counted where they are built."""

from __future__ import annotations

import functools

from keras_mnist.models.analysis import all_variant_facts
from keras_mnist.results.tables import variants_markdown
from keras_mnist.studies.records import Records
from keras_mnist.studies.report.registry import Part, region


@functools.cache
def network_facts() -> dict[str, dict]:
    """Parameters, mult-adds and more of every variant, by name."""
    return {row["variant"]: row for row in all_variant_facts()}


@region
def variants(records: Records) -> list[Part]:
    """All variants of the registry."""
    return [variants_markdown(list(network_facts().values()))]
