"""Memory that is left, on the machine and in the container around this process."""

import psutil
import pytest

from keras_mnist.utils import memory

MB = 2**20


def group(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Control groups made of files; the argument is what /proc/self/cgroup says."""
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    return lambda text: (tmp_path / "own").write_text(text)


def test_the_least_of_machine_and_groups_counts(groups, tmp_path):
    groups("0::/outer/inner\n")
    group(tmp_path / "outer", memory__max=900 * MB, memory__current=300 * MB, memory__stat=f"inactive_file {100 * MB}")
    group(tmp_path / "outer/inner", memory__max="max", memory__current=MB, memory__stat="anon 1")
    assert memory.available_memory_mb() == 700


def test_the_older_control_groups(groups, tmp_path):
    groups("3:cpu,cpuacct:/\n4:memory:/box\n0::/\n")
    usage = {"memory__limit_in_bytes": 500 * MB, "memory__usage_in_bytes": 600 * MB, "memory__stat": "cache 1"}
    group(tmp_path / "memory/box", **usage)
    assert memory.available_memory_mb() == 0


def test_without_groups_the_machine_counts(groups, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 77 * MB}))
    assert memory.available_memory_mb() == 77
