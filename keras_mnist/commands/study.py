"""Train networks with several seeds, each run in its own folder; called again, it continues."""

import argparse
import shlex
import time
from pathlib import Path

from rich.console import Console

from keras_mnist import cli
from keras_mnist.data.digit_set import DigitSet
from keras_mnist.data.sources import DATASETS, load_data
from keras_mnist.errors import RunError, UsageError
from keras_mnist.studies.pool import LocalPool, fitting_workers
from keras_mnist.studies.progress import conduct, results_table
from keras_mnist.studies.ray_pool import RayPool
from keras_mnist.studies.records import RECORDS
from keras_mnist.studies.study import Study, plan_study
from keras_mnist.utils.files import require_room
from keras_mnist.utils.screen import screen
from keras_mnist.utils.words import counted, flags_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--variants", default="all", metavar="all|NAME,NAME", help="the networks; all (default) that have the recipe"
    )
    parser.add_argument("--recipe", default="tuned", metavar="tuned|fast|document", help="of all runs (tuned)")
    parser.add_argument(
        "--validation", default="held-out", metavar="held-out|test|none", help="what callbacks watch (held-out)"
    )
    cli.add_number_flag(parser, "--seeds", 5, "seeds 0 to N - 1 of each network (5)")
    cli.add_data_flags(parser)
    parser.add_argument("--runs", type=cli.path, default=Path("runs"), metavar="DIR", help="folder of all runs (runs)")
    cli.add_number_flag(parser, "--workers", None, "runs at once; each gets its share of the cores (one)")
    parser.add_argument("--ray", metavar="ADDRESS", help="train on this Ray cluster instead, one core for each run")
    parser.add_argument(
        "--records",
        type=cli.path,
        metavar="DIR",
        help="keep a copy of each finished run here, without its weights; what has a record here is not trained again",
    )
    parser.add_argument(
        "--from-records",
        action="store_true",
        help=f"train nothing: show what the records ({RECORDS}) and runs give, and the runs that are missing",
    )


def run(chosen: argparse.Namespace) -> None:
    if chosen.workers is not None and chosen.workers < 1:
        raise UsageError(f"`workers` is {chosen.workers}, expected at least 1")
    if chosen.workers and chosen.ray:
        raise UsageError("`workers` is for this machine; with `ray` the cluster's cores decide: leave out one of them")
    _plan(chosen, chosen.dataset)  # what is wrong is told before any data are looked for
    if not chosen.from_records:
        require_room(chosen.runs, "runs")
        if chosen.records:
            require_room(chosen.records, "records")
    study = _plan(chosen, _data_set(chosen))
    if chosen.from_records:
        _show_missing(study, chosen)
    else:
        _train(study, chosen)


def _plan(chosen: argparse.Namespace, dataset: str) -> Study:
    return plan_study(
        chosen.variants,
        recipe=chosen.recipe,
        validation=chosen.validation,
        seeds=chosen.seeds,
        dataset=dataset,
        folder=chosen.runs,
        records=chosen.records or (RECORDS if chosen.from_records else None),
    )


def _data_set(chosen: argparse.Namespace) -> str:
    """The name of the data set; MNIST is looked for once, before anything is started."""
    if chosen.dataset not in DATASETS:
        raise UsageError(f"`dataset` is {chosen.dataset!r}, expected one of {', '.join(DATASETS)}")
    if chosen.from_records and chosen.dataset == "auto":
        return "mnist"
    return chosen.dataset if chosen.from_records or chosen.dataset == "digits" else _load(chosen).name


def _load(chosen: argparse.Namespace) -> DigitSet:
    return load_data(chosen.dataset, chosen.data_dir, chosen.mnist_archives)


def _show_missing(study: Study, chosen: argparse.Namespace) -> None:
    screen().print(results_table(study))
    missing, seeds = study.unfinished(), {}
    for one in missing:
        seeds.setdefault(one.variant.name, []).append(str(one.seed))
    if not missing:
        return
    print(f"missing: {len(missing)} of {counted(len(study.runs), 'run')}")
    for name, numbers in seeds.items():
        print(f"  {name}: {'seed' if len(numbers) == 1 else 'seeds'} {', '.join(numbers)}")
    flags = {"variants": ",".join(seeds), "recipe": chosen.recipe, "validation": chosen.validation}
    flags |= {"seeds": chosen.seeds, "dataset": study.runs[0].dataset, "runs": study.folder, "records": study.records}
    words = shlex.join([*flags_of(flags), *_data_flags(chosen)])
    print(f"This command trains them:\nkeras-mnist study {words}")


def _train(study: Study, chosen: argparse.Namespace) -> None:
    console, started, before = screen(), time.monotonic(), len(study.unfinished())
    pool = _pool(study, chosen, console)
    console.print(
        f"{before} of {counted(len(study.runs), 'run')} to train, {pool.workers} at once, into {study.folder}"
    )
    endings = conduct(study, pool, console)
    failures = {one: why for one, why in endings.items() if why}
    console.print(results_table(study))
    hours, trained = (time.monotonic() - started) / 3600, len(endings) - len(failures)
    if trained:
        console.print(f"{counted(trained, 'run')} in {hours * 60:.1f} minutes: {trained / hours:.1f} runs per hour")
    if failures:
        words = "; ".join(f"{one}: {failure}" for one, failure in failures.items())
        raise RunError(
            f"{len(failures)} of {counted(len(study.runs), 'run')} failed ({words}); the same command tries them again"
        )


def _pool(study: Study, chosen: argparse.Namespace, console: Console) -> LocalPool | RayPool:
    """What trains the runs: a cluster, or as many processes as this machine holds."""
    if chosen.ray:
        everywhere = study.runs[0].dataset == "digits"
        return RayPool(study, chosen.ray, None if everywhere else _load(chosen))
    workers, why_fewer = fitting_workers(chosen.workers)
    if why_fewer:
        console.print(why_fewer)
    return LocalPool(study, workers, _data_flags(chosen))


def _data_flags(chosen: argparse.Namespace) -> list[str]:
    found = {"data-dir": chosen.data_dir, "mnist-archives": chosen.mnist_archives}
    return flags_of({name: value for name, value in found.items() if value})
