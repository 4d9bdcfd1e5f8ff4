"""A run: one variant, one recipe, one seed, one folder that holds everything it gave."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import tensorflow as tf
from rich.console import Console

from keras_mnist.data.sources import load_data
from keras_mnist.errors import Interrupted, RunError, UsageError
from keras_mnist.finish import finish
from keras_mnist.models.loading import load_model
from keras_mnist.models.registry import get_variant
from keras_mnist.recipe import Recipe
from keras_mnist.results.export import export
from keras_mnist.results.export.facts import exported_facts, facts_beside, require_replaceable
from keras_mnist.results.run_folder import RunFolder, read_history
from keras_mnist.settings import checked
from keras_mnist.training import checkpoint
from keras_mnist.training.callbacks import Callbacks, ScreenProgress, as_list, names_of
from keras_mnist.training.device import Device, choose_device, dtype_policy, environment_of, set_threads
from keras_mnist.training.fused import can_be_fused
from keras_mnist.training.loop import STEPS_PER_EXECUTION, TrainingLoop
from keras_mnist.training.plan import Plan
from keras_mnist.training.recipe_callbacks import recipe_callbacks
from keras_mnist.training.trainer import Trainer
from keras_mnist.utils.arguments import path_of
from keras_mnist.utils.lazy import require_keras_settings
from keras_mnist.utils.screen import screen, shown
from keras_mnist.utils.signals import collected_signals
from keras_mnist.utils.words import counted

THREADS_NOTICE = (
    "TensorFlow is in use already and keeps its threads, so an epoch takes about a third longer on two cores "
    "(docs/performance.md); train in a new process instead"
)
NO_MEMORY = "the device has no memory left; try a smaller `batch_size`, or `device` cpu"
SEEDING = threading.Lock()  # Python's random numbers are the whole process's


@dataclasses.dataclass(frozen=True)
class RunResult:
    """A finished run.

    record: what run.json holds.
    folder: where its files are.
    saved_model: where its export is; None if there is none.
    """

    record: dict
    folder: Path
    saved_model: Path | None = None

    @property
    def test_accuracy(self) -> float:
        """Share of the test images predicted correctly, scored once, after training."""
        return self.record["test_accuracy"]

    @functools.cached_property
    def history(self) -> dict[str, list[float]]:
        """One list for each column of history.csv, as Keras's History keeps them."""
        rows = read_history(RunFolder(self.folder).history)
        return {name: [row[name] for row in rows] for name in rows[0]}

    @functools.cached_property
    def model(self) -> keras.Model:
        """The trained network, loaded once."""
        return load_model(RunFolder(self.folder).model)


def train(
    variant: str,
    *,
    recipe: str | Recipe = "tuned",
    seed: int = 0,
    dataset: str = "auto",
    validation: str = "held-out",
    device: str = "auto",
    runs: Path | str = "runs",
    saved_models: Path | str | None = None,
    data_dir: Path | str | None = None,
    mnist_archives: Path | str | None = None,
    overwrite: bool = False,
    verbose: str | int = "auto",
    callbacks: keras.callbacks.Callback | Sequence[keras.callbacks.Callback] | None = None,
) -> RunResult:
    """Train a variant and keep everything in runs/<dataset>/<variant>/<recipe>/seed<k>/; continue what was interrupted.

    Effects on the whole process: TensorFlow, if it has computed nothing yet, is told to use one thread inside each
    operation and one for each core between them, to hide all GPUs where `device` is "cpu", and to let the memory it
    takes on others grow; it keeps that until the process ends. SIGINT and SIGTERM are collected while it trains.
    Keras's dtype policy and Python's random state are put back; NumPy's and TensorFlow's are not touched.

    Args:
        recipe: "tuned", "fast", "document", or a Recipe.
        dataset: "auto", "mnist" or "digits".
        validation: what the callbacks watch: "held-out" training images, the "test" images as the source
            documents did, or "none", the training loss.
        saved_models: folder that receives the SavedModel as <variant>/; None for no export.
        data_dir: folder of tensorflow-datasets; None for its default.
        mnist_archives: folder with the four original MNIST archives; None for $KERAS_MNIST_ARCHIVES.
        overwrite: start over instead of continuing, or instead of returning the finished run.
        verbose: as in `fit`: 0 prints nothing, 1 progress bar and a line for each epoch, 2 the lines alone; "auto"
            is 1.
        callbacks: Keras callbacks. They get the model under training, a softmax classifier. One with `state()`, which
            gives what JSON can hold, and `restore(state)` continues exactly after an interruption; others start anew.
            They are no part of the run's name: a finished run is returned without calling them.

    Raises:
        UsageError: something cannot be run as asked.
        RunError: the run failed.
        Interrupted: Ctrl-C or SIGTERM came; the state is saved.

    Example:
        result = keras_mnist.train("bn_gap", seed=0, callbacks=[keras.callbacks.ModelCheckpoint("last.keras")])
        result.test_accuracy, result.history["val_loss"], result.model
    """
    runs, overwrite = path_of(runs, "runs"), checked("overwrite", overwrite, bool)
    saved_models = path_of(saved_models, "saved_models") if saved_models is not None else None
    if verbose not in ("auto", 0, 1, 2):
        raise UsageError(f"`verbose` is {verbose!r}, expected 'auto', 0, 1 or 2")
    require_keras_settings()
    chosen = get_variant(variant)
    recipe = chosen.recipe(recipe) if isinstance(recipe, str) else recipe
    if not isinstance(recipe, Recipe):
        raise UsageError(f"`recipe` is {recipe!r}, expected a name or a Recipe")
    callbacks = as_list(callbacks)
    console = screen(quiet=verbose == 0)
    on = choose_device(device)
    if "shards" in on.optimizations and not set_threads():
        console.print(THREADS_NOTICE)
    plan = Plan(chosen, recipe, load_data(dataset, data_dir, mnist_archives), validation, seed)
    # Absolute, so that the result is found after a change of the working directory.
    folder = RunFolder(Path(os.path.abspath(runs)) / plan.folder)
    export_to = Path(os.path.abspath(saved_models)) / chosen.name if saved_models is not None else None
    if export_to:
        require_replaceable(export_to, remedy="move it, or choose another `saved_models`", parameter="saved_models")
    with folder.owned():
        if overwrite:
            folder.clear()
        if folder.finished:
            console.print(f"{shown(folder.path)} holds this run, finished; overwrite=True (--overwrite) starts it over")
            record = _finished(plan, folder, callbacks, console)
        else:
            record = _train(plan, on, folder, console, verbose != 2, callbacks, overwrite)
        exported = export_to and _reported(folder, lambda: _export(plan, record, folder, export_to, console))
    return RunResult(record, folder.path, exported)


def _finished(plan: Plan, folder: RunFolder, callbacks: list, console: Console) -> dict:
    """The record of a run that is done; says so if it was trained with other callbacks."""
    record = folder.read_record()
    plan.require_same(record, folder.record)
    folder.state.unlink(missing_ok=True)
    names = names_of(callbacks)
    if names != record.get("callbacks", []):
        console.print(f"it was trained with callbacks {record.get('callbacks', [])}; {names} were not called")
    return record


def _reported(folder: RunFolder, work: Callable):
    """Write a part of a run, and turn what can go wrong with disk and memory into one line."""
    try:
        return work()
    except OSError as error:
        raise RunError(
            f"cannot write to {error.filename or folder} ({error.strerror or error}); what was saved before is kept: "
            "make room there and run the same command again"
        ) from error
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise RunError(NO_MEMORY) from error


def _train(plan: Plan, on: Device, folder: RunFolder, console: Console, bar: bool, callbacks, overwrite: bool) -> dict:
    """Train, or continue, and keep everything: the record."""
    recipe = plan.recipe
    console.print(
        f"{plan.variant.name}, {plan.variant.params:,} parameters: {counted(recipe.epochs, 'epoch')} of "
        f"{counted(plan.steps, 'step')} on {plan.digits.name}, seed {plan.seed}, on {on}"
    )
    with collected_signals() as received:
        progress = ScreenProgress(console, bar)
        loop, environment = prepare(plan, on, progress, callbacks)
        loop.callbacks.call("on_train_begin", {})
        loop.callbacks.state()  # one that cannot be kept is told before anything is trained
        if folder.state.exists():
            _restore(loop, folder, plan, environment, console)

        def save():
            _save(loop, folder, plan, environment)

        try:
            loop.run(lambda: _reported(folder, save), lambda: bool(received))
        except (MemoryError, tf.errors.ResourceExhaustedError) as error:
            raise RunError(NO_MEMORY) from error
        finally:
            progress.close()
        if not loop.ended:
            raise Interrupted(
                f"interrupted in epoch {loop.epoch + 1} after step {loop.step}; {shown(folder.path)} keeps the state: "
                f"the same command {'without `overwrite` ' * overwrite}continues",
                exit_code=128 + received[0],
            )
        loop.callbacks.call("on_train_end", loop.history[-1])
    kept = _build(plan, "float32")
    return _reported(folder, lambda: finish(loop, folder, kept, {"callbacks": names_of(callbacks), **environment}))


def prepare(plan: Plan, on: Device, progress: ScreenProgress, callbacks: Sequence = ()) -> tuple[TrainingLoop, dict]:
    """The training of a plan before its first step, and what it is computed with."""
    recipe = plan.recipe.with_settings(teacher=plan.teacher)
    if recipe != plan.recipe:
        progress.console.print(f"without its teacher {plan.recipe.teacher}, which was not trained on {plan.dataset}")
    model = _build(plan, recipe.dtype_policy)
    optimizations = plan.optimizations(on.optimizations, can_be_fused(model))
    trainer = Trainer(model, recipe, plan.steps, on.jit_compile, optimizations)
    every = [progress, *recipe_callbacks(recipe, plan.monitor_prefix), *callbacks]
    called = Callbacks(every, model, epochs=recipe.epochs, steps=plan.steps, verbose=0)
    at_once = STEPS_PER_EXECUTION if "steps_per_execution" in optimizations else 1
    return TrainingLoop(plan, trainer, called, at_once), environment_of(on, optimizations)


def _build(plan: Plan, policy: str) -> keras.Model:
    """The network with the first weights of its seed."""
    with _seeded(plan.seed), dtype_policy(policy):
        return plan.variant.build()


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed all that Keras draws the seeds of its initializers and of dropout from, and put its state back."""
    with SEEDING:
        before = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(before)


def _save(loop: TrainingLoop, folder: RunFolder, plan: Plan, environment: dict) -> None:
    facts = {"arguments": plan.arguments(), "environment": environment, **loop.state()}
    checkpoint.save(folder.state, loop.trainer.variables, facts)
    if loop.history:
        folder.write_history(loop.history)


def _restore(loop: TrainingLoop, folder: RunFolder, plan: Plan, environment: dict, console: Console) -> None:
    """Continue from the state file.

    Raises: RunError if it is damaged or of another run.
    """
    arrays, facts = checkpoint.read(folder.state)
    plan.require_same(facts["arguments"], folder.state)
    saved = facts["environment"]
    differing = [name for name, value in environment.items() if value != saved.get(name)]
    if differing:
        console.print(f"the state was saved with another {', '.join(differing)}: the last bits may differ")
    checkpoint.restore(folder.state, loop.trainer.variables, arrays)
    anew = loop.restore(facts)
    if anew:
        console.print(f"kept nothing in the state, and so start anew: {', '.join(anew)}")
    console.print(f"continuing {shown(folder.path)} after epoch {loop.epoch}, step {loop.step}")


def _export(plan: Plan, record: dict, folder: RunFolder, target: Path, console: Console) -> Path | None:
    """Export the run unless it is there already; None where the export of another data set is left alone."""
    facts = facts_beside(Path(shown(folder.model)))
    found = exported_facts(target)
    if found == {**facts, "format": "saved_model"}:
        return target
    if found and found.get("dataset") != record["dataset"]:
        console.print(
            f"{shown(target)} is of {found.get('dataset')} and left alone; to export this run:\n"
            f"  keras-mnist export --model {shown(folder.model)} --output FOLDER"
        )
        return None
    try:
        with _seeded(plan.seed):
            model = load_model(folder.model)
        export(model, target, images=plan.digits.test_images[:1000], facts=facts)
    except RunError as error:
        raise RunError(f"{error}; the run itself is kept in {shown(folder.path)}") from error
    return target
