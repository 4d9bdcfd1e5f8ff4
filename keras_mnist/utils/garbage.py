"""Python's search for cycles in memory, kept away from where it finds nothing and takes long."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Do not look for cycles inside the block, whose many objects mostly stay; afterwards Python does as before."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
