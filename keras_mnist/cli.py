"""What the scripts share: flags, one-line errors, exit codes, a quiet start."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import signal
import sys
import tempfile
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from keras_mnist.errors import Interrupted, RunError, UsageError
from keras_mnist.lazy import require_keras_settings
from keras_mnist.recipe import Augmentation, Recipe, Schedule, Target, settings_of
from keras_mnist.tricks import tricks_in_use

if typing.TYPE_CHECKING:
    from rich.console import Console

# Lines that TensorFlow prints whenever it starts, and which tell a user nothing.
NOISE = re.compile(
    r"All log messages before absl|oneDNN custom operations|cpu_feature_guard|To enable the following instructions"
    r"|cuda_drivers|cudart_stub|Could not find cuda|computation_placer|Unable to register cu|TF-TRT Warning"
    r"|cuda_diagnostics|cuInit|INTERNAL: CUDA Runtime|gpu_device\.cc.*Cannot dlopen|Skipping registering GPU"
    r"|Created device|CUDA_VISIBLE_DEVICES|hostname:|libcuda|no supported devices found"
)

# What Keras imports wherever it is installed, and no script needs of Keras: a second of every start.
UNUSED = ("sklearn", "matplotlib", "matplotlib.pyplot")


class _Parser(argparse.ArgumentParser):
    """Reports wrong use in one line."""

    def error(self, message):
        raise UsageError(f"{message}; see {self.prog} --help")


def parser(description: str) -> argparse.ArgumentParser:
    """A parser that shows defaults and takes no abbreviations."""
    return _Parser(description=description, allow_abbrev=False, formatter_class=argparse.HelpFormatter)


def main(script: Callable[[], None]) -> typing.NoReturn:
    """Run a script and exit: 0 done, 1 failed, 2 wrong use, 130 Ctrl-C, 143 SIGTERM; errors are one line."""
    code, message = 0, None
    try:
        signal.signal(signal.SIGTERM, _terminate)
        if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:  # what the scripts set while they are imported
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _open_streams()
        script()
        sys.stdout.flush()
    except UsageError as error:
        code, message = 2, error
    except Interrupted as error:
        code, message = error.exit_code, error
    except RunError as error:
        code, message = 1, error
    except BrokenPipeError:
        pass  # the reader of our output has gone, as with `| head`
    except OSError as error:
        code, message = 1, f"{error.filename}: " * bool(error.filename) + str(error.strerror or error)
    except KeyboardInterrupt:
        code, message = 130, "interrupted; what was saved before is kept"
    except Exception as error:
        code, message = 1, _failure(error)
        if message is None:
            raise
    _exit(code, message)


def _terminate(number, frame):
    """Training has a handler of its own; this one is for the time before and after it."""
    raise Interrupted("terminated; what was saved before is kept", exit_code=128 + number)


def _open_streams() -> None:
    """Make standard streams that take any text, also where they were closed (`2>&-`) or know few letters.

    A closed one's number would go to the next file that is opened, and what TensorFlow says would be written into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _failure(error: Exception) -> str | None:
    """Memory that runs out, or whatever TensorFlow raises, in words; None for other errors."""
    tensorflow = sys.modules.get("tensorflow")
    if not isinstance(error, (MemoryError, *([tensorflow.errors.OpError] if tensorflow else []))):
        return None
    # An error from inside a graph begins with where the graph was made, and says what happened in its last paragraph.
    last = str(error).strip().split("\n\n")[-1]
    why = re.sub(r"{{function_node .*?}}|\s*\[(\[|Op:).*", "", last, flags=re.DOTALL).strip() or type(error).__name__
    if isinstance(error, MemoryError) or re.search("OOM|out of memory|failed to allocate", why, re.IGNORECASE):
        return f"memory is exhausted ({why}); try a smaller --batch-size"
    return f"TensorFlow failed: {why}"


def _exit(code: int, message=None) -> typing.NoReturn:
    """Exit, after one line if there is a message, and without complaints about streams that nobody reads."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for stream, text in ((sys.stdout, None), (sys.stderr, message)):
        try:
            if text is not None:
                print(f"{Path(sys.argv[0]).name}: {' '.join(str(text).split())}", file=stream)
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def console() -> Console:
    """The screen: what users named, such as folders, is printed as it is, whatever brackets and colons are in it."""
    from rich.console import Console

    return Console(soft_wrap=True, markup=False, emoji=False)


def add_recipe_flags(parser: argparse.ArgumentParser) -> None:
    """One flag for each setting of Recipe; its default is the named recipe's."""
    groups = {
        "recipe settings, each in place of the named recipe's": Recipe,
        "learning-rate schedule": Schedule,
        "augmentation": Augmentation,
        "stopping": Target,
    }
    for title, part in groups.items():
        group = parser.add_argument_group(title)
        hints = typing.get_type_hints(part)
        for field in settings_of(part):
            flag, kind = "--" + field.name.replace("_", "-"), hints[field.name]
            text = field.metadata["help"]
            if kind is bool:
                group.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
            else:
                group.add_argument(flag, type=_reader(field.name, kind), help=text, metavar=_metavar(field, kind))


def _metavar(field, kind) -> str:
    return "|".join(field.metadata["choices"]) if field.metadata["choices"] else "N" if kind is int else "X"


def _reader(name: str, kind):
    """The function that reads a flag's text: a number, a word, or `none` where the setting may be None."""
    optional = isinstance(kind, types.UnionType)
    number = typing.get_args(kind)[0] if optional else kind

    def read(text: str):
        if optional and text.lower() == "none":
            return "none"
        try:
            return number(text)
        except ValueError:
            expected = {int: "a whole number", float: "a number", str: "a word"}[number] + " or none" * optional
            raise argparse.ArgumentTypeError(f"{name} is {text!r}, expected {expected}") from None

    return read


def recipe_settings(arguments: argparse.Namespace) -> dict:
    """The recipe settings that were given as flags."""
    given = {name: getattr(arguments, name) for name in Recipe().flat()}
    return {name: None if value == "none" else value for name, value in given.items() if value is not None}


def add_data_flags(parser: argparse.ArgumentParser) -> None:
    """--dataset, --data-dir and --mnist-archives."""
    parser.add_argument(
        "--dataset",
        default="auto",
        metavar="auto|mnist|digits",
        help="auto (default): MNIST where it can be had, else the embedded digits",
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder of tensorflow-datasets")
    parser.add_argument(
        "--mnist-archives",
        type=Path,
        metavar="DIR",
        help="folder with the four original MNIST archives (or set KERAS_MNIST_ARCHIVES)",
    )


def require_file(path: Path) -> None:
    """Find a mistyped path before TensorFlow is imported.

    Raises: UsageError if there is no such file.
    """
    if not path.is_file():
        wrong = "is a folder" if path.is_dir() else "is no file" if path.exists() else "does not exist"
        raise UsageError(f"{path} {wrong}, expected a .keras file, such as a run's model.keras; see --model")


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Import TensorFlow and look for devices without its usual noise; whatever else is said is shown afterwards."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    screen = os.dup(2)

    def leave(number, frame):
        # At once: an exception raised inside an import may be swallowed by the module that is imported.
        os.write(screen, f"{Path(sys.argv[0]).name}: interrupted before anything was under way\n".encode())
        os._exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with _redirected(screen):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(screen)


@contextlib.contextmanager
def _redirected(screen: int) -> Iterator[None]:
    """Collect what is written to file descriptor 2, and print it afterwards without the noise."""
    try:
        said = tempfile.TemporaryFile()  # noqa: SIM115
    except OSError:  # no folder for passing files: then with the noise
        yield
        return
    with said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            said.seek(0)
            for line in said.read().decode(errors="replace").splitlines():
                if line.strip() and not NOISE.search(line):
                    print(line, file=sys.stderr)


def import_tensorflow() -> None:
    """The quiet start: everything heavy, once, after the arguments are known to be good.

    Raises:
        UsageError: Keras is set up for other work.
        RunError: TensorFlow or Keras cannot be imported.
    """
    left_out = UNUSED if "imports" in tricks_in_use() else ()
    with quiet_start(), _hidden(left_out):
        try:
            # Named here, it is Keras's backend whatever keras.json says.
            os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"
            require_keras_settings()
            import tensorflow as tf

            tf.config.list_physical_devices()
        except UsageError:
            raise
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            raise RunError(
                f"cannot import TensorFlow and Keras ({why}); see keras.json, or install them anew"
            ) from error


@contextlib.contextmanager
def _hidden(modules: Iterable[str]) -> Iterator[None]:
    """Let imports of these modules fail inside the block, as if they were not installed."""
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
