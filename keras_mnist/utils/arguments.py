"""What a caller gives: of the right kind, or refused by its parameter's name before anything is computed with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from keras_mnist.errors import UsageError


def require_kind(value: Any, kinds: type | tuple[type, ...], parameter: str, expected: str) -> None:
    """Raise UsageError unless a value is of one of these kinds."""
    if not isinstance(value, kinds):
        raise UsageError(f"`{parameter}` is {shown_value(value)}, expected {expected}")


def path_of(value: Any, parameter: str, expected: str = "the path of a file or folder") -> Path:
    """A path from a string or whatever names one.

    Raises: UsageError for anything else, an empty string, or one that no file can be called.
    """
    name = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(name, str) or not name or "\0" in name:
        raise UsageError(f"`{parameter}` is {shown_value(value)}, expected {expected}")
    return Path(name)


def shown_value(value: Any) -> str:
    """A value for a message of one line: an array as its shape, anything long cut."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"an array {tuple(value.shape)} of {value.dtype}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"
