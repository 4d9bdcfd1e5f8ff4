"""The ways to fail: each message is one line that names the value, what was expected, and the remedy.

A parameter stands in backticks in a message: `batch_size`. The command line shows it as its flag, --batch-size.
"""

import re
from collections.abc import Container

START_OVER = "pass `overwrite`, or remove its folder, to start the run over"  # where what a run has left is no good
NO_WORDS = re.compile(r"\x1b\[\d*m|{{function_node .*?}}")  # Keras's emphasis, TensorFlow's names of graphs


class UsageError(ValueError):
    """Wrong use: a name, number, file or combination that cannot be run. Commands exit with 2."""


class RunError(RuntimeError):
    """A run that was asked for correctly and failed. Commands exit with 1."""


class Interrupted(RuntimeError):
    """A run stopped by a signal after saving its state. Commands exit with 128 plus the signal's number."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


def with_flags(message: str, flags: Container[str]) -> str:
    """A message with each parameter as the command line's flag, where the command has that flag."""

    def shown(found):
        flag = "--" + found[1].replace("_", "-")
        return flag if flag in flags else found[1]

    return re.sub(r"`(\w+)`", shown, message)


def first_line(error: Exception) -> str:
    """What an exception of Keras or TensorFlow says, in at most 120 characters."""
    lines = [NO_WORDS.sub("", line).replace("`", "'").strip() for line in str(error).splitlines()]
    said = (line for line in lines if line and not line.startswith("Exception encountered when calling"))
    return next(said, type(error).__name__)[:120]
