"""Train a variant and keep the run: python scripts/train.py --variant bn_gap"""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the imports below without their traceback

import argparse
from pathlib import Path

from keras_mnist import cli
from keras_mnist.errors import UsageError
from keras_mnist.models.registry import get_variant, list_variants


def arguments():
    parser = cli.parser("Train a very small MNIST network; called again, it continues where it was interrupted.")
    parser.add_argument("--variant", metavar="NAME", help="the network; --list shows all")
    parser.add_argument("--list", action="store_true", help="show all variants and exit")
    parser.add_argument(
        "--recipe",
        default="tuned",
        metavar="tuned|fast|document",
        help="ours (default), ours with fewer epochs, or that of the network's source",
    )
    cli.add_data_flags(parser)
    parser.add_argument(
        "--validation",
        default="held-out",
        metavar="held-out|test|none",
        help="what callbacks watch: 5,000 training images held out (default), the test set as the source documents "
        "did, or none: the training loss, with all images trained on",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of weights, order and augmentation (0)")
    parser.add_argument(
        "--device", default="auto", metavar="auto|gpu|cpu", help="auto (default): the GPU if there is one"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="folder of all runs (runs)")
    parser.add_argument("--fresh", action="store_true", help="start over instead of continuing a run")
    parser.add_argument(
        "--export", action=argparse.BooleanOptionalAction, default=True, help="write saved_models/<variant>/ (on)"
    )
    cli.add_recipe_flags(parser)
    return parser.parse_args()


def main():
    chosen = arguments()
    if chosen.list:
        for name in list_variants():
            variant = get_variant(name)
            print(f"{name:18} {variant.params:>6,} parameters  {variant.study:16} {variant.title}")
        return
    if not chosen.variant:
        raise UsageError("no --variant given; see --list, or try --variant bn_gap")
    recipe = get_variant(chosen.variant).recipe(chosen.recipe).with_settings(**cli.recipe_settings(chosen))
    cli.import_tensorflow()

    from keras_mnist.results.tables import run_table
    from keras_mnist.training.run import train

    console = cli.console()
    saved_models = Path("saved_models") if chosen.export else None
    result = train(
        chosen.variant,
        recipe=recipe,
        seed=chosen.seed,
        dataset=chosen.dataset,
        validation=chosen.validation,
        device=chosen.device,
        runs=chosen.runs,
        saved_models=saved_models,
        data_dir=chosen.data_dir,
        archives=chosen.mnist_archives,
        fresh=chosen.fresh,
        console=console,
    )
    console.print(run_table(result, saved_models and saved_models / chosen.variant))


if __name__ == "__main__":
    cli.main(main)
