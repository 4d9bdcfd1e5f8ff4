"""The runs of a study as processes on this machine: each an ordinary `train` on cores of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import filelock

from keras_mnist.errors import Interrupted
from keras_mnist.results.run_folder import RunFolder
from keras_mnist.studies.run import Run
from keras_mnist.studies.study import Study
from keras_mnist.utils.environment import usable_cores
from keras_mnist.utils.memory import available_memory_mb
from keras_mnist.utils.screen import shown
from keras_mnist.utils.signals import collected_signals

RUN_MEMORY_MB = 1100  # what a run holds (docs/performance.md)
COMMAND = (sys.executable, "-m", "keras_mnist")
TICK = 0.2  # seconds between looks at the processes
PATIENCE = 30  # seconds for a process that is told to stop, before it is killed

Ended = tuple[Run, str | None]  # a run, and why it failed


def fitting_workers(wanted: int | None) -> tuple[int, str | None]:
    """As many workers as wanted, or one for each core, but no more than memory holds: (workers, why fewer)."""
    workers = wanted or len(usable_cores())
    available = available_memory_mb()
    fitting = min(workers, max(available // RUN_MEMORY_MB, 1))
    if fitting == workers:
        return workers, None
    return fitting, (
        f"{fitting} at once instead of {workers}: {available:,} MB of memory are available and a run holds "
        f"{RUN_MEMORY_MB:,} MB"
    )


def shares_of(cores: Sequence[int], workers: int) -> list[list[int]]:
    """The cores of each worker; where there are more workers than cores, some have the same."""
    return [list(cores[number::workers]) or [cores[number % len(cores)]] for number in range(workers)]


def interrupted(study: Study, number: int) -> Interrupted:
    """What ends a study after a signal, once every run under way has saved its state."""
    return Interrupted(
        f"interrupted; {shown(study.folder)} keeps every run and the state of those under way: the same command "
        "continues",
        exit_code=128 + number,
    )


class TrainProcess:
    """`keras-mnist train` on some cores, with what it prints at the end of output.txt in its run's folder.

    It has a process group of its own, so that Ctrl-C in a terminal does not reach it: whoever started it decides.
    """

    def __init__(self, run: Run, runs: Path, flags: Sequence[str], cores: Sequence[int]):
        self.run, self.cores, self.folder, self.told = run, cores, RunFolder(runs / run.folder), False
        self.folder.path.mkdir(parents=True, exist_ok=True)
        self.folder.failure.unlink(missing_ok=True)
        # Where the system can: should this process be killed, the run saves its state and ends.
        follow = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        command = [*follow, *COMMAND, *run.train_arguments(runs), *flags]
        with self.folder.output.open("ab") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, process_group=0
            )
        if hasattr(os, "sched_setaffinity"):
            with contextlib.suppress(OSError):  # it has ended already
                os.sched_setaffinity(self.process.pid, cores)

    @property
    def going_on(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    @property
    def failure(self) -> str | None:
        """Why a process that has ended failed, in one line; None if it did not."""
        code = self.process.returncode
        if code == 0:
            return None
        if code < 0:
            return f"killed by {signal.Signals(-code).name}" + ", as where memory is short" * (code == -signal.SIGKILL)
        lines = self.folder.output.read_text(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return last.removeprefix("keras-mnist: ") or f"ended with exit code {code}"

    @property
    def interrupted(self) -> bool:
        """Whether it ended because it was told to."""
        return self.told and self.process.returncode in (-signal.SIGTERM, 128 + signal.SIGTERM)

    def stop(self) -> None:
        """Tell it to save its state and end: once, for a second signal would not let it save."""
        if not self.told:
            self.process.terminate()
        self.told = True

    def wait(self) -> None:
        """Wait for the end of a process that was told to stop."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class LocalPool:
    """Worker processes on this machine.

    Args:
        flags: of `train`, beside those that a run itself gives.
    """

    def __init__(self, study: Study, workers: int, flags: Sequence[str]):
        self.study, self.workers, self.flags = study, workers, flags
        self.busy: list[TrainProcess] = []
        self.claims: dict[Run, filelock.FileLock] = {}  # of those runs
        self.waits_for: str | None = None  # where nothing is under way

    @property
    def running(self) -> list[Run]:
        """The runs under way."""
        return [process.run for process in self.busy]

    def train(self, runs: Sequence[Run]) -> Iterator[list[Ended]]:
        """Train these runs; gives the runs that ended, again and again until none is left.

        Raises: Interrupted after Ctrl-C or SIGTERM, once every run under way has saved its state.
        """
        waiting, free = list(runs), shares_of(usable_cores(), self.workers)
        with collected_signals() as received, self._stopped():
            while waiting or self.busy:
                if received:
                    waiting.clear()
                    self._stop()
                while free and (run := self._next(waiting)):
                    self.busy.append(TrainProcess(run, self.study.folder, self.flags, free.pop(0)))
                self.waits_for = "another command, which trains what is left" if waiting and not self.busy else None
                time.sleep(TICK)
                ended = [process for process in self.busy if not process.going_on]
                self.busy = [process for process in self.busy if process not in ended]
                free += [process.cores for process in ended]
                yield [(process.run, process.failure) for process in ended if not process.interrupted]
                for process in ended:  # whose records are kept by now
                    self.claims.pop(process.run).release()
        if received:
            raise interrupted(self.study, received[0])

    def _next(self, waiting: list[Run]) -> Run | None:
        """Take the first run that no other process trains; what one has finished meanwhile is left out."""
        for run in list(waiting):
            home = self.study.home(run)
            if not (lock := home.claim()):
                continue
            if home.finished:
                waiting.remove(run)
            elif not home.in_use:
                waiting.remove(run)
                self.claims[run] = lock
                return run
            lock.release()
        return None

    def _stop(self) -> None:
        for process in self.busy:
            process.stop()

    @contextlib.contextmanager
    def _stopped(self) -> Iterator[None]:
        """Leave no process behind, however the block ends."""
        try:
            yield
        finally:
            self._stop()
            for process in self.busy:
                process.wait()
            for lock in self.claims.values():
                lock.release()
