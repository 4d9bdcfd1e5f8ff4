"""The trained weights of the package, chosen among finished runs: for each variant the median seed."""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from pathlib import Path

import h5py

from keras_mnist.errors import RunError, UsageError, first_line
from keras_mnist.models.loading import load_model
from keras_mnist.models.registry import Variant, get_variant, list_variants
from keras_mnist.models.trained import DATASET, MANIFEST, file_name, read_manifest
from keras_mnist.results.run_folder import RunFolder, teacher_of
from keras_mnist.studies.records import Record, read_record
from keras_mnist.utils.files import write_whole

FOLDER = Path("keras_mnist", "models", "weights")
RECIPE = "tuned"
KEPT_FACTS = ("seed", "dataset", "test_accuracy", "test_errors", "test_images", "total_parameters", "source_commit")


def write_weights(runs: Path, root: Path) -> dict[str, dict]:
    """Write the weights of every variant that has finished runs, and the manifest; leave all others as they are.

    Args:
        runs: the folder of all runs.
        root: a checkout of this package.

    Returns: what the manifest says of each that was written.
    Raises:
        UsageError: there is no checkout or no such run.
        RunError: a run is damaged, is another than its folder says, or has diverged.
    """
    folder = root / FOLDER
    if not folder.parent.is_dir():
        raise UsageError(
            f"{root.resolve()} has no {FOLDER.parent}, expected a checkout of keras_mnist; change to its folder"
        )
    found = {name: seeds for name in list_variants() if (seeds := finished_seeds(runs, name))}
    if not found:
        raise UsageError(f"{runs} has no finished run in {DATASET}/<variant>/{RECIPE}/seed<k>/; choose another `runs`")
    chosen = {name: _choose(runs, get_variant(name), seeds) for name, seeds in found.items()}
    for name, (content, _) in chosen.items():
        write_whole(folder / file_name(name), content)
    written = {name: facts for name, (_, facts) in chosen.items()}
    manifest = dict(sorted((read_manifest(folder) | written).items()))
    write_whole(folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    return written


def finished_seeds(runs: Path, variant: str) -> list[RunFolder]:
    """A variant's finished runs of the recipe, in the order of their paths."""
    folders = map(RunFolder, sorted((runs / DATASET / variant / RECIPE).glob("seed*")))
    return [folder for folder in folders if folder.finished]


def median_seed(seeds: list[Record]) -> Record:
    """The run whose held-out loss is the median; the lower of the two in the middle of an even number.

    The test images have no say in it, so that their score stays an honest one.
    """
    return sorted(seeds, key=_held_out_loss)[(len(seeds) - 1) // 2]


def _held_out_loss(run: Record) -> float:
    """That of the last epoch; the largest of all where the run diverged."""
    loss = run.history[-1]["val_loss"]
    return loss if math.isfinite(loss) else math.inf


def _choose(runs: Path, variant: Variant, seeds: list[RunFolder]) -> tuple[bytes, dict]:
    """The file of one variant's weights, and what the manifest says of it."""
    run = median_seed([read_record(seed.path, runs) for seed in seeds])
    loss = _held_out_loss(run)
    if math.isinf(loss):
        raise RunError(f"{run.folder} has diverged and is the median of {len(seeds)} seeds; train others")
    content = _weights(RunFolder(run.folder).model, variant)
    return content, {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "run": run.folder.relative_to(runs).as_posix(),
        "recipe": RECIPE,
        "seeds": len(seeds),
        "held_out_loss": loss,
        **{name: run.facts[name] for name in KEPT_FACTS},
        **({"teacher": teacher} if (teacher := teacher_of(run.facts)) else {}),
    }


def _weights(path: Path, variant: Variant) -> bytes:
    """The file of the weights in a run's model, without the optimizer's: the same bytes whenever it is made.

    Raises: RunError if they do not fit the variant.
    """
    model = variant.build()
    try:
        model.set_weights(load_model(path).get_weights())
    except ValueError as error:
        raise RunError(f"{path} cannot be taken as {variant.name} ({first_line(error)})") from error
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder, file_name(variant.name)), Path(folder, "small.h5")
        model.save_weights(large)
        with h5py.File(large) as source, _small_file(small) as target:
            _copy(source, target)
        return small.read_bytes()


def _small_file(path: Path) -> h5py.File:
    """A new file in HDF5's newest layout, without times: Keras's own takes twice the room of such small weights."""
    creation, access = h5py.h5p.create(h5py.h5p.FILE_CREATE), h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    creation.set_obj_track_times(False)
    access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    return h5py.File(h5py.h5f.create(bytes(path), h5py.h5f.ACC_TRUNC, creation, access))


def _copy(source: h5py.Group, target: h5py.Group) -> None:
    """Write all that a group holds anew, in the layout of the file that it comes to."""
    creation = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    creation.set_obj_track_times(False)
    target.attrs.update(source.attrs)
    for name, member in source.items():
        if isinstance(member, h5py.Group):
            _copy(member, h5py.Group(h5py.h5g.create(target.id, name.encode(), gcpl=creation)))
        else:
            target.create_dataset(name, data=member[()])
