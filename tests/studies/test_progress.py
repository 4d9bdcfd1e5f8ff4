"""What a study shows while it runs and when it is done."""

import io
import statistics

import pytest
from rich.console import Console

from keras_mnist.studies import progress
from keras_mnist.studies.progress import Progress, results_table
from tests.studies.test_study import finish, plan


@pytest.fixture
def half(tmp_path):
    """bn_gap with four seeds, of which two are done and one is in its second epoch of three."""
    study = plan(tmp_path, variants="bn_gap", recipe="fast", validation="test", seeds=4)
    for run, accuracy in zip(study.runs[:2], (0.9, 0.92), strict=True):
        finish(study, run, accuracy, epochs=3, best=0.95, seconds_per_epoch=30.0)
    under_way = study.home(study.runs[2])
    under_way.path.mkdir(parents=True)
    under_way.history.write_text("epoch,val_accuracy,seconds\n1,0.625,30.0\n")
    return study


def printed(what):
    console = Console(file=io.StringIO(), width=100)
    console.print(what)
    return console.file.getvalue()


def test_the_table_shows_what_runs_and_how_much_is_done(half, monkeypatch):
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    shown = Progress(half, console, workers=1)
    now = progress.time.time()
    monkeypatch.setattr(progress.time, "time", lambda: now)
    text = printed(shown._table([half.runs[2]]))
    row = next(line for line in text.splitlines() if line.split()[:1] == ["bn_gap"])
    assert row.split() == ["bn_gap", "2", "1", "of", "3", "62.50%"]
    end = progress.time.strftime("%a %H:%M", progress.time.localtime(now + (2 + 3) * 30))
    assert f"2 of 4 finished, estimated end {end}" in text and "mnist" in text
    with shown:
        shown.refresh([half.runs[2]])
    assert "62.50%" in console.file.getvalue()


def test_without_a_terminal_each_run_that_ends_is_one_line(half):
    console = Console(file=io.StringIO(), width=200)
    with Progress(half, console, workers=2) as shown:
        shown.refresh([half.runs[2]])
        shown.ended(half.runs[3], "the loss became nan")
    assert console.file.getvalue().startswith(
        "bn_gap seed 3: failed: the loss became nan (2 of 4 finished, 1 failed, estimated end "
    )
    assert console.file.getvalue().count("\n") == 1


def test_the_results_name_the_data_set_and_how_many_seeds(half):
    text = printed(results_table(half))
    assert "mnist, fast recipe, validation test" in text
    deviation = f"{statistics.stdev([0.9, 0.92]) * 100:.2f}"
    assert ["bn_gap", "2", "91.00%", deviation, "points", "95.00%"] in [line.split() for line in text.splitlines()]
    documents = plan("none", variants="bn_gap", recipe="document", validation="test")
    assert documents.title == "mnist, document protocol"
