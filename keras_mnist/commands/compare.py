"""Train variants by their documents' recipes in PyTorch, beside claims that are not reached here."""

import argparse
import json

from keras_mnist import cli
from keras_mnist.benchmarks.baselines import require_pytorch
from keras_mnist.models.registry import get_variant
from keras_mnist.settings import checked
from keras_mnist.studies.records import RECORDS
from keras_mnist.utils.files import write_whole
from keras_mnist.utils.start import import_tensorflow

FOLDER = RECORDS / "pytorch"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--variants", required=True, metavar="NAME,NAME", help="the networks")
    cli.add_number_flag(parser, "--seeds", 3, "seeds 0 to N - 1 of each network (3)")
    parser.add_argument("--folder", type=cli.path, default=FOLDER, metavar="DIR", help=f"of the records ({FOLDER})")
    cli.add_data_flags(parser)


def run(chosen: argparse.Namespace) -> None:
    checked("seeds", chosen.seeds, int, low=1)
    variants = [get_variant(name.strip()) for name in chosen.variants.split(",")]
    require_pytorch("compare")
    import_tensorflow()

    from keras_mnist.benchmarks import torch_document
    from keras_mnist.data.sources import load_data

    for variant in variants:
        torch_document.network(variant)
        torch_document.document_recipe(variant)
    digits = load_data(chosen.dataset, chosen.data_dir, chosen.mnist_archives)
    for seed in range(chosen.seeds):
        for variant in variants:
            path = chosen.folder / digits.name / variant.name / f"seed{seed}.json"
            if not path.is_file():
                write_whole(path, json.dumps(torch_document.train(variant, seed, digits), indent=1) + "\n")
            print(_line(json.loads(path.read_text())), flush=True)


def _line(record: dict) -> str:
    accuracies = record["test_accuracy_by_epoch"]
    return (
        f"{record['variant']}, seed {record['seed']}, in PyTorch: best {max(accuracies):.2%}, last "
        f"{accuracies[-1]:.2%} of the {record['dataset']} test images, {record['seconds']:.0f} s"
    )
