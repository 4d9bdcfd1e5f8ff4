"""Runs as processes on this machine: cores, memory, failures, and a study that is stopped."""

import io
import os
import signal
import threading
import time

import pytest
from rich.console import Console

from keras_mnist.errors import Interrupted
from keras_mnist.studies import pool
from keras_mnist.studies.progress import conduct

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be pinned here")


def carry_out(study, workers=2):
    """(failures, what was printed)."""
    said = io.StringIO()
    failures = conduct(study, pool.LocalPool(study, workers, []), Console(file=said, width=200))
    return {str(run): why for run, why in failures.items()}, said.getvalue()


def test_a_run_that_fails_takes_no_other_along_and_is_tried_again(study):
    planned = study(seeds=3, variants="bn_gap,swift")
    failures, said = carry_out(planned)
    why = {1: "the loss became nan", 2: "killed by SIGKILL, as where memory is short"}
    assert failures == {f"{name} seed {seed}": why[seed] for name in ("bn_gap", "swift") for seed in why}
    assert [planned.status(run) for run in planned.runs] == ["finished"] * 2 + ["failed"] * 4
    assert planned.home(planned.runs[2]).failure.read_text() == "the loss became nan\n"
    assert "bn_gap seed 0: 50.00% of digits test images, 1 epoch in 60 s" in said
    assert "bn_gap seed 1: failed: the loss became nan" in said and said.count("\n") == 6
    (planned.home(planned.runs[4]).path / "state.bin").touch()  # with which this one goes well
    failures, said = carry_out(planned)
    assert len(failures) == 3 and "bn_gap seed 0" not in said
    assert [planned.status(run) for run in planned.runs] == ["finished"] * 2 + ["failed"] * 2 + ["finished", "failed"]
    assert not planned.home(planned.runs[4]).failure.exists()


def test_every_run_that_ends_leaves_its_record(study, tmp_path):
    carry_out(study(seeds=2, records=tmp_path / "records"))
    assert [path.parent.name for path in (tmp_path / "records").rglob("run.json")] == ["seed0"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_every_run_save_its_state_and_the_same_study_continues(study, number):
    planned = study(seeds=4)
    under_way = planned.home(planned.runs[3]).path

    def interrupt():
        while not (under_way / "started").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(Interrupted, match="keeps every run and the state of those under way") as error:
        carry_out(planned)
    thread.join()
    assert error.value.exit_code == 128 + number
    assert planned.status(planned.runs[3]) == "interrupted" and planned.status(planned.runs[0]) == "finished"
    carry_out(planned)
    assert planned.status(planned.runs[3]) == "finished"


def test_an_error_of_the_study_itself_leaves_no_run_behind(study, monkeypatch):
    planned = study(seeds=4)
    rounds = pool.LocalPool(planned, 4, []).train([planned.runs[3]])
    next(rounds)
    while not (planned.home(planned.runs[3]).path / "started").exists():
        time.sleep(0.02)
    rounds.close()
    assert planned.status(planned.runs[3]) == "interrupted"


def test_each_process_has_its_share_of_the_cores(study):
    assert pool.shares_of([0, 1, 2, 3], 4) == [[0], [1], [2], [3]]
    assert pool.shares_of([4, 5, 6], 2) == [[4, 6], [5]]
    assert pool.shares_of([4, 5], 3) == [[4], [5], [4]]
    cores = sorted(os.sched_getaffinity(0))
    planned = study(seeds=1, variants="bn_gap,swift")
    carry_out(planned, workers=len(cores))
    said = {planned.home(run).output.read_text() for run in planned.runs}
    assert said == {f"cores [{core}]\n" for core in cores[:2]}


def test_no_more_at_once_than_memory_holds(monkeypatch):
    monkeypatch.setattr(pool, "usable_cores", lambda: [0, 1, 2, 3])
    monkeypatch.setattr(pool, "available_memory_mb", lambda: 5000)
    assert pool.fitting_workers(None) == (4, None) and pool.fitting_workers(2) == (2, None)
    monkeypatch.setattr(pool, "available_memory_mb", lambda: 2500)
    workers, why = pool.fitting_workers(None)
    assert workers == 2 and why.startswith("2 at once instead of 4: 2,500 MB of memory are available and a run holds")
    monkeypatch.setattr(pool, "available_memory_mb", lambda: 10)
    assert pool.fitting_workers(None)[0] == 1
