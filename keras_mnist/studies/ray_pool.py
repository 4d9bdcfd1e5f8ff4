"""The runs of a study on an existing Ray cluster: one task for each, and its folder comes back as files."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import filelock

from keras_mnist.data.digit_set import DigitSet
from keras_mnist.data.mnist import write_cache
from keras_mnist.data.sources import ARCHIVES_VARIABLE
from keras_mnist.errors import RunError, UsageError, first_line
from keras_mnist.results.run_folder import RunFolder
from keras_mnist.studies.pool import RUN_MEMORY_MB, Ended, TrainProcess, interrupted
from keras_mnist.studies.run import Run
from keras_mnist.studies.study import Study
from keras_mnist.utils.environment import usable_cores
from keras_mnist.utils.files import write_whole
from keras_mnist.utils.signals import collected_signals

TICK = 1.0  # seconds between looks at a run on its node, and at the board
RETRIES = 20  # how many lost nodes a run outlives

Files = dict[str, bytes]  # of a run's folder, by name


class Board:
    """Where runs on other nodes leave what they have saved, and read whether to stop: an actor beside the caller."""

    def __init__(self):
        self.files: dict[int, Files] = {}
        self.changed: set[int] = set()
        self.stopping = False

    def saved(self, number: int) -> Files:
        """What the run of this number has left here."""
        return self.files.get(number, {})

    def save(self, number: int, files: Files) -> bool:
        """Leave files that have changed; the answer is whether to stop."""
        self.files[number] = self.saved(number) | files
        self.changed |= {number} if files else set()
        return self.stopping

    def take(self) -> tuple[list[int], dict[int, Files]]:
        """The runs that have begun, and the files that were left since the last call."""
        changed, self.changed = self.changed, set()
        return list(self.files), {number: self.files[number] for number in changed}

    def stop(self) -> None:
        """Let every run save its state and end."""
        self.stopping = True


def train_here(number: int, run: Run, files: Files, digits: DigitSet | None, board) -> tuple[Files, str | None, bool]:
    """The task: train a run on this node with one core.

    Args:
        files: of an earlier, interrupted start.
        digits: the images; None for those that every node has.

    Returns: the files of its folder, why it failed, and whether it was told to stop before its end.
    """
    import ray

    files = ray.get(board.saved.remote(number)) or files
    if ray.get(board.save.remote(number, {})):
        return {}, None, True
    with tempfile.TemporaryDirectory() as temporary, _core_of_its_own() as core:
        runs, data = Path(temporary, "runs"), Path(temporary, "data")
        os.environ.pop(ARCHIVES_VARIABLE, None)
        if digits is not None:
            write_cache(data, digits)
        home = RunFolder(runs / run.folder)
        write_files(home, files)
        process, sent = TrainProcess(run, runs, ["--data-dir", str(data)], [core]), files
        while process.going_on:
            time.sleep(TICK)
            now = _read((home.history, home.state))
            if ray.get(board.save.remote(number, {name: now[name] for name in now if now[name] != sent.get(name)})):
                process.stop()
            sent = now
        return _read(sorted(home.path.glob("[!.]*"))), process.failure, process.interrupted


@contextlib.contextmanager
def _core_of_its_own() -> Iterator[int]:
    """A core that no other run on this node has; any of them if all are taken."""
    with contextlib.ExitStack() as kept:
        for core in usable_cores():
            lock = filelock.FileLock(Path(tempfile.gettempdir(), f"keras_mnist-core{core}.lock"))
            with contextlib.suppress(filelock.Timeout, OSError):
                kept.enter_context(lock.acquire(timeout=0))
                break
        yield core


def _read(paths: Sequence[Path]) -> Files:
    found = {}
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            found[path.name] = path.read_bytes()
    return found


def write_files(home: RunFolder, files: Files) -> None:
    """Write the files of a run, each whole, run.json as the last one: with it the run is done."""
    for name in sorted(files, key=lambda name: name == home.record.name):
        write_whole(home.path / name, files[name])
    if home.record.name in files:
        home.state.unlink(missing_ok=True)


class RayPool:
    """A Ray cluster that is there already.

    Args:
        address: as `ray.init` takes it: "host:6379", or "auto" for the one that this machine belongs to.
        digits: the images, which travel once to each node; None for those that every node has.

    Raises:
        UsageError: Ray is not installed.
        RunError: there is no such cluster, or its versions differ.
    """

    def __init__(self, study: Study, address: str, digits: DigitSet | None):
        self.study, self.digits, self.running, self.waits_for = study, digits, [], None
        # Its logs, pages of them for a lost node, would go between the lines of the study; `ray logs` has them.
        os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": "."}
        try:
            import ray
        except ImportError:
            raise UsageError("`ray` needs the package ray: pip install keras-mnist[ray]") from None
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise RunError(f"no Ray cluster answers at {address} ({first_line(error)}); see `ray`") from error
        self.workers = int(ray.cluster_resources().get("CPU", 1))

    def train(self, runs: Sequence[Run]) -> Iterator[list[Ended]]:
        """Train these runs as LocalPool does; what a lost node was training continues on another."""
        import ray

        board = self._board()
        with collected_signals() as received:
            waiting = self._submit(runs, board)
            while waiting:
                done, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=TICK)
                self._look(runs, board, [waiting[task] for task in waiting])
                if received:
                    board.stop.remote()
                yield [ended for task in done if (ended := self._end(waiting.pop(task), task))]
        ray.shutdown()
        if received:
            raise interrupted(self.study, received[0])

    def _board(self):
        """The actor, on this node: with another one it would be lost."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        return ray.remote(Board).options(num_cpus=0, scheduling_strategy=here).remote()

    def _submit(self, runs: Sequence[Run], board) -> dict:
        """A task for each run."""
        import ray

        task = ray.remote(num_cpus=1, memory=RUN_MEMORY_MB * 2**20, max_retries=RETRIES)(train_here)
        digits = None if self.digits is None else ray.put(self.digits)
        submitted = {}
        for number, run in enumerate(runs):
            home = self.study.home(run)
            home.failure.unlink(missing_ok=True)
            submitted[task.remote(number, run, _read((home.history, home.state)), digits, board)] = run
        return submitted

    def _look(self, runs: Sequence[Run], board, waiting: list[Run]) -> None:
        """Fetch what runs under way have saved, so that nothing of it is lost with their node."""
        import ray

        begun, changed = ray.get(board.take.remote())
        self.running = [runs[number] for number in begun if runs[number] in waiting]
        for number, files in changed.items():
            if runs[number] in waiting:
                write_files(self.study.home(runs[number]), files)

    def _end(self, run: Run, task) -> Ended | None:
        """Keep what a run gave: how it ended, or None if it was told to stop."""
        import ray

        try:
            files, failure, stopped = ray.get(task)
        except ray.exceptions.RayError as error:
            return run, first_line(error)
        write_files(self.study.home(run), files)
        return None if stopped else (run, failure)
