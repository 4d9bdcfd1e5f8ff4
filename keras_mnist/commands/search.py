"""Compare small networks and settings on held-out training images; called again, it continues."""

import argparse
from pathlib import Path

from keras_mnist import cli
from keras_mnist.errors import Interrupted, UsageError
from keras_mnist.recipe import Recipe
from keras_mnist.settings import checked
from keras_mnist.studies.records import RECORDS
from keras_mnist.utils.signals import collected_signals
from keras_mnist.utils.start import import_tensorflow

FOLDER = RECORDS / "frontier"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--list",
        type=cli.path,
        default=FOLDER / "candidates.txt",
        metavar="FILE",
        help=f"one configuration a line, NETWORK | SETTING=VALUE,... ({FOLDER / 'candidates.txt'})",
    )
    cli.add_number_flag(parser, "--seeds", 2, "seeds 0 to N - 1 of each configuration (2)")
    cli.add_number_flag(parser, "--epochs", 15, "where a line sets none (15)")
    parser.add_argument("--folder", type=cli.path, default=FOLDER, metavar="DIR", help=f"of the records ({FOLDER})")
    cli.add_data_flags(parser)


def run(chosen: argparse.Namespace) -> None:
    checked("seeds", chosen.seeds, int, low=1)
    lines = _lines(chosen.list)
    import_tensorflow()

    from keras_mnist.data.sources import load_data
    from keras_mnist.studies.search import trial
    from keras_mnist.utils.screen import screen

    on, console = trial.device(), screen()
    configurations = [_configuration(*line, chosen.epochs) for line in lines]
    digits = load_data(chosen.dataset, chosen.data_dir, chosen.mnist_archives)
    # Around all trials: TensorFlow may swallow the exception that a signal raises while a network is built.
    with collected_signals() as received:
        for seed in range(chosen.seeds):
            for configuration in configurations:
                path = configuration.record_file(chosen.folder, digits.name, seed)
                with trial.claimed(path) as free:
                    if free:
                        console.print(f"seed {seed}: {configuration}")
                        if record := trial.train(configuration, seed, digits, on, console, received):
                            trial.keep(record, path)
                if received:
                    raise Interrupted(
                        "interrupted; the finished trials are kept, and the same command goes on", 128 + received[0]
                    )
    print(_table(chosen.folder, digits.name))


def _lines(path: Path) -> list[tuple[str, str, dict]]:
    """Where each line of a list stands, its network and its settings.

    Raises: UsageError if there is no such file, or a setting is none.
    """
    if not path.is_file():
        raise UsageError(f"{path} is no file, expected one configuration a line; see `list`")
    texts = [(f"{path}:{number}", line.partition("#")[0]) for number, line in enumerate(path.open(), 1)]
    return [(where, *_parts(text, where)) for where, text in texts if text.strip()]


def _configuration(where: str, network: str, settings: dict, epochs: int):
    """A line's configuration; what is wrong with it is told before any is trained."""
    from keras_mnist.studies.search import notation, trial

    try:
        notation.build(network)
        return trial.Configuration(network, trial.BASE.with_settings(**{"epochs": epochs, **settings}))
    except UsageError as error:
        raise UsageError(f"{where}: {error}".replace("`", "")) from error  # settings of a line, and no flags


def _parts(line: str, where: str) -> tuple[str, dict]:
    """A line's network, and its recipe settings as train's flags read them.

    Raises: UsageError that says where the line stands.
    """
    network, _, text = line.partition("|")
    settings = [setting.strip().partition("=") for setting in text.split(",") if setting.strip()]
    known = Recipe().flat()
    flags = []
    for name, _, value in settings:
        if name not in known or not value:
            raise UsageError(f"{where}: {name!r} is no recipe setting with a value, expected one such as epochs=20")
        flag = name.replace("_", "-")
        switch = {"true": f"--{flag}", "false": f"--no-{flag}"} if isinstance(known[name], bool) else {}
        flags.append(switch.get(value, f"--{flag}={value}"))
    parser = cli.parser(where, "")
    cli.add_recipe_flags(parser)
    return " ".join(network.split()), cli.recipe_settings(parser.parse_args(flags))


def _table(folder: Path, dataset: str) -> str:
    """Every configuration on record, the lowest mean held-out loss first; names are too long for a table with rules."""
    from keras_mnist.studies.search.found import results

    lines = [f"held-out training images of {dataset}", "  loss  deviation  accuracy   n  parameters  seconds"]
    for found in results(folder, dataset):
        first, loss, accuracy = found.first, found.loss, found.accuracy
        scores = f"{'diverged':25}   0"
        if loss:
            deviation = f"{loss.deviation:.4f}" if loss.n > 1 else ""
            scores = f"{loss.mean:.4f} {deviation:>10} {accuracy.mean:>8.2%} {loss.n:>3}"
        size = f"{first['parameters']:>11,} {found.seconds:>8,.0f}"
        lines.append(f"{scores} {size}  {first['network']} | {first['settings']}")
    return "\n".join(lines)
