"""What a study shows: a live table where a terminal is, else a line for each run that ends; and its results."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

from keras_mnist.errors import RunError
from keras_mnist.results.tables import numbers_table
from keras_mnist.studies.run import Run
from keras_mnist.studies.study import Study
from keras_mnist.utils.words import counted


class Progress:
    """Shows how far a study is.

    Args:
        workers: how many runs go on at once.
    """

    def __init__(self, study: Study, console: Console, workers: int):
        self.study, self.console, self.workers = study, console, workers
        self.left: list[Run] = []
        self.failed = 0
        self.waits_for: str | None = None
        self.paces: dict[str, list[float]] = defaultdict(list)  # of each variant's finished runs, in seconds per epoch
        for run in study.runs:
            if record := study.record(run):
                self.paces[run.variant.name].append(record.facts["seconds_per_epoch"])
            else:
                self.left.append(run)
        self.live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> Progress:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_) -> None:
        if self.live:
            self.live.stop()

    def ended(self, run: Run, failure: str | None) -> None:
        """Count a run that ended, and say how where there is no table."""
        self.left.remove(run)
        self.failed += failure is not None
        words = f"failed: {failure}"
        if failure is None:
            record = self.study.record(run)
            self.paces[run.variant.name].append(record.facts["seconds_per_epoch"])
            seconds = f"{counted(record.facts['epochs_run'], 'epoch')} in {record.facts['seconds']:.0f} s"
            words = f"{record.accuracy:.2%} of {run.dataset} test images, {seconds}"
        if failure or not self.live:
            self.console.print(f"{run}: {words} ({self._counts([])})")

    def refresh(self, running: Sequence[Run], waits_for: str | None = None) -> None:
        """Draw the table anew; say once where nothing runs and what is waited for."""
        # Another study may have ended some.
        self.left = [run for run in self.left if run in running or not self.study.home(run).finished]
        new, self.waits_for = waits_for != self.waits_for, waits_for
        if self.live:
            self.live.update(self._table(running), refresh=True)
        elif waits_for and new:
            self.console.print(f"waiting for {waits_for} ({self._counts([])})")

    def _table(self, running: Sequence[Run]) -> Table:
        rows = []
        for run in running:
            history = self.study.history(run)
            last = history[-1].get("val_accuracy") if history else None
            epochs = f"{len(history)} of {run.recipe.epochs}"
            rows.append([run.variant.name, str(run.seed), epochs, "" if last is None else f"{last:.2%}"])
        table = numbers_table(self.study.title, ["running", "seed", "epochs", "validation accuracy"], rows)
        table.caption, table.caption_justify = self._counts(running), "left"
        return table

    def _counts(self, running: Sequence[Run]) -> str:
        total = len(self.study.runs)
        words = [f"{total - len(self.left) - self.failed} of {total} finished"]
        words += [f"{self.failed} failed"] if self.failed else []
        words += [f"waiting for {self.waits_for}"] if self.waits_for and self.live else []
        end = self._estimated_end(running)
        return ", ".join(words + ([f"estimated end {end}"] if end else []))

    def _estimated_end(self, running: Sequence[Run]) -> str | None:
        """When all epochs that are left will be done at the pace of those that are; None while there is no pace."""
        epochs, paces = {run: run.recipe.epochs for run in self.left}, {**self.paces}
        for run in running:
            history = self.study.history(run)
            epochs[run] -= len(history)
            if history:
                seconds = [row["seconds"] for row in history]
                paces[run.variant.name] = [*paces.get(run.variant.name, []), statistics.median(seconds)]
        if not paces or not self.left:
            return None
        means = {name: statistics.fmean(values) for name, values in paces.items()}
        usual = statistics.fmean(means.values())
        seconds = sum(count * means.get(run.variant.name, usual) for run, count in epochs.items()) / self.workers
        return time.strftime("%a %H:%M", time.localtime(time.time() + seconds))


def results_table(study: Study) -> Table:
    """Mean and deviation of the accuracy of each variant over its finished seeds."""
    columns = ["variant", "n", "mean test accuracy", "deviation"]
    found: dict[str, list[float]] = defaultdict(list)
    best: dict[str, list[float]] = defaultdict(list)
    for run in study.runs:
        if record := study.record(run):
            found[run.variant.name].append(record.accuracy)
            if run.validation == "test":
                best[run.variant.name].append(record.best_accuracy)
    columns += ["mean of best epochs"] if best else []
    rows = []
    for name, values in found.items():
        row = [name, str(len(values)), f"{statistics.fmean(values):.2%}", _deviation(values)]
        rows.append(row + ([f"{statistics.fmean(best[name]):.2%}"] if best else []))
    return numbers_table(study.title, columns, rows)


def _deviation(values: Sequence[float]) -> str:
    return f"{statistics.stdev(values) * 100:.2f} points" if len(values) > 1 else ""


def conduct(study: Study, pool, console: Console) -> dict[Run, str | None]:
    """Train all that is unfinished in a pool: the runs that ended, and why those that failed did.

    Runs that another study ended meanwhile are not among them.

    Raises: RunError if a finished run in the folder cannot be recorded.
    """
    endings: dict[Run, str | None] = {}
    progress = Progress(study, console, pool.workers)  # reads the records, and refuses damaged ones
    study.keep_records()
    with progress, contextlib.closing(pool.train(list(progress.left))) as rounds:
        for ended in rounds:
            for run, failure in ended:
                endings[run] = failure or _recorded(study, run)
                if endings[run]:
                    study.note_failure(run, endings[run])
                progress.ended(run, endings[run])
            progress.refresh(pool.running, pool.waits_for)
    study.keep_records(but=endings)  # of runs that another study ended
    return endings


def _recorded(study: Study, run: Run) -> str | None:
    """Keep the record of a run that has finished: why that is not possible."""
    try:
        study.keep_record(run)
    except RunError as error:
        return str(error)
    return None
