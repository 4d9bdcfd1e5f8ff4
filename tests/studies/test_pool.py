"""Runs as processes on this machine: cores, memory, failures, and a study that is stopped."""

import io
import os
import signal
import threading
import time

import pytest
from rich.console import Console

from keras_mnist.errors import Interrupted, RunError, UsageError
from keras_mnist.studies import pool
from keras_mnist.studies.progress import conduct

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be pinned here")


def carry_out(study, workers=2, console=None):
    """(failures, what was printed)."""
    console = console or Console(file=io.StringIO(), width=200)
    endings = conduct(study, pool.LocalPool(study, workers, []), console)
    return {str(run): why for run, why in endings.items() if why}, console.file.getvalue()


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


def test_a_run_whose_record_cannot_be_kept_is_one_that_failed(study, tmp_path):
    planned = study(seeds=1, variants="bn_gap,swift", records=tmp_path / "records")
    (tmp_path / "records" / "digits").mkdir(parents=True)
    (tmp_path / "records" / "digits" / "bn_gap").write_text("a file where a folder should be")
    failures, said = carry_out(planned)
    assert list(failures) == ["bn_gap seed 0"] and "choose another `records`" in failures["bn_gap seed 0"]
    assert "swift seed 0: 50.00%" in said and len(list((tmp_path / "records").rglob("run.json"))) == 1


def test_a_finished_run_that_lacks_a_file_is_told_with_what_to_do(study, tmp_path):
    carry_out(study(seeds=1))
    planned = study(seeds=1, records=tmp_path / "records")
    planned.home(planned.runs[0]).test_errors.unlink()
    with pytest.raises(RunError, match="test_errors.csv is missing or damaged, .*remove its folder"):
        carry_out(planned)


def test_two_studies_share_the_runs_and_no_run_is_called_a_failure(study):
    """One of them trains seed 3 of bn_gap until it is told to stop; the other waits for it, and says so once."""
    planned = study(seeds=4, variants="bn_gap")
    theirs = pool.LocalPool(planned, 1, [])
    rounds = theirs.train([planned.runs[3]])
    next(rounds)
    said, ours = io.StringIO(), []
    thread = threading.Thread(target=lambda: ours.append(carry_out(planned, console=Console(file=said, width=200))))
    thread.start()
    while "waiting for another command, which trains what is left (1 of 4 finished, 2 failed" not in said.getvalue():
        time.sleep(0.02)
    assert theirs.running == [planned.runs[3]]
    rounds.close()  # it saves its state, with which the other goes on
    thread.join()
    ((failures, text),) = ours
    assert sorted(failures) == ["bn_gap seed 1", "bn_gap seed 2"] and text.count("waiting for") == 1
    assert planned.status(planned.runs[3]) == "finished"


def test_what_another_study_has_finished_is_not_trained_again(study):
    planned = study(seeds=1, variants="bn_gap,swift")
    todo, rounds = planned.unfinished(), pool.LocalPool(planned, 1, []).train(planned.unfinished())
    carry_out(planned)
    assert len(todo) == 2 and [ended for ended in rounds if ended] == []


def test_what_another_study_finishes_meanwhile_is_recorded_too(study, tmp_path, monkeypatch):
    """It ends both runs between the look at what is missing and the first start."""
    planned = study(seeds=1, variants="bn_gap,swift", records=tmp_path / "records")
    theirs, train = study(seeds=1, variants="bn_gap,swift"), pool.LocalPool.train

    def after_them(ours, runs):
        monkeypatch.setattr(pool.LocalPool, "train", train)
        carry_out(theirs)
        return train(ours, runs)

    monkeypatch.setattr(pool.LocalPool, "train", after_them)
    failures, _ = carry_out(planned)
    assert not failures and len(list((tmp_path / "records").rglob("run.json"))) == 2


def test_a_run_folder_that_is_a_file_is_wrong_use_with_a_remedy(study):
    planned = study(seeds=1)
    home = planned.home(planned.runs[0]).path
    home.parent.mkdir(parents=True)
    home.write_text("")
    with pytest.raises(UsageError, match="cannot write to .*seed0 .*; choose another `runs`"):
        carry_out(planned)


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
