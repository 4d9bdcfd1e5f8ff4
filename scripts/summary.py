"""Show a variant's layers: python scripts/summary.py --variant bn_gap"""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the imports below without their traceback

import dataclasses
import json

from keras_mnist import cli
from keras_mnist.errors import UsageError
from keras_mnist.models.registry import get_variant

FORMATS = ("text", "json", "markdown")


def arguments():
    parser = cli.parser("Print the layers of a variant: model.summary(), mult-adds, receptive fields, blocks.")
    parser.add_argument("--variant", metavar="NAME", help="the network; train.py --list shows all")
    parser.add_argument("--all", action="store_true", help="one row for each variant instead")
    parser.add_argument("--format", default="text", metavar="|".join(FORMATS), help="markdown is for --all alone")
    chosen = parser.parse_args()
    if bool(chosen.variant) == chosen.all:
        raise UsageError("expected either --variant NAME or --all")
    if chosen.format not in FORMATS or (chosen.format == "markdown" and not chosen.all):
        raise UsageError(f"format is {chosen.format!r}, expected text or json, or markdown with --all; see --format")
    return chosen


def main():
    chosen = arguments()
    variant = get_variant(chosen.variant) if chosen.variant else None
    cli.import_tensorflow()

    from keras_mnist.models import analysis
    from keras_mnist.results import tables

    if variant is None:
        rows = analysis.all_variant_facts()
        if chosen.format == "json":
            print(json.dumps(rows, indent=2))
        elif chosen.format == "markdown":
            print(tables.variants_markdown(rows))
        else:
            cli.console().print(tables.variants_table(rows))
    elif chosen.format == "json":
        model = variant.build()
        facts = analysis.layer_facts(model)
        blocks = analysis.parameters_by_block(facts)
        layers = [dataclasses.asdict(fact) for fact in facts]
        print(json.dumps({**analysis.variant_facts(variant), "blocks": blocks, "layers": layers}, indent=2))
    else:
        print(tables.summary_text(variant.build()), end="")


if __name__ == "__main__":
    cli.main(main)
