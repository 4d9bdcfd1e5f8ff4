"""Ctrl-C and SIGTERM, collected instead of acted upon."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def collected_signals() -> Iterator[list[int]]:
    """Collect the numbers of SIGINT and SIGTERM inside the block; a second one acts at once."""
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
