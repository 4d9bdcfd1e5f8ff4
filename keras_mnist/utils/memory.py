"""How much memory processes may still take."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

CGROUPS, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def available_memory_mb() -> int:
    """Memory that is free on this machine, or within this process's container if that is less, in MB."""
    rooms = [psutil.virtual_memory().available, *_left_in_cgroups()]
    return min(rooms) // 2**20


def _left_in_cgroups() -> list[int]:
    """What is left in this process's control group and those around it, in bytes; empty where there are none."""
    rooms = []
    for folder, limit, usage, cache in _cgroup_folders():
        with contextlib.suppress(OSError, ValueError):  # no such file, or "max"
            used = int((folder / usage).read_text())
            facts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            # Files that were read count as used until somebody needs the room.
            rooms.append(int((folder / limit).read_text()) - used + int(facts.get(cache, 0)))
    return [max(room, 0) for room in rooms]


def _cgroup_folders():
    """Each folder with the names that its version of control groups gives to limit, usage and cached files."""
    with contextlib.suppress(OSError):
        for line in OWN_GROUPS.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "memory":
                home = CGROUPS / "memory"
                names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
            elif not controllers:
                home, names = CGROUPS, ("memory.max", "memory.current", "inactive_file")
            else:
                continue
            own = Path(path.lstrip("/"))
            for folder in (own, *own.parents):  # the last of them is "."
                yield home / folder, *names
