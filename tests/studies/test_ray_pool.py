"""A study on a cluster of two nodes on this machine, one of which is killed while it trains."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_mnist.data import sources
from keras_mnist.data.mnist import write_cache
from keras_mnist.errors import UsageError
from keras_mnist.studies import ray_pool
from tests.conftest import ROOT
from tests.scripts.test_study import SHORTER, wait_for_epoch
from tests.studies.made_up_records import write_record
from tests.studies.test_study import plan

STUDY = [sys.executable, ROOT / "scripts" / "study.py", "--variants", "evo_base,base_7k", "--recipe", "fast"]
STUDY += ["--dataset", "digits", "--seeds", "2"]


def test_without_ray_one_line_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"`ray` needs the package ray: pip install keras-mnist\[ray\]"):
        ray_pool.RayPool(plan(tmp_path), "auto", None)


def test_the_board_keeps_the_newest_files_and_gives_each_change_once():
    board = ray_pool.Board()
    assert board.save(3, {}) is False and board.take() == ([3], {})
    board.save(3, {"state.bin": b"1", "history.csv": b"a"})
    board.save(3, {"state.bin": b"2"})
    assert board.take() == ([3], {3: {"state.bin": b"2", "history.csv": b"a"}}) and board.take() == ([3], {})
    assert board.saved(3)["state.bin"] == b"2" and board.saved(4) == {}
    board.stop()
    assert board.save(3, {}) is True


def test_files_that_come_back_make_a_finished_run(tmp_path):
    study = plan(tmp_path, variants="bn_gap")
    home = study.home(study.runs[0])
    ray_pool.write_files(home, {"state.bin": b"", "history.csv": b""})
    assert study.status(study.runs[0]) == "interrupted"
    write_record(tmp_path / "sent", study.runs[0], 0.99)
    ray_pool.write_files(home, {path.name: path.read_bytes() for path in (tmp_path / "sent").iterdir()})
    assert study.status(study.runs[0]) == "finished" and not home.state.exists()


@pytest.fixture
def cluster(monkeypatch, tmp_path):
    """A head and a second node, each with one core to give, whose processes take a `fast` of six epochs."""
    pytest.importorskip("ray", reason="Ray is not installed (keras-mnist[ray])")
    from ray.cluster_utils import Cluster

    (tmp_path / "sitecustomize.py").write_text(SHORTER.format(epochs=6))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield made
    made.shutdown()


def losses(runs):
    return {path.relative_to(runs): json.loads(path.read_text())["test_loss"] for path in runs.rglob("run.json")}


@pytest.mark.slow
def test_a_study_is_stopped_then_a_node_is_killed_and_no_run_is_lost(cluster, tmp_path):
    doomed = cluster.add_node(num_cpus=1)
    study, states = start(cluster, tmp_path), tmp_path / "cluster"
    deadline = time.monotonic() + 600
    while len(list(states.rglob("state.bin"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)  # until both nodes train
    study.send_signal(signal.SIGINT)
    _, complaints = study.communicate(timeout=600)
    assert study.returncode == 130 and "keeps every run and the state of those under way" in complaints
    study = start(cluster, tmp_path)
    wait_for_epoch(states)
    cluster.remove_node(doomed, allow_graceful=False)
    said, complaints = study.communicate(timeout=600)
    assert (study.returncode, complaints) == (0, ""), said
    assert len(said.splitlines()) < 20 and "runs per hour" in said
    subprocess.run([*STUDY, "--runs", "here", "--workers", str(len(os.sched_getaffinity(0)))], cwd=tmp_path, check=True)
    assert len(losses(tmp_path / "cluster")) == 4
    assert losses(tmp_path / "cluster") == losses(tmp_path / "here")


def start(cluster, folder):
    command = [*STUDY, "--runs", "cluster", "--ray", cluster.address]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_images_that_travelled_are_found_by_train(mnist, tmp_path, monkeypatch):
    monkeypatch.delenv(sources.ARCHIVES_VARIABLE, raising=False)
    write_cache(tmp_path, mnist)
    found = sources.load_data("mnist", tmp_path)
    assert all(np.array_equal(vars(found)[name], value) for name, value in vars(mnist).items())
