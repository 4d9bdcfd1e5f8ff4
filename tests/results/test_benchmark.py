import math
import sys

import pytest

from keras_mnist.errors import RunError
from keras_mnist.results import benchmark
from keras_mnist.results.contenders import contender


def test_things_are_measured_in_turn_after_one_unmeasured_call_each(monkeypatch):
    monkeypatch.setattr(benchmark.time, "sleep", lambda seconds: None)
    calls = []
    things = {name: lambda name=name: calls.append(name) or len(calls) for name in "ab"}
    first, second = benchmark.interleave(things, 3, "calls")
    assert calls == list("abababab")
    assert (first.values, second.values) == ([3, 5, 7], [4, 6, 8])
    row = first.row()
    assert (row["median"], row["mean"], row["deviation"], row["min"], row["max"]) == (5, 5, 2, 3, 7)


def test_a_contender_trains_in_a_process_of_its_own():
    with contender("ours", "loop", ("digits", None, None)) as train:
        assert train(1) > 0 and 0 < train(2) < 60


def test_accuracies_are_timed_as_a_command_prints_them():
    program = "import time\nfor k in (1, 2):\n print(f'epoch {k} val_accuracy 0.99{k}', flush=True)\n time.sleep(0.2)"
    (first, one), (second, two) = benchmark._printed_accuracies([sys.executable, "-c", program])
    assert (one, two) == (0.991, 0.992)
    assert first > 0 and 0.15 < second - first < 5


def test_a_command_that_fails_is_no_measurement():
    with pytest.raises(RunError, match="ended with 3"):
        benchmark._printed_accuracies([sys.executable, "-c", "raise SystemExit(3)"])


def test_an_accuracy_never_reached_took_for_ever(monkeypatch):
    monkeypatch.setattr(benchmark, "_printed_accuracies", lambda command: [(5.0, 0.985), (9.0, 0.992)])
    low, high, last = benchmark.seconds_to_accuracy(("mnist", None, None), 2)
    assert (low.values, high.values) == ([9.0, 9.0], [math.inf, math.inf])
    assert last.values == pytest.approx([99.2, 99.2])
