"""A run: one variant, one recipe, one seed, one folder that holds everything it gave."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import math
import signal
import time
from pathlib import Path

import filelock
import keras
import tensorflow as tf
from rich.console import Console

from keras_mnist.data.pipeline import evaluation_batches, training_batches
from keras_mnist.data.sources import load
from keras_mnist.errors import Interrupted, RunError, UsageError
from keras_mnist.files import remove_drafts, whole_file, write_whole
from keras_mnist.models.analysis import trainable_parameters
from keras_mnist.models.registry import get_variant
from keras_mnist.recipe import Recipe
from keras_mnist.training import checkpoint, runtime
from keras_mnist.training.callbacks import AccuracyTarget, ReduceOnPlateau, ScreenProgress
from keras_mnist.training.plan import WATCHED, Plan
from keras_mnist.training.steps import Stepper

RECORD, STATE, HISTORY, MODEL, SUMMARY, CURVES, LOCK = (
    "run.json",
    "state.bin",
    "history.csv",
    "model.keras",
    "summary.txt",
    "curves.png",
    ".lock",
)


@dataclasses.dataclass(frozen=True)
class RunResult:
    """A finished run: its record (run.json), its epochs (history.csv) and its folder."""

    record: dict
    history: list[dict]
    folder: Path

    @property
    def test_accuracy(self) -> float:
        """Share of the test images read correctly, scored once, after training."""
        return self.record["test_accuracy"]

    @property
    def model(self) -> keras.Model:
        """The trained network."""
        return keras.saving.load_model(self.folder / MODEL)


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
    data_dir: Path | None = None,
    archives: Path | None = None,
    fresh: bool = False,
    console: Console | None = None,
) -> RunResult:
    """Train a variant and keep everything in runs/<dataset>/<variant>/seed<k>/; continue what was interrupted.

    Args:
        recipe: "tuned", "fast", "document", or a Recipe.
        dataset: "auto", "mnist" or "digits".
        validation: what the callbacks watch: "held-out" training images, the "test" images as the source
            documents did, or "none", the training loss.
        saved_models: folder that receives the SavedModel as <variant>/; None for no export.
        fresh: start over instead of continuing.
        console: where progress is printed; None for nowhere.

    Raises:
        UsageError: something cannot be run as asked.
        RunError: the run failed.
        Interrupted: Ctrl-C or SIGTERM came; the state is saved.
    """
    chosen = get_variant(variant)
    recipe = chosen.recipe(recipe) if isinstance(recipe, str) else recipe
    console = console or Console(quiet=True)
    where = runtime.choose_device(device)
    runtime.prepare(where)
    plan = Plan(chosen, recipe, load(dataset, data_dir, archives), validation, seed)
    folder = Path(runs) / plan.digits.name / chosen.name / f"seed{seed}"
    export_to = Path(saved_models) / chosen.name if saved_models is not None else None
    with _owned(folder, export_to):
        try:
            return _Run(plan, where, folder, export_to, console).result(fresh)
        except OSError as error:
            raise RunError(
                f"cannot write to {folder} ({error.strerror or error}); what was saved before is kept: "
                "make room there and run the same command again"
            ) from error


@contextlib.contextmanager
def _owned(folder: Path, export_to: Path | None):
    """Make the folders and keep other processes out of the run's.

    Raises: UsageError if a folder cannot be written or the run is already going on.
    """
    lock = filelock.FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if export_to:
            export_to.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise UsageError(
            f"{folder} is in use by another run; wait for it, or choose another --seed or --runs"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot write to {error.filename or folder} ({error.strerror}); see --runs") from None
    with lock:
        yield


class _Run:
    """A run under way: position, history, network, callbacks and the files they are kept in."""

    def __init__(self, plan: Plan, device: runtime.Device, folder: Path, export_to: Path | None, console: Console):
        self.plan, self.device, self.folder = plan, device, folder
        self.surroundings = runtime.surroundings(device)
        self.export_to, self.console = export_to, console
        self.epoch, self.step = 0, 0  # epochs finished, and steps of the one under way
        self.history: list[dict] = []
        self.seconds = 0.0  # of the epoch under way, before an interruption
        self.first_step: float | None = None  # seconds from this process's start to the end of its first step

    def result(self, fresh: bool) -> RunResult:
        """Train, or continue, or only read what is finished."""
        remove_drafts(self.folder)
        if fresh:
            for name in (RECORD, STATE, HISTORY, MODEL, SUMMARY, CURVES):
                (self.folder / name).unlink(missing_ok=True)
        record = self.folder / RECORD
        if record.exists():
            return self._finished(record)
        plan = self.plan
        self.console.print(
            f"{plan.variant.name}, {plan.variant.params:,} parameters: {plan.recipe.epochs} epochs of {plan.steps} "
            f"steps on {plan.digits.name}, seed {plan.seed}, on {self.device}",
            highlight=False,
        )
        with _signals() as received:
            self._build()
            if (self.folder / STATE).exists():
                self._restore()
            self._fit(received)
        return self._finish()

    def _finished(self, path: Path) -> RunResult:
        try:
            record = json.loads(path.read_text())
            self._require_same(record, path)
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, UsageError):
                raise
            raise RunError(f"{path} is no record of a run; {checkpoint.REMEDY}") from error
        self.console.print(f"{self.folder} holds this run, finished; nothing was trained. Start over with --fresh.")
        (self.folder / STATE).unlink(missing_ok=True)
        return RunResult(record, read_history(self.folder / HISTORY), self.folder)

    def _require_same(self, found: dict, path: Path) -> None:
        """Raise UsageError that names the arguments in which a record or state differs from this run."""
        ours, theirs = _flat(self.plan.arguments()), _flat(found)
        differing = [
            f"{name} {theirs.get(name)!r} is now {ours[name]!r}" for name in ours if ours[name] != theirs.get(name)
        ]
        if differing:
            raise UsageError(f"{path} is of another run: {', '.join(differing)}; choose another --runs, or --fresh")

    def _build(self) -> None:
        plan = self.plan
        keras.utils.set_random_seed(plan.seed)
        with runtime.number_format(self.device.number_format):
            network = plan.variant.build(classifier_activation=None)
        # TensorFlow's convolutions do not take empty parts.
        tricks = [t for t in self.device.tricks if t != "parts" or plan.smallest_batch >= runtime.PARTS]
        self.stepper = Stepper(network, plan.recipe, plan.steps, self.device.compile_steps, tricks)
        train, held_out = plan.divide()
        self.train_data = train
        self.validation_batches = evaluation_batches(*held_out) if held_out else None

        prefix = "val_" if held_out else ""
        schedule, target = plan.recipe.schedule, plan.recipe.target
        self.watchers = {}
        if schedule.schedule == "plateau":
            self.watchers["plateau"] = ReduceOnPlateau(
                f"{prefix}loss", schedule.reduction_factor, schedule.patience, min_delta=schedule.min_delta, mode="min"
            )
        if target.target_accuracy is not None:
            self.watchers["target"] = AccuracyTarget(target.target_accuracy, target.target_epochs, f"{prefix}accuracy")
        self.screen = ScreenProgress(self.console, plan.recipe.epochs, plan.steps)
        self.callbacks = keras.callbacks.CallbackList(
            [self.screen, *self.watchers.values()], add_history=False, model=self.stepper
        )
        self.callbacks.on_train_begin()

    def _restore(self) -> None:
        """Continue from the state file.

        Raises: RunError if it is damaged, UsageError if it is of another run.
        """
        path = self.folder / STATE
        arrays, facts = checkpoint.read(path)
        self._require_same(facts["arguments"], path)
        saved = facts["surroundings"]
        differing = [name for name, value in self.surroundings.items() if value != saved.get(name)]
        if differing:
            self.console.print(f"the state was saved with another {', '.join(differing)}: the last bits may differ")
        checkpoint.restore(path, self.stepper.variables, arrays)
        self.epoch, self.step = facts["epoch"], facts["step"]
        self.history, self.seconds = facts["history"], facts["seconds"]
        self.stepper.stop_training = facts["stop_training"]
        for name, watcher in self.watchers.items():
            watcher.restore(facts["watchers"][name])
        self.console.print(f"continuing {self.folder} after epoch {self.epoch}, step {self.step}")

    def _save(self) -> None:
        facts = {
            "arguments": self.plan.arguments(),
            "surroundings": self.surroundings,
            "epoch": self.epoch,
            "step": self.step,
            "history": self.history,
            "seconds": self.seconds,
            "stop_training": self.stepper.stop_training,
            "watchers": {name: watcher.state() for name, watcher in self.watchers.items()},
        }
        checkpoint.save(self.folder / STATE, self.stepper.variables, facts)

    def _fit(self, received: list[int]) -> None:
        plan = self.plan
        if self.stepper.stop_training or self.epoch == plan.recipe.epochs:
            return
        batches = iter(
            training_batches(
                *self.train_data,
                batch_size=plan.recipe.batch_size,
                augmentation=plan.recipe.augmentation,
                seed=plan.seed,
                epochs=plan.recipe.epochs,
                passes=plan.digits.passes_per_epoch,
                first_epoch=self.epoch,
                first_step=self.step,
            )
        )
        try:
            while self.epoch < plan.recipe.epochs and not self.stepper.stop_training:
                self._train_epoch(batches, received)
        finally:
            self.screen.close()

    def _train_epoch(self, batches, received: list[int]) -> None:
        started = time.perf_counter() - self.seconds
        if self.step == 0:
            self.stepper.reset_means()
        self.callbacks.on_epoch_begin(self.epoch)
        while self.step < self.plan.steps:
            # The first step alone: its time is kept.
            at_once = 1 if self.first_step is None or "loop" not in self.device.tricks else runtime.STEPS_AT_ONCE
            count = min(at_once, self.plan.steps - self.step)
            done, loss = self.stepper.train_steps(batches, tf.constant(count))
            self.step += int(done)
            if not math.isfinite(loss):
                raise RunError(
                    f"the loss became {float(loss)} at epoch {self.epoch + 1}, step {self.step}; "
                    f"try a lower --learning-rate than {self.plan.recipe.learning_rate:g}"
                )
            if self.first_step is None:
                self.first_step = runtime.process_seconds()
            self.callbacks.on_train_batch_end(self.step - 1)
            if received:
                self.seconds = time.perf_counter() - started
                self._save()
                raise Interrupted(
                    f"interrupted in epoch {self.epoch + 1} after step {self.step}; {self.folder} keeps the state: "
                    "the same command continues",
                    exit_code=128 + received[0],
                )
        logs = self.stepper.means()
        if self.validation_batches is not None:
            logs |= {f"val_{name}": value for name, value in self.stepper.score(self.validation_batches).items()}
        logs |= {"learning_rate": self.stepper.learning_rate, "seconds": time.perf_counter() - started}
        self.epoch, self.step, self.seconds = self.epoch + 1, 0, 0.0
        self.history.append({"epoch": self.epoch, **logs})
        self.callbacks.on_epoch_end(self.epoch - 1, logs)
        self._save()
        _write_history(self.folder / HISTORY, self.history)

    def _finish(self) -> RunResult:
        """Score the test set, write every file, and run.json as the last one: with it the run is done."""
        from keras_mnist.results import evaluation, plots
        from keras_mnist.results.export import export, kept_facts
        from keras_mnist.results.tables import summary_text

        plan, digits = self.plan, self.plan.digits
        model = plan.variant.build()
        model.set_weights(self.stepper.network.get_weights())
        # Compiled, so that whoever loads the file can call evaluate(images, labels) on it at once.
        model.compile("sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        score = evaluation.evaluate(model, digits)
        record = self._record(model, score)
        _write_history(self.folder / HISTORY, self.history)
        with whole_file(self.folder / MODEL) as draft:
            model.save(draft)
        write_whole(self.folder / SUMMARY, summary_text(model))
        title = f"{plan.variant.name} on {digits.name}, seed {plan.seed}: test accuracy {score.accuracy:.4f}"
        plots.curves(self.history, title, WATCHED[plan.validation], self.folder / CURVES)
        if self.export_to:
            export(model, self.export_to, digits.test_images[:1000], kept_facts(record))
        write_whole(self.folder / RECORD, json.dumps(record, indent=2) + "\n")
        (self.folder / STATE).unlink(missing_ok=True)
        return RunResult(record, self.history, self.folder)

    def _record(self, model: keras.Model, score) -> dict:
        seconds = [row["seconds"] for row in self.history]
        cut_short = len(seconds) < self.plan.recipe.epochs
        return {
            **self.plan.arguments(),
            "trainable_parameters": trainable_parameters(model),
            "total_parameters": model.count_params(),
            "epochs_run": len(self.history),
            "stopped_by": self.watchers["target"].message if cut_short else "epochs",
            "train_images": self.plan.train_images,
            "validation_images": WATCHED[self.plan.validation],
            "test_images": score.images,
            "test_accuracy": score.accuracy,
            "test_loss": score.loss,
            "test_errors": score.errors,
            "seconds": sum(seconds),
            "seconds_per_epoch": sorted(seconds)[len(seconds) // 2],
            "seconds_to_first_step": self.first_step,
            "peak_memory_mb": runtime.peak_memory_mb(),
            **self.surroundings,
            "source_commit": runtime.source_commit(),
        }


@contextlib.contextmanager
def _signals():
    """Collect SIGINT and SIGTERM inside the block; a second one acts at once."""
    received: list[int] = []

    def note(number, frame):
        received.append(number)
        for known, handler in before.items():
            signal.signal(known, handler)

    try:
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: whoever owns that one decides
        before = {}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _flat(arguments: dict) -> dict:
    return {**{k: v for k, v in arguments.items() if k != "recipe"}, **arguments["recipe"]}


def _write_history(path: Path, history: list[dict]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_whole(path, text.getvalue())


def read_history(path: Path) -> list[dict]:
    """The rows of a history.csv."""
    with path.open(newline="") as file:
        return [{k: int(v) if k == "epoch" else float(v) for k, v in row.items()} for row in csv.DictReader(file)]
