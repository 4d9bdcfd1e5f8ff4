"""Write one HTML page to draw digits on, recognised by trained networks inside it."""

import argparse
from pathlib import Path

from keras_mnist import cli
from keras_mnist.models import trained
from keras_mnist.utils.files import require_file_name
from keras_mnist.utils.start import import_tensorflow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("--variant", metavar="NAME", help="the trained network that comes with the package")
    either.add_argument("--variants", metavar="NAME,NAME", help="several of them, to choose from on the page")
    either.add_argument("--model", type=cli.path, nargs="+", metavar="PATH", help=".keras files, such as runs'")
    parser.add_argument(
        "--output", type=cli.path, default=Path("page.html"), metavar="PATH", help="where to (page.html)"
    )


def run(chosen: argparse.Namespace) -> None:
    variants = (chosen.variants or chosen.variant or "").split(",")
    networks = [{"model": path, "variant": None} for path in dict.fromkeys(chosen.model or ())]
    networks = networks or [{"model": None, "variant": name} for name in dict.fromkeys(map(str.strip, variants))]
    for network in networks:
        cli.require_network(argparse.Namespace(**network))
    require_file_name(chosen.output, ".html", "output")
    import_tensorflow()

    from keras_mnist.results.page import write_page

    size = write_page([_loaded(**network) for network in networks], chosen.output)
    print(f"{chosen.output}: {size / 1000:.0f} kB, opens in any browser")


def _loaded(model: Path | None, variant: str | None) -> tuple:
    """A model with what is known of the run that it comes from."""
    from keras_mnist.models.loading import load_model
    from keras_mnist.models.registry import create_model
    from keras_mnist.results.export.facts import facts_beside

    if model is not None:
        return load_model(model), facts_beside(model.absolute()) or {}
    return create_model(variant, weights="mnist"), {"variant": variant, **trained.facts(variant)}
