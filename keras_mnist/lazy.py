"""Modules that load on first use, so that `--help`, `--list` and a mistyped name answer at once."""

import importlib


class LazyModule:
    """Stands for a module and imports it when one of its names is first asked for."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str):
        return getattr(importlib.import_module(self._name), attribute)


# TensorFlow takes about four seconds to import.
keras = LazyModule("keras")
