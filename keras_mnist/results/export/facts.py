"""What an export says of itself, and which files are its own: keras_mnist.json, kept in a folder beside them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from keras_mnist.errors import UsageError
from keras_mnist.results.run_folder import teacher_of
from keras_mnist.utils.arguments import require_kind, shown_value
from keras_mnist.utils.files import require_file_name, require_room
from keras_mnist.utils.screen import shown

# What an export tells of the run it comes from.
KEPT_FACTS = ("variant", "dataset", "seed", "test_accuracy", "test_images", "source_commit")
FACTS, CARD = "keras_mnist.json", "README.md"
REMEDY = "choose another `output`, or pass `overwrite` to replace it"


def facts_beside(model_file: Path) -> dict | None:
    """What the run.json beside a model file says of it, if there is one: which run it is of, and its checksum.

    Raises: UsageError if it is damaged.
    """
    record = model_file.with_name("run.json")
    if not record.exists():
        return None
    facts = _read_facts(record)
    if facts is None or "dataset" not in facts:
        raise UsageError(
            f"{record} is no record of a run, expected the one that goes with the model; move it elsewhere"
        )
    checksum = hashlib.sha256(model_file.read_bytes()).hexdigest()
    kept = {name: facts.get(name) for name in KEPT_FACTS}
    return {**kept, "teacher": teacher_of(facts), "run": str(record.parent), "model_sha256": checksum}


def require_facts(facts: dict | None) -> None:
    """Raise UsageError unless these can be kept beside an export."""
    expected = "a dictionary that JSON can hold, with the data set's name as `dataset`, or None"
    require_kind(facts, (dict, type(None)), "facts", expected)
    try:
        json.dumps(facts)
        require_kind((facts or {}).get("dataset"), (str, type(None)), "dataset", expected)
    except (TypeError, ValueError) as error:
        raise UsageError(f"`facts` is {shown_value(facts)}, expected {expected}") from error


def write_facts(folder: Path, facts: dict, format: str) -> None:
    """Keep what is known of an export beside its files, and their names: a folder with any other is not ours."""
    known = {**facts, "format": format, "files": files_in(folder)}
    (folder / FACTS).write_text(json.dumps(known, indent=2) + "\n")


def exported_facts(folder: Path) -> dict | None:
    """What an export in a folder tells of itself; None if there is no export of ours, or nothing that can be read."""
    facts = _read_facts(folder / FACTS)
    if facts is None or not isinstance(facts.pop("files", None), list):
        return None
    return facts


def _read_facts(path: Path) -> dict | None:
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def card_of(path: Path, suffix: str) -> Path:
    """Where the model card of an export is: in its folder, or beside its file."""
    return path.with_name(f"{path.name}.md") if suffix else path / CARD


def require_free(path: Path, facts: dict, overwrite: bool, suffix: str) -> None:
    """Raise UsageError unless an export with these facts can be written there, or `overwrite` asks for it."""
    require_replaceable(path, overwrite, suffix)
    if not overwrite:
        require_same_data_set(path, facts)


def require_replaceable(
    path: Path, overwrite: bool = False, suffix: str = "", remedy: str = REMEDY, parameter: str = "output"
) -> None:
    """Raise UsageError unless an export can be written there without the loss of anything but an older export.

    Args:
        parameter: the one that `path` comes from.
    """
    require_room(path.parent, parameter)
    try:
        if suffix:
            _require_no_file(path, suffix, overwrite, remedy)
        elif path.exists() and not path.is_dir():
            raise UsageError(f"{shown(path)} is a file, expected a folder; choose another `{parameter}`")
        elif any(folder.is_relative_to(path) for folder in (Path.cwd(), Path(os.path.expanduser("~")))):
            raise UsageError(f"{path} is the folder you work in, your home, or above, expected one inside; name it")
        elif path.exists() and not overwrite:
            _require_nothing_but_an_export(path, remedy)
    except OSError as error:
        raise UsageError(
            f"cannot write to {error.filename or shown(path)} ({error.strerror}); choose another `{parameter}`"
        ) from error


def _require_no_file(path: Path, suffix: str, overwrite: bool, remedy: str) -> None:
    for file, ending in ((path, suffix), (card_of(path, suffix), ".md")):
        require_file_name(file, ending, "output")
        if file.exists() and not overwrite:
            raise UsageError(f"{shown(file)} is there already; {remedy}")


def _require_nothing_but_an_export(folder: Path, remedy: str) -> None:
    found = files_in(folder)
    ours = (_read_facts(folder / FACTS) or {}).get("files")
    known = {FACTS, *(name for name in ours if isinstance(name, str))} if isinstance(ours, list) else set()
    foreign = [file for file in found if file not in known]
    if foreign:
        raise UsageError(f"{shown(folder)} holds {foreign[0]} and is no export alone; {remedy}")


def require_same_data_set(folder: Path, facts: dict) -> None:
    """Raise UsageError if a folder holds the export of a network that was trained on other data."""
    held, ours = ((known or {}).get("dataset") for known in (exported_facts(folder), facts))
    if held and held != ours:
        what = f"of {ours}" if ours else "of a model without a run.json beside it"
        raise UsageError(f"{shown(folder)} holds an export of {held}, this one is {what}; {REMEDY}")


def files_in(folder: Path) -> list[str]:
    """The paths inside a folder of all that is no folder, sorted."""

    def fail(error):
        raise error

    found = []
    for parent, folders, files in os.walk(folder, onerror=fail):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        found += [Path(parent, name).relative_to(folder).as_posix() for name in files + links]
    return sorted(found)
