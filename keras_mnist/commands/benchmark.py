"""Measure training, input, start-up and inference beside baselines, in interleaved repeats."""

import argparse
import json
from pathlib import Path

from keras_mnist import cli
from keras_mnist.errors import UsageError
from keras_mnist.utils.start import import_tensorflow

BASELINES = ("keras", "torch")
PARTS = ("training", "threads", "input", "inference", "start", "accuracy", "formats")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cli.add_data_flags(parser)
    parser.add_argument(
        "--baseline", default="keras", metavar="|".join(BASELINES), help="torch: PyTorch too (extra: bench); keras"
    )
    cli.add_number_flag(parser, "--repeats", 5, "repeats of each measurement (5)")
    cli.add_number_flag(parser, "--steps", 60, "training steps per repeat (60)")
    cli.add_number_flag(parser, "--seeds", 3, "runs for the time to an accuracy (3)")
    parser.add_argument(
        "--parts",
        default=",".join(PARTS),
        metavar="NAME,...",
        help=f"what is measured ({','.join(PARTS)})",
    )
    parser.add_argument(
        "--json",
        type=cli.path,
        metavar="PATH",
        help="also write all values to this file, in place of the same parts there",
    )


def run(chosen: argparse.Namespace) -> None:
    if chosen.baseline not in BASELINES:
        raise UsageError(f"`baseline` is {chosen.baseline!r}, expected one of {', '.join(BASELINES)}")
    for name in ("repeats", "steps", "seeds"):
        if getattr(chosen, name) < 1:
            raise UsageError(f"`{name}` is {getattr(chosen, name)}, expected at least 1")
    for part in chosen.parts.split(","):
        if part not in PARTS:
            raise UsageError(f"`parts` names {part!r}, expected some of {','.join(PARTS)}")
    known = _read(chosen.json)
    import_tensorflow()

    from keras_mnist.benchmarks.measurements import measure
    from keras_mnist.results.tables import measurement_table
    from keras_mnist.utils.files import write_whole
    from keras_mnist.utils.screen import print_tables

    data = chosen.dataset, chosen.data_dir, chosen.mnist_archives
    for part in chosen.parts.split(","):
        facts, found = measure(part, data, chosen.steps, chosen.repeats, chosen.seeds, chosen.baseline == "torch")
        print_tables(measurement_table(f"{part}, {facts['dataset']}", found))
        if chosen.json:
            known[part] = {"facts": facts, "rows": [measurement.row() for measurement in found]}
            write_whole(chosen.json, json.dumps(known, indent=2) + "\n")


def _read(path: Path | None) -> dict:
    """What an earlier benchmark wrote to a file; {} where there is none.

    Raises: UsageError if it holds anything else.
    """
    if path is None or not path.exists():
        return {}
    try:
        known = json.loads(path.read_text())
        if all("rows" in part for part in known.values()):
            return known
    except (OSError, ValueError, AttributeError, TypeError):
        pass
    raise UsageError(f"`json` is {path}, which no benchmark wrote, expected a new file or one of an earlier benchmark")
