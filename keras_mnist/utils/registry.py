"""Things by name, added where they are defined."""

from __future__ import annotations

import difflib

from keras_mnist.errors import UsageError


class Registry(dict):
    """A dictionary in which a name cannot be taken twice, and a missing one is an error that names close ones.

    Args:
        kind: what the things are, for messages.
    """

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind

    def __setitem__(self, name, thing):
        if name in self:
            raise ValueError(f"{self.kind} {name!r} is defined twice")
        super().__setitem__(name, thing)

    def __getitem__(self, name):
        return super().__getitem__(name) if isinstance(name, str) else self.__missing__(name)

    def __missing__(self, name):
        close = difflib.get_close_matches(name.lower(), self, n=3, cutoff=0.5) if isinstance(name, str) else []
        hint = f"did you mean {' or '.join(close)}?" if close else f"expected one of {', '.join(sorted(self))}"
        raise UsageError(f"no {self.kind} {name!r}; {hint}")
