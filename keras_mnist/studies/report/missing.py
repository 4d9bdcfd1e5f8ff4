"""Which runs the study still lacks, and the commands that add them."""

from __future__ import annotations

from keras_mnist.models.registry import get_variant, list_variants
from keras_mnist.studies.records import AS_DOCUMENTED, ON_ALL_IMAGES, TUNED, Records
from keras_mnist.studies.report.registry import Part, section
from keras_mnist.studies.report.words import items, names, training_command

RANKED = ("bn_gap", "swift", "tiny_8k", "tiny_4k", "tiny_2k", "tiny_1k")
RANKED_ON_ALL_IMAGES = ("tiny_8k", "tiny_4k")

# What the study asks for: how it is called, the recipe, the variants or None for all that have it, and seeds.
WANTED = (
    ("document protocol", AS_DOCUMENTED, None, 5),
    ("held-out protocol with `tuned`", TUNED, None, 3),
    ("held-out protocol with `tuned`", TUNED, RANKED, 10),
    ("held-out protocol with `document`", "document", ("bn_gap",), 10),
    ("all images with `tuned`", ON_ALL_IMAGES, RANKED_ON_ALL_IMAGES, 10),
)


@section("What is missing")
def missing(records: Records) -> list[Part]:
    """By protocol: networks without a run, those with too few, and what trains them."""
    lines, commands = [], []
    for words, recipe, some, seeds in WANTED:
        runs = records.of(recipe)
        variants = some or [name for name in list_variants() if recipe == TUNED or get_variant(name).document]
        none = [name for name in variants if name not in runs]
        few = [f"`{name}` ({len(runs[name])})" for name in variants if name in runs and len(runs[name]) < seeds]
        lines += [f"{words}, {seeds} seeds wanted and no run: {names(none)}."] * bool(none)
        lines += [f"{words}, fewer than {seeds} seeds: {', '.join(few)}."] * bool(few)
        commands += [training_command(recipe, some, seeds)] * bool(none or few)
    if not lines:
        return ["Nothing: all runs that the study asks for are recorded."]
    return [items(lines), "These commands train what has no record yet:", "\n".join(["```", *commands, "```"])]
