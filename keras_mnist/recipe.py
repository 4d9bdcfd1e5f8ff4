"""How a network is trained: frozen dataclasses, standard library only, every number once and with its unit."""

from __future__ import annotations

import dataclasses
import numbers
import types
import typing
from collections.abc import Iterator
from typing import Any

from keras_mnist.conventions import PLATEAU_MIN_DELTA
from keras_mnist.errors import UsageError

# float32's smallest number in full precision: what lies below it, arithmetic takes for 0.
SMALLEST = 2.0**-126
MOST_EPOCHS = 1_000_000


def _setting(default, help: str, *, low=None, high=None, above=None, below=None, choices=None):
    """A field with its help text and its range: `low` and `high` are allowed values, `above` and `below` are not."""
    limits = {"low": low, "high": high, "above": above, "below": below, "choices": choices}
    return dataclasses.field(default=default, metadata={"help": help, **limits})


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


# What counts as a value of each kind; NumPy's numbers do, as they are registered with these classes.
KINDS = {
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "a word"),
    bool: (bool, "True or False"),
}


def _checked(name: str, value: Any, kind: type, limits) -> Any:
    """The value as a plain int, float, bool or str, or None where the kind allows it.

    Raises: UsageError for another kind of value, a number out of its range or a word that is not among the choices.
    """
    optional = isinstance(kind, types.UnionType)
    if optional and value is None:
        return None
    kind = typing.get_args(kind)[0] if optional else kind
    accepted, words = KINDS[kind]
    if limits["choices"]:
        if not isinstance(value, str) or value not in limits["choices"]:
            raise UsageError(f"{name} is {value!r}, expected one of {', '.join(limits['choices'])}; see {_flag(name)}")
    elif not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise UsageError(f"{name} is {value!r}, expected {words}{' or None' * optional}; see {_flag(name)}")
    elif kind is not bool:
        _check_range(name, value, limits)
    return kind(value)


def _check_range(name: str, value, limits) -> None:
    low, high, above, below = (limits[limit] for limit in ("low", "high", "above", "below"))
    # `not (inside)` rather than `outside`: NaN is outside every range.
    inside = (low is None or value >= low) and (high is None or value <= high)
    inside = inside and (above is None or value > above) and (below is None or value < below)
    if not inside or value in (float("inf"), float("-inf")):
        bounds = [f"above {above}" * (above is not None), f"at least {low}" * (low is not None)]
        bounds += [f"below {below}" * (below is not None), f"at most {high}" * (high is not None)]
        expected = " and ".join(bound for bound in bounds if bound)
        hint = f", as a fraction: write {value / 100:g}" if name.startswith("target") and 1 < value <= 100 else ""
        raise UsageError(f"{name} is {value}, expected {expected}{hint}; see {_flag(name)}")
    if 0 < abs(value) < SMALLEST:
        zero = "0 or " if low == 0 else ""
        raise UsageError(
            f"{name} is {value}, expected {zero}at least {SMALLEST:.3g}, below which float32 counts as 0; "
            f"see {_flag(name)}"
        )


class _Checked:
    """Checks each field when the dataclass is made, and keeps plain values: NumPy's do not go into JSON."""

    def __post_init__(self):
        kinds = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            name, value, kind = field.name, getattr(self, field.name), kinds[field.name]
            if field.metadata:
                object.__setattr__(self, name, _checked(name, value, kind, field.metadata))
            elif not isinstance(value, kind):
                raise UsageError(f"{name} is {value!r}, expected {kind.__name__}(...); see Recipe.with_settings")


@dataclasses.dataclass(frozen=True)
class Augmentation(_Checked):
    """What is done to a training image, in this order: crop and resize, rotation, affine, elastic distortion."""

    crop_pixels: int = _setting(0, "side of the centre crop that is resized to 28, in pixels; 0: none", low=0, high=28)
    crop_probability: float = _setting(0.1, "share of images that are cropped, a fraction", low=0, high=1)
    rotation_degrees: float = _setting(0.0, "rotation up to this many degrees either way", low=0, high=180)
    translate_pixels: float = _setting(0.0, "shift up to this many pixels along each axis", low=0, high=28)
    scale: float = _setting(0.0, "zoom by a factor between 1 - SCALE and 1 + SCALE", low=0, high=0.9)
    shear_degrees: float = _setting(0.0, "slant along x up to this many degrees either way", low=0, high=60)
    elastic_alpha: float = _setting(0.0, "elastic distortion: strength in pixels, before smoothing", low=0, high=200)
    elastic_sigma: float = _setting(3.0, "elastic distortion: deviation of the smoothing, in pixels", low=0.1, high=28)


SCHEDULES = ("constant", "step", "plateau", "one_cycle")


@dataclasses.dataclass(frozen=True)
class Schedule(_Checked):
    """How the learning rate changes over a run."""

    schedule: str = _setting("constant", f"learning-rate schedule: {', '.join(SCHEDULES)}", choices=SCHEDULES)
    reduction_factor: float = _setting(
        0.1, "step, plateau: each reduction multiplies the rate by this", above=0, below=1
    )
    step_epochs: int = _setting(5, "step: epochs between reductions", low=1, high=MOST_EPOCHS)
    patience: int = _setting(
        2, "plateau: the rate drops after this many epochs without a lower loss", low=1, high=MOST_EPOCHS
    )
    min_delta: float = _setting(
        PLATEAU_MIN_DELTA, "plateau: a loss is lower if lower by more than this", low=0, high=100
    )
    warmup_fraction: float = _setting(0.2, "one_cycle: share of all steps spent rising to the peak", low=0, high=0.9)
    final_fraction: float = _setting(0.001, "one_cycle: last rate as a fraction of the peak", low=0, high=1)


@dataclasses.dataclass(frozen=True)
class Target(_Checked):
    """The accuracy at which a run may stop."""

    target_accuracy: float | None = _setting(
        None, "stop once the monitored accuracy, a fraction such as 0.994, is reached; none: never", above=0, high=1
    )
    target_epochs: int = _setting(2, "... in this many epochs in a row", low=1, high=MOST_EPOCHS)


OPTIMIZERS = ("sgd", "adam")


@dataclasses.dataclass(frozen=True)
class Recipe(_Checked):
    """Everything that a training run needs beside the network, the data and the seed."""

    epochs: int = _setting(
        15, "passes over the training images (10 passes each for the embedded digits)", low=1, high=MOST_EPOCHS
    )
    batch_size: int = _setting(128, "images a step", low=1, high=600_000)
    optimizer: str = _setting("sgd", f"optimizer: {', '.join(OPTIMIZERS)}", choices=OPTIMIZERS)
    learning_rate: float = _setting(0.01, "step size; the peak of one_cycle, else the first", above=0, high=100)
    momentum: float = _setting(0.9, "sgd: momentum, a fraction", low=0, high=0.9999)
    nesterov: bool = _setting(False, "sgd: Nesterov's momentum")
    l2: float = _setting(0.0, "L2 penalty's strength, added to every gradient", low=0, high=1)
    clip_norm: float = _setting(0.0, "largest norm of the gradient of all weights together; 0: any", low=0, high=1e6)
    label_smoothing: float = _setting(0.0, "share of each label spread over all classes, a fraction", low=0, high=0.9)
    schedule: Schedule = Schedule()
    augmentation: Augmentation = Augmentation()
    target: Target = Target()

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

    def _parts(self):
        return [(name, getattr(self, name)) for name in ("schedule", "augmentation", "target")]


def settings_of(part: type) -> Iterator[dataclasses.Field]:
    """The fields of Recipe or of one of its parts that hold a value of their own."""
    return (field for field in dataclasses.fields(part) if field.metadata)


def _leaves(recipe: Recipe):
    for part in (recipe, recipe.augmentation, recipe.schedule, recipe.target):
        for field in settings_of(type(part)):
            yield part, field
