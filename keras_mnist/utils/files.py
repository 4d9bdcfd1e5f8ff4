"""Files and folders that appear whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import filelock

from keras_mnist.errors import UsageError


def require_room(folder: Path, parameter: str) -> None:
    """Make a folder and find out whether files can be written into it, before anything is computed for them.

    Raises: UsageError that names the parameter to choose otherwise.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # what permissions say is not all: there are odd file systems
            pass
    except OSError as error:
        raise UsageError(f"cannot write to {folder} ({error.strerror}); choose another `{parameter}`") from error


def require_file_name(path: Path, suffix: str, parameter: str) -> None:
    """Find out whether a file with this ending, or none, can be written there; an older file is no hindrance.

    Raises: UsageError that names the parameter to choose otherwise.
    """
    ending = Path(f"name{suffix}").suffix  # of "_int8.tflite", say
    wrong = "is a folder" if path.is_dir() else "is no ordinary file" if path.exists() and not path.is_file() else None
    if wrong or path.suffix.lower() not in ("", ending):
        wrong = wrong or "ends otherwise"
        raise UsageError(f"{path} {wrong}, expected the name of a {ending} file; choose another `{parameter}`")
    require_room(path.parent, parameter)


@contextlib.contextmanager
def _naming(path: Path, draft: Path) -> Iterator[None]:
    """Let what the system says of a draft, or of no file at all, be said of the file or folder that it becomes."""
    try:
        yield
    except OSError as error:
        if error.errno and (error.filename is None or Path(error.filename).is_relative_to(draft.parent)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextlib.contextmanager
def _workshop(path: Path) -> Iterator[Path]:
    """Yield a path of the same name in a passing folder beside `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        yield folder / path.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path to write to; its file replaces `path` when the block ends without an error.

    The bytes reach the disk before the name does, so that `path` holds its old or its new content whatever happens.
    """
    with _workshop(path) as draft, _naming(path, draft):
        yield draft
        with draft.open("r+b") as file:  # Windows writes back only what may be written to
            os.fsync(file.fileno())
        os.replace(draft, path)
        _sync_folder(path.parent)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `path` when the block ends without an error.

    One process at a time: a second one waits.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(path.parent / f".{path.name}.lock"):
        remove_drafts(path.parent, path.name)
        yield from _replace_folder(path)


def claim(path: Path) -> filelock.FileLock | None:
    """Take a lock that no other process has, until it is released; None where another has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return None
    return lock


def _replace_folder(path: Path) -> Iterator[Path]:
    with _workshop(path) as draft, _naming(path, draft):
        draft.mkdir()
        yield draft
        if path.exists():
            path.rename(draft.with_name("replaced"))
        draft.rename(path)
        _sync_folder(path.parent)


def remove_drafts(folder: Path, name: str = "*") -> None:
    """Remove what a killed process left half-written in a folder that no other process writes to now."""
    for draft in folder.glob(f".{name}.*.part"):
        shutil.rmtree(draft, ignore_errors=True)


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file that appears whole or not at all."""
    with whole_file(path) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


def _sync_folder(path: Path) -> None:
    """Make renames inside a folder last through a power cut, where the system can."""
    with contextlib.suppress(OSError, AttributeError):
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
