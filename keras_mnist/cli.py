"""What the commands share: flags, one-line errors, exit codes."""

from __future__ import annotations

import argparse
import io
import os
import re
import signal
import sys
import types
import typing
from collections.abc import Callable
from pathlib import Path

from keras_mnist.data import augment  # noqa: F401  its distortions may bring settings
from keras_mnist.errors import Interrupted, RunError, UsageError, with_flags
from keras_mnist.models import trained
from keras_mnist.models.registry import get_variant
from keras_mnist.recipe import Augmentation, Recipe, Schedule, Target
from keras_mnist.settings import settings_of
from keras_mnist.training import recipe_callbacks  # noqa: F401  and so may its callbacks

FLAGS: set[str] = set()  # of the command under way
STOPPED = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class _Parser(argparse.ArgumentParser):
    """Reports wrong use in one line."""

    def error(self, message):
        raise UsageError(f"{message}; see {self.prog} --help")


def parser(program: str, description: str) -> argparse.ArgumentParser:
    """A parser that takes no abbreviations."""
    return _Parser(prog=program, description=description, allow_abbrev=False, formatter_class=argparse.HelpFormatter)


def exit_after(command: Callable[[], None]) -> typing.NoReturn:
    """Run a command and exit: 0 done, 1 failed, 2 wrong use, 130 Ctrl-C, 143 SIGTERM; errors are one line."""
    code, message, received = 0, None, []
    try:
        _stop_on_signals(received)
        _open_streams()
        command()
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
        code, received = 130, received or [signal.SIGINT]
    except Exception as error:
        code, message = 1, _failure(error)
        if message is None and not received:
            raise
    if code and received:  # whatever became of the exception on its way
        code, message = 128 + received[0], f"{STOPPED[received[0]]}; what was saved before is kept"
    _exit(code, message)


def _stop_on_signals(received: list[int]) -> None:
    """Let Ctrl-C and SIGTERM end what is under way, and note their numbers; training has handlers of its own."""

    def stop(number, frame):
        received.append(number)
        raise KeyboardInterrupt  # what is no other Exception: libraries take those for failures of their own

    signal.signal(signal.SIGTERM, stop)
    # The first is what the doors set while they import. A shell's background processes are told to ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) in (signal.SIG_DFL, signal.default_int_handler):
        signal.signal(signal.SIGINT, stop)


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
        return f"memory is exhausted ({why}); try a smaller `batch_size`"
    return f"TensorFlow failed: {why}"


def _exit(code: int, message=None) -> typing.NoReturn:
    """Exit, after one line if there is a message, and without complaints about streams that nobody reads."""
    for number in STOPPED:
        signal.signal(number, signal.SIG_DFL)
    for stream, text in ((sys.stdout, None), (sys.stderr, message)):
        try:
            if text is not None:
                print(f"{Path(sys.argv[0]).name}: {' '.join(with_flags(str(text), FLAGS).split())}", file=stream)
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def path(text: str) -> Path:
    """A path of a command line. An empty one, as of a shell's variable that is not set, would be the folder worked in.

    Raises: argparse.ArgumentTypeError for an empty one.
    """
    if not text:
        raise argparse.ArgumentTypeError("the path is empty, expected the name of a file or folder")
    return Path(text)


def add_number_flag(parser: argparse.ArgumentParser, flag: str, default: int | None, help: str) -> None:
    """A flag that takes a whole number."""
    name = flag.removeprefix("--").replace("-", "_")
    parser.add_argument(flag, type=_reader(name, int), default=default, metavar="N", help=help)


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
            text = field.metadata["help"].replace("%", "%%")
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


def add_data_flags(
    parser: argparse.ArgumentParser,
    auto: str = "auto (default): MNIST where it can be had, else the embedded digits",
) -> None:
    """--dataset, --data-dir and --mnist-archives; `auto` says what the first does by itself."""
    parser.add_argument(
        "--dataset",
        default="auto",
        metavar="auto|mnist|digits",
        help=auto,
    )
    parser.add_argument("--data-dir", type=path, metavar="DIR", help="folder of tensorflow-datasets")
    parser.add_argument(
        "--mnist-archives",
        type=path,
        metavar="DIR",
        help="folder with the four original MNIST archives (or set KERAS_MNIST_ARCHIVES)",
    )


def add_network_flags(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """--model or --variant."""
    either = parser.add_mutually_exclusive_group(required=required)
    either.add_argument("--model", type=path, metavar="PATH", help="a .keras file, such as a run's")
    either.add_argument("--variant", metavar="NAME", help="the trained network that comes with the package")


def require_network(chosen: argparse.Namespace) -> None:
    """Find a mistyped path or name before TensorFlow is imported.

    Raises: UsageError if there is no such file, or no such variant with trained weights.
    """
    if chosen.variant is not None:
        trained.facts(get_variant(chosen.variant).name)
    elif not chosen.model.is_file():
        path = chosen.model
        wrong = "is a folder" if path.is_dir() else "is no file" if path.exists() else "does not exist"
        raise UsageError(f"{path} {wrong}, expected a .keras file, such as a run's model.keras; see `model`")
