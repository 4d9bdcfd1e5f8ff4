"""Which runs the study still lacks."""

from __future__ import annotations

from keras_mnist.models.registry import get_variant, list_variants
from keras_mnist.studies.records import AS_DOCUMENTED, TUNED, Records
from keras_mnist.studies.report.registry import Part, section
from keras_mnist.studies.report.words import names, paragraph

SEEDS = {
    AS_DOCUMENTED: ("document protocol", 5),
    TUNED: ("held-out protocol with `tuned`", 3),
}  # what the study asks for


@section("What is missing")
def missing(records: Records) -> list[Part]:
    """By protocol: networks without a run, and those with too few."""
    lines = []
    for recipe, (words, seeds) in SEEDS.items():
        runs = records.of(recipe)
        variants = [name for name in list_variants() if recipe == TUNED or get_variant(name).document]
        none = [name for name in variants if name not in runs]
        few = [f"`{name}` ({len(runs[name])})" for name in variants if len(runs.get(name, [])) in range(1, seeds)]
        lines += [paragraph(f"- {words}, no run: {names(none)}.")] * bool(none)
        lines += [paragraph(f"- {words}, fewer than {seeds} seeds: {', '.join(few)}.")] * bool(few)
    return ["\n".join(lines) or "Nothing: every network has its seeds in both protocols."]
