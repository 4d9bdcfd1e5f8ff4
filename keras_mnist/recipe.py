"""How a network is trained: frozen dataclasses, standard library only, every number once and with its unit."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from typing import Any

from keras_mnist.conventions import PLATEAU_MIN_DELTA
from keras_mnist.errors import UsageError
from keras_mnist.schedules import SCHEDULES
from keras_mnist.settings import Settings, group, setting, settings_of

MOST_EPOCHS = 1_000_000
LONGEST_NAME = 180  # of settings in a folder's name, in bytes: file systems take 255, with recipe and validation


@group("augmentation")
@dataclasses.dataclass(frozen=True)
class Augmentation(Settings):
    """What is done to a training image, in this order: crop and resize, rotation, affine, elastic distortion."""

    crop_pixels: int = setting(0, "side of the centre crop that is resized to 28, in pixels; 0: none", low=0, high=28)
    crop_probability: float = setting(0.1, "share of images that are cropped, a fraction", low=0, high=1)
    rotation_degrees: float = setting(0.0, "rotation up to this many degrees either way", low=0, high=180)
    translate_pixels: float = setting(0.0, "shift up to this many pixels along each axis", low=0, high=28)
    scale: float = setting(0.0, "zoom by a factor between 1 - SCALE and 1 + SCALE", low=0, high=0.9)
    shear_degrees: float = setting(0.0, "slant along x up to this many degrees either way", low=0, high=60)
    elastic_alpha: float = setting(0.0, "elastic distortion: strength in pixels, before smoothing", low=0, high=200)
    elastic_sigma: float = setting(3.0, "elastic distortion: deviation of the smoothing, in pixels", low=0.1, high=28)
    plain_epochs: int = setting(0, "last epochs, whose images are left as they are", low=0, high=MOST_EPOCHS)


@group("schedule")
@dataclasses.dataclass(frozen=True)
class Schedule(Settings):
    """How the learning rate changes over a run."""

    schedule: str = setting("constant", "how the learning rate changes", choices=SCHEDULES)
    reduction_factor: float = setting(
        0.1, "step, plateau: each reduction multiplies the rate by this", above=0, below=1
    )
    step_epochs: int = setting(5, "step: epochs between reductions", low=1, high=MOST_EPOCHS)
    patience: int = setting(
        2, "plateau: the rate drops after this many epochs without a lower loss", low=1, high=MOST_EPOCHS
    )
    min_delta: float = setting(
        PLATEAU_MIN_DELTA, "plateau: a loss is lower if lower by more than this", low=0, high=100
    )
    warmup_fraction: float = setting(0.2, "one_cycle: share of all steps spent rising to the peak", low=0, high=0.9)
    final_fraction: float = setting(0.001, "one_cycle: last rate as a fraction of the peak", low=0, high=1)


@group("target")
@dataclasses.dataclass(frozen=True)
class Target(Settings):
    """The accuracy at which a run may stop."""

    target_accuracy: float | None = setting(
        None, "stop once the monitored accuracy, a fraction such as 0.994, is reached; none: never", above=0, high=1
    )
    target_epochs: int = setting(2, "... in this many epochs in a row", low=1, high=MOST_EPOCHS)


OPTIMIZERS = ("sgd", "adam")
DTYPE_POLICIES = ("float32", "mixed_bfloat16")


@group("recipe")
@dataclasses.dataclass(frozen=True)
class Recipe(Settings):
    """Everything that a training run needs beside the network, the data and the seed.

    Example:
        recipe = keras_mnist.get_variant("bn_gap").recipe("tuned").with_settings(epochs=20, rotation_degrees=10)
        keras_mnist.train("bn_gap", recipe=recipe)
    """

    epochs: int = setting(
        15, "passes over the training images (10 passes each for the embedded digits)", low=1, high=MOST_EPOCHS
    )
    batch_size: int = setting(128, "images per step", low=1, high=600_000)
    optimizer: str = setting("sgd", "what applies the gradients", choices=OPTIMIZERS)
    learning_rate: float = setting(0.01, "step size; the peak of one_cycle, else the first", above=0, high=100)
    momentum: float = setting(0.9, "sgd: momentum, a fraction", low=0, high=0.9999)
    nesterov: bool = setting(False, "sgd: Nesterov's momentum")
    l2: float = setting(0.0, "L2 penalty's strength, added to every gradient", low=0, high=1)
    global_clipnorm: float = setting(0.0, "largest norm of all gradients together; 0: any", low=0, high=1e6)
    label_smoothing: float = setting(0.0, "share of each label spread over all classes, a fraction", low=0, high=0.9)
    teacher: str | None = setting(None, "trained variant whose answers are learned beside the labels; none: no")
    teacher_share: float = setting(0.5, "teacher: share of its answers in the loss, a fraction", low=0, high=1)
    temperature: float = setting(3.0, "teacher: logits are divided by this before they are compared", low=0.1, high=100)
    dtype_policy: str = setting("float32", f"Keras's dtype policy: {', '.join(DTYPE_POLICIES)}", choices=DTYPE_POLICIES)
    schedule: Schedule = Schedule()
    augmentation: Augmentation = Augmentation()
    target: Target = Target()
    name: str = dataclasses.field(default="custom", compare=False)

    def __post_init__(self):
        super().__post_init__()
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,50}", self.name):  # it becomes part of a folder's name
            raise UsageError(f"`name` is {self.name!r}, expected up to 50 letters, digits, _ and -")

    def flat(self) -> dict[str, Any]:
        """All settings by name, those of the parts included."""
        return {field.name: getattr(part, field.name) for part, field in _leaves(self)}

    def with_settings(self, **settings) -> Recipe:
        """This recipe with some settings replaced, by the names that `flat` gives.

        Raises: UsageError for an unknown name or a value out of range.
        """
        unknown = sorted(settings.keys() - self.flat().keys())
        if unknown:
            raise UsageError(f"no recipe setting {', '.join(unknown)}; expected {', '.join(self.flat())}")

        def own(part):
            return {f.name: settings[f.name] for f in settings_of(type(part)) if f.name in settings}

        parts = {name: dataclasses.replace(part, **own(part)) for name, part in self._parts()}
        return dataclasses.replace(self, **own(self), **parts)

    def differences(self, base: Recipe) -> list[str]:
        """The settings that differ from another recipe, as "epochs=20"; all in one hash where they are too many."""
        theirs = base.flat()
        found = [f"{name}={word(value)}" for name, value in self.flat().items() if value != theirs[name]]
        text = ",".join(found)
        if len(text) > LONGEST_NAME:
            return [f"{len(found)}_settings_{hashlib.sha256(text.encode()).hexdigest()[:12]}"]
        return found

    def _parts(self):
        return [(name, getattr(self, name)) for name in ("schedule", "augmentation", "target")]


def _leaves(recipe: Recipe):
    for part in (recipe, recipe.augmentation, recipe.schedule, recipe.target):
        for field in settings_of(type(part)):
            yield part, field


def word(value) -> str:
    """A setting's value as the command line takes it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value).removesuffix(".0")


# One recipe of ours for all variants but those with one of their own, chosen on held-out images (docs/tuning.md).
TUNED = Recipe(
    epochs=15,
    batch_size=128,
    optimizer="sgd",
    learning_rate=0.1,
    momentum=0.9,
    nesterov=True,
    global_clipnorm=1.0,  # without it the networks that have no batch norm die at this rate
    schedule=Schedule("one_cycle"),
    augmentation=Augmentation(rotation_degrees=7, translate_pixels=1, scale=0.05, shear_degrees=3),
    target=Target(0.994, 2),
    name="tuned",
)
# What `fast` has in place of a variant's `tuned`, for whoever does not want to wait (docs/performance.md).
FAST = {"epochs": 3, "batch_size": 64, "label_smoothing": 0.1, "target_accuracy": None}
RECIPES = ("tuned", "fast", "document")
