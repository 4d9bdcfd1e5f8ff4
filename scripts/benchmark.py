"""Measure speed beside what a user would write: python scripts/benchmark.py --json benchmark.json"""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the imports below without their traceback

import json
from pathlib import Path

from keras_mnist import cli
from keras_mnist.errors import UsageError

PEERS = ("none", "torch")


def arguments():
    parser = cli.parser("Measure training, input, start-up and inference in interleaved repeats; medians and spread.")
    cli.add_data_flags(parser)
    parser.add_argument("--peer", default="none", metavar="|".join(PEERS), help="also train in PyTorch (extra: bench)")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="repeats of each measurement (5)")
    parser.add_argument("--steps", type=int, default=60, metavar="N", help="training steps a repeat (60)")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="runs for the time to an accuracy (3)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write all values to this file")
    chosen = parser.parse_args()
    if chosen.peer not in PEERS:
        raise UsageError(f"peer is {chosen.peer!r}, expected one of {', '.join(PEERS)}; see --peer")
    for name in ("repeats", "steps", "seeds"):
        if getattr(chosen, name) < 1:
            raise UsageError(f"{name} is {getattr(chosen, name)}, expected at least 1; see --{name}")
    return chosen


def main():
    chosen = arguments()
    cli.import_tensorflow()

    from keras_mnist.data.sources import load
    from keras_mnist.files import write_whole
    from keras_mnist.results import benchmark, tables
    from keras_mnist.training import runtime

    data = chosen.dataset, chosen.data_dir, chosen.mnist_archives
    digits = load(*data)
    workers = [0, 1, 2] if chosen.peer == "torch" else []
    console = cli.console()
    results = {
        "training": benchmark.epoch_seconds(data, chosen.steps, chosen.repeats, workers),
        "input": benchmark.pipeline_seconds(digits, chosen.steps, chosen.repeats),
        "inference": benchmark.inference_rates(chosen.repeats),
    }
    results["start"] = benchmark.start_seconds(data, chosen.repeats)
    results["accuracy"] = benchmark.seconds_to_accuracy(data, chosen.seeds)
    for title, measurements in results.items():
        console.print(tables.measurement_table(f"{title}, {digits.name}", measurements))
    if chosen.json:
        device = runtime.choose_device("cpu")
        rows = {title: [m.row() for m in measurements] for title, measurements in results.items()}
        facts = {"dataset": digits.name, **runtime.surroundings(device), "source_commit": runtime.source_commit()}
        write_whole(chosen.json, json.dumps({**facts, **rows}, indent=2) + "\n")


if __name__ == "__main__":
    cli.main(main)
