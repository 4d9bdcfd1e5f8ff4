"""Settings: values by name, each with its help text and range, in frozen dataclasses that others can add to."""

from __future__ import annotations

import dataclasses
import numbers
import types
import typing
from collections import defaultdict
from collections.abc import Container, Iterator
from typing import Any

from keras_mnist.errors import UsageError

# float32's smallest number in full precision: what lies below it, arithmetic takes for 0.
SMALLEST = 2.0**-126

# What counts as a value of each kind; NumPy's numbers do, as they are registered with these classes.
KINDS = {
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "a word"),
    bool: (bool, "True or False"),
}

Setting = dataclasses.Field
_GROUPS: dict[str, type] = {}
_WAITING: dict[str, dict[str, Setting]] = defaultdict(dict)


def setting(
    default, help: str, *, low=None, high=None, above=None, below=None, choices: Container[str] | None = None
) -> Any:
    """A field with its help text and its range: `low` and `high` are allowed values, `above` and `below` are not."""
    limits = {"low": low, "high": high, "above": above, "below": below, "choices": choices}
    return dataclasses.field(default=default, metadata={"help": help, **limits})


class Settings:
    """Base of dataclasses of settings: checks each value, and keeps plain ones, for NumPy's do not go into JSON."""

    def __post_init__(self):
        kinds = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            name, value, kind = field.name, getattr(self, field.name), kinds[field.name]
            if field.metadata:
                object.__setattr__(self, name, _checked(name, value, kind, field.metadata))
            elif not isinstance(value, kind):
                raise UsageError(f"`{name}` is {value!r}, expected {kind.__name__}(...)")


def settings_of(group: type) -> Iterator[Setting]:
    """The fields of a dataclass of settings that hold a value of their own."""
    return (field for field in dataclasses.fields(group) if field.metadata)


def group(name: str):
    """Let others add settings to the decorated dataclass by this name."""

    def register(cls):
        _GROUPS[name] = cls
        add_settings(name, _WAITING.pop(name, {}))
        return cls

    return register


def add_settings(group: str, settings: dict[str, Setting]) -> None:
    """Add settings to a group: constructors, flags, records and the names of runs know them from then on.

    A group that is not defined yet gets them when it is.

    Raises: ValueError if this or another group has one of that name.
    """
    if group not in _GROUPS:
        _WAITING[group] |= settings
        return
    cls = _GROUPS[group]
    taken = {name for other in _GROUPS.values() for name in other.__dataclass_fields__}
    for name in settings:
        if name in taken:
            raise ValueError(f"setting {name!r} is defined twice")
    for name, field in settings.items():
        kind = type(field.default)
        # A dataclass takes no fields once it is made, so it gets the methods of one that is derived from it.
        longer = dataclasses.make_dataclass(cls.__name__, [(name, kind, field)], bases=(cls,), frozen=True)
        for method in ("__init__", "__eq__", "__hash__", "__repr__", "__dataclass_fields__"):
            setattr(cls, method, getattr(longer, method))
        cls.__annotations__[name] = kind
        setattr(cls, name, field.default)  # for those that were made before


def checked(name: str, value: Any, kind: type, **limits) -> Any:
    """A value that is no setting, as if it were one with these limits.

    Raises: UsageError that names it.
    """
    return _checked(name, value, kind, setting(None, "", **limits).metadata)


def _checked(name: str, value: Any, kind: type, limits) -> Any:
    """The value as a plain int, float, bool or str, or None where the kind allows it.

    Raises: UsageError for another kind of value, a number out of its range or a word that is not among the choices.
    """
    optional = isinstance(kind, types.UnionType)
    if optional and value is None:
        return None
    kind = typing.get_args(kind)[0] if optional else kind
    accepted, words = KINDS[kind]
    choices = limits["choices"]
    if choices:
        if not isinstance(value, str) or value not in choices:
            raise UsageError(f"`{name}` is {value!r}, expected one of {', '.join(choices)}")
    elif not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise UsageError(f"`{name}` is {value!r}, expected {words}{' or None' * optional}")
    elif kind in (int, float):
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
        raise UsageError(f"`{name}` is {value}, expected {expected or 'a finite number'}{hint}")
    if 0 < abs(value) < SMALLEST:
        zero = "0 or " if low == 0 else ""
        raise UsageError(
            f"`{name}` is {value}, expected {zero}at least {SMALLEST:.3g}, below which float32 counts as 0"
        )
