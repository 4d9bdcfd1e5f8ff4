"""Train a very small MNIST network; called again, it continues where it was interrupted."""

import argparse
from pathlib import Path

from keras_mnist import cli
from keras_mnist.errors import UsageError
from keras_mnist.models.registry import get_variant, list_variants
from keras_mnist.utils.start import import_tensorflow


def add_arguments(parser: argparse.ArgumentParser) -> None:
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
    cli.add_number_flag(parser, "--seed", 0, "seed of weights, order and augmentation (0)")
    parser.add_argument(
        "--device", default="auto", metavar="auto|gpu|cpu", help="auto (default): the GPU if there is one"
    )
    parser.add_argument("--runs", type=cli.path, default=Path("runs"), metavar="DIR", help="folder of all runs (runs)")
    parser.add_argument("--overwrite", action="store_true", help="start over instead of continuing a run")
    parser.add_argument(
        "--export", action=argparse.BooleanOptionalAction, default=True, help="write saved_models/<variant>/ (on)"
    )
    cli.add_recipe_flags(parser)


def run(chosen: argparse.Namespace) -> None:
    if chosen.list:
        for name in list_variants():
            variant = get_variant(name)
            print(f"{name:18} {variant.params:>6,} parameters  {variant.study:16} {variant.title}")
        return
    if not chosen.variant:
        raise UsageError("no --variant given; see --list, or try --variant bn_gap")
    recipe = get_variant(chosen.variant).recipe(chosen.recipe).with_settings(**cli.recipe_settings(chosen))
    import_tensorflow()

    from keras_mnist.results.tables import run_table
    from keras_mnist.run import train
    from keras_mnist.utils.screen import screen

    result = train(
        chosen.variant,
        recipe=recipe,
        seed=chosen.seed,
        dataset=chosen.dataset,
        validation=chosen.validation,
        device=chosen.device,
        runs=chosen.runs,
        saved_models=Path("saved_models") if chosen.export else None,
        data_dir=chosen.data_dir,
        mnist_archives=chosen.mnist_archives,
        overwrite=chosen.overwrite,
    )
    screen().print(run_table(result.record, result.folder, result.saved_model))
