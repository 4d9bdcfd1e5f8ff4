"""The state of a run in one file: whole or absent, checked before anything is restored, without pickle.

Layout: the magic word with the format's version, the SHA-256 of the rest, and the rest, a .npz archive of the
numbered variables and one JSON text.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np

from keras_mnist.errors import START_OVER, RunError
from keras_mnist.utils.files import write_whole

MAGIC = b"keras_mnist state 2\n"


def save(path: Path, variables: list, facts: dict) -> None:
    """Write variables and JSON-able facts; `path` holds the previous state until this one is complete on disk."""
    arrays = {f"{number:04d}": np.asarray(variable) for number, variable in enumerate(variables)}
    buffer = io.BytesIO()
    np.savez(buffer, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8), **arrays)
    content = buffer.getvalue()
    write_whole(path, MAGIC + hashlib.sha256(content).digest() + content)


def read(path: Path) -> tuple[list[np.ndarray], dict]:
    """The arrays and facts of a state file.

    Raises: RunError that names the file if it is damaged or no state of this package's format.
    """
    content = path.read_bytes()
    start = len(MAGIC) + hashlib.sha256().digest_size
    if content[: len(MAGIC)] != MAGIC:
        raise RunError(f"{path} is no state of a run, expected one in format 2; {START_OVER}")
    if hashlib.sha256(content[start:]).digest() != content[len(MAGIC) : start]:
        raise RunError(f"{path} is damaged: its checksum differs; {START_OVER}")
    with np.load(io.BytesIO(content[start:]), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    facts = json.loads(arrays.pop("facts").tobytes())
    return [arrays[name] for name in sorted(arrays)], facts


def restore(path: Path, variables: list, arrays: list[np.ndarray]) -> None:
    """Assign the arrays to the variables, all or none.

    Raises: RunError that names the file if number or shapes differ.
    """
    expected, found = [tuple(v.shape) for v in variables], [a.shape for a in arrays]
    if expected != found:
        raise RunError(f"{path} holds {len(found)} arrays that do not fit this network's {len(expected)}; {START_OVER}")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
