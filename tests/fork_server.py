"""Scripts run as processes of their own, without four seconds of imports each: a process that has imported all forks.

That process computes nothing, so that each script finds TensorFlow as its import leaves it: no threads, no context.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (-9 for signal 9; None if it had to be killed) and what it printed."""

    code: int | None
    output: str
    complaints: str


class ForkServer:
    """Runs scripts one after the other; made by `fork_server`."""

    def __init__(self, process: subprocess.Popen):
        self._process = process

    def run(
        self,
        script: Path,
        arguments: list[str],
        folder: Path,
        *,
        number: int = signal.SIGTERM,
        after_seconds: float | None = None,
        after_words: str | None = None,
    ) -> Ended:
        """Run a script inside a folder, which is made; what it prints is kept beside that folder.

        Args:
            number: a signal, which is sent after so many seconds, or once these words were printed; else never.
        """
        folder.mkdir(parents=True, exist_ok=True)
        request = {"script": str(script), "arguments": [str(word) for word in arguments], "folder": str(folder)}
        request |= {"number": number, "seconds": after_seconds, "words": after_words}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        code = json.loads(self._process.stdout.readline())
        output, complaints = (path.read_text(errors="replace") for path in _printed(folder))
        return Ended(code, output, complaints)

    def printed_by(self, text: str, folder: Path) -> str:
        """What a script of this text prints; it has to end well."""
        (script := folder / "script.py").write_text(text)
        ended = self.run(script, [], folder / "work")
        assert ended.code == 0, ended.complaints
        return ended.output


@contextlib.contextmanager
def fork_server(arrays: dict[str, np.ndarray], numbers: dict, folder: Path) -> Iterator[ForkServer]:
    """A server whose scripts find a small data set in place of the embedded digits, and MNIST nowhere.

    Args:
        arrays, numbers: the fields of the DigitSet.
        folder: for its files.
    """
    np.savez(folder / "digits.npz", **arrays)
    command = [sys.executable, "-m", "tests.fork_server", folder / "digits.npz", json.dumps(numbers)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KERAS_MNIST_")}
    environment |= {"TFDS_DATA_DIR": str(folder / "no_data"), "https_proxy": "http://127.0.0.1:9"}
    environment["PYTHONIOENCODING"] = "utf-8:strict"  # as on most screens; in a container Python lets more pass
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as process:
        yield ForkServer(process)
        process.stdin.close()


def _printed(folder: Path) -> tuple[Path, Path]:
    return folder.with_suffix(".stdout"), folder.with_suffix(".stderr")


def _serve(digits_file: str, numbers: str) -> None:
    """Fork a process for each request; in that process, run the script and leave this function as the script ends."""
    _import_everything()
    from keras_mnist.data import sources
    from keras_mnist.data.digit_set import DigitSet

    with np.load(digits_file) as arrays:
        few = DigitSet(**arrays, **json.loads(numbers))
    sources.embedded_digits = lambda: few
    gc.freeze()  # else each process, as it ends, copies all of this one's memory to look for cycles
    for line in sys.stdin:
        request = json.loads(line)
        if not (process := os.fork()):
            return _become(request)
        print(json.dumps(_wait(process, request)), flush=True)


def _import_everything() -> None:
    from keras_mnist.utils.start import quiet_start

    with quiet_start():
        import keras_mnist.results.export
        import keras_mnist.results.plots
        import keras_mnist.run  # noqa: F401


def _become(request: dict) -> None:
    folder = Path(request["folder"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate(_printed(folder), 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.chdir(folder)
    sys.argv = [request["script"], *request["arguments"]]
    runpy.run_path(request["script"], run_name="__main__")


def _wait(process: int, request: dict, limit: float = 900) -> int | None:
    """The exit code of a process; it is killed, and the answer None, if it does not end in time."""
    started, sent = time.monotonic(), False
    seconds, words = request["seconds"], request["words"]
    printed, _ = _printed(Path(request["folder"]))
    while time.monotonic() < started + limit:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        said = words and printed.exists() and words in printed.read_text()
        if not sent and (said or seconds is not None and time.monotonic() > started + seconds):
            os.kill(process, request["number"])
            sent = True
        time.sleep(0.01)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


if __name__ == "__main__":
    _serve(*sys.argv[1:])
