"""Print the layers of a variant: model.summary(), mult-adds, receptive fields, blocks."""

import argparse
import dataclasses
import json

from keras_mnist.errors import UsageError
from keras_mnist.models.registry import get_variant
from keras_mnist.utils.start import import_tensorflow

FORMATS = ("text", "json", "markdown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--variant", metavar="NAME", help="the network; keras-mnist train --list shows all")
    parser.add_argument("--all", action="store_true", help="one row for each variant instead")
    parser.add_argument("--format", default="text", metavar="|".join(FORMATS), help="markdown is for --all alone")


def run(chosen: argparse.Namespace) -> None:
    if bool(chosen.variant) == chosen.all:
        raise UsageError("expected either --variant NAME or --all")
    if chosen.format not in FORMATS or (chosen.format == "markdown" and not chosen.all):
        raise UsageError(f"`format` is {chosen.format!r}, expected text or json, or markdown with --all")
    variant = get_variant(chosen.variant) if chosen.variant else None
    import_tensorflow()

    from keras_mnist.models import analysis
    from keras_mnist.results import tables
    from keras_mnist.utils.screen import print_tables

    if variant is None:
        rows = analysis.all_variant_facts()
        if chosen.format == "json":
            print(json.dumps(rows, indent=2))
        elif chosen.format == "markdown":
            print(tables.variants_markdown(rows))
        else:
            print_tables(tables.variants_table(rows))
    elif chosen.format == "json":
        model = variant.build()
        facts = analysis.layer_facts(model)
        blocks = analysis.parameters_by_block(facts)
        layers = [dataclasses.asdict(fact) for fact in facts]
        print(json.dumps({**analysis.variant_facts(variant), "blocks": blocks, "layers": layers}, indent=2))
    else:
        print(tables.summary_text(variant.build()), end="")
