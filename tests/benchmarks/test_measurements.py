import importlib.util
import math
import sys

import numpy as np
import pytest

from keras_mnist.benchmarks import measurements as benchmark
from keras_mnist.benchmarks.baselines import baseline
from keras_mnist.commands.benchmark import PARTS
from keras_mnist.errors import RunError, UsageError


def test_things_are_measured_in_turn_after_one_unmeasured_call_each(monkeypatch):
    monkeypatch.setattr(benchmark.time, "sleep", lambda seconds: None)
    calls = []
    things = {name: lambda name=name: calls.append(name) or len(calls) for name in "ab"}
    first, second = benchmark.interleave(things, 3, "calls")
    assert calls == list("abababab")
    assert (first.values, second.values) == ([3, 5, 7], [4, 6, 8])
    row = first.row()
    assert (row["median"], row["mean"], row["deviation"], row["min"], row["max"]) == (5, 5, 2, 3, 7)


@pytest.mark.slow
def test_a_baseline_trains_in_a_process_of_its_own():
    with baseline("ours", "steps_per_execution", ("digits", None, None)) as train:
        assert train(1) > 0 and 0 < train(2) < 60


@pytest.fixture
def torch_baseline(torch):
    from keras_mnist.benchmarks import torch_baseline

    return torch_baseline


@pytest.mark.slow
def test_an_expert_rotates_in_pytorch_as_the_document_does(torch, torch_baseline, digits):
    images, degrees = digits.train_images[:6], [-7.0, -3.3, 0.0, 0.5, 6.9, 90.0]
    tensor = torch.tensor(images[..., 0], dtype=torch.float32).unsqueeze(1)
    at_once = torch_baseline.rotated_at_once(tensor, torch.tensor(degrees)).squeeze(1).numpy()
    one_by_one = [
        torch_baseline.rotated_by_pil(image, angle) for image, angle in zip(images[..., 0], degrees, strict=True)
    ]
    difference = at_once - np.stack(one_by_one)
    assert difference.min() > -0.01 and difference.max() < 1.01  # PIL cuts off what is behind the point
    assert one_by_one[-1].max() > 100


@pytest.mark.slow
def test_both_pytorch_trainers_train_the_network_of_the_document(torch_baseline, digits):
    for trainer in (
        torch_baseline.document_trainer(digits.train_images, digits.train_labels),
        torch_baseline.expert_trainer(digits.train_images, digits.train_labels),
    ):
        assert sum(weight.numel() for weight in trainer.network.parameters()) == 7_550
        assert trainer.train(1) > 0
        first = trainer.loss.item()
        assert trainer.train(20) > 0 and trainer.loss.item() < 0.95 * first


@pytest.mark.slow
def test_the_expert_in_pytorch_is_a_baseline(torch_baseline, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with baseline("torch expert", "", ("digits", None, None)) as train:
        assert 0 < train(2) < 60


def test_accuracies_are_timed_as_a_command_prints_them():
    program = "import time\nfor k in (1, 2):\n print(f'epoch {k} val_accuracy 0.99{k}', flush=True)\n time.sleep(0.2)"
    (first, one), (second, two) = benchmark._printed_accuracies([sys.executable, "-c", program])
    assert (one, two) == (0.991, 0.992)
    assert first > 0 and 0.15 < second - first < 5


def test_a_command_that_fails_is_no_measurement():
    with pytest.raises(RunError, match="ended with 3"):
        benchmark._printed_accuracies([sys.executable, "-c", "raise SystemExit(3)"])


def test_an_accuracy_never_reached_took_for_ever(monkeypatch):
    monkeypatch.setattr(benchmark, "FASTEST", (("swift", "fast"),))
    monkeypatch.setattr(benchmark, "_printed_accuracies", lambda command: [(5.0, 0.985), (9.0, 0.992)])
    low, high, last = benchmark.seconds_to_accuracy(("mnist", None, None), 2)
    assert (low.values, high.values) == ([9.0, 9.0], [math.inf, math.inf])
    assert last.values == pytest.approx([99.2, 99.2])
    assert [low.name, high.name] == ["swift fast to 99.0%", "swift fast to 99.4%"]
    assert high.row()["deviation"] is None and high.row()["median"] == math.inf and low.row()["deviation"] == 0


def test_every_entry_is_timed_with_its_own_variant_and_recipe(monkeypatch):
    monkeypatch.setattr(benchmark, "FASTEST", (("swift", "fast"), ("bn_gap", "tuned")))
    commands = []
    monkeypatch.setattr(benchmark, "_printed_accuracies", lambda command: commands.append(command) or [(5.0, 0.995)])
    names = [measurement.name for measurement in benchmark.seconds_to_accuracy(("mnist", None, None), 2)]
    assert "bn_gap tuned to 99.4%" in names and len(names) == 6
    asked = [(command[command.index("--variant") + 1], command[command.index("--seed") + 1]) for command in commands]
    assert asked == [("swift", "0"), ("bn_gap", "0"), ("swift", "1"), ("bn_gap", "1")]


def test_each_part_comes_with_the_facts_of_the_environment(monkeypatch):
    asked = {}

    def stand_in(name):
        return lambda *arguments: asked.setdefault(name, arguments)

    names = (
        "epoch_seconds",
        "threads_seconds",
        "pipeline_seconds",
        "inference_rates",
        "start_seconds",
        "seconds_to_accuracy",
        "format_rows",
    )
    for name in names:
        monkeypatch.setattr(benchmark, name, stand_in(name))
    monkeypatch.setattr(benchmark, "format_rows", lambda *arguments: asked.update(format_rows=arguments) or [])
    data = ("digits", None, None)
    for part, name in zip(PARTS, names, strict=True):
        facts, found = benchmark.measure(part, data, steps=6, repeats=2, seeds=3, torch=False)
        assert list(asked)[-1] == name and found == ([] if part == "formats" else asked[name])
    assert facts.keys() >= {"dataset", "device", "processor", "threads", "optimizations", "versions", "source_commit"}
    assert facts["dataset"] == "digits" and facts["device"].startswith("cpu (")
    assert asked["epoch_seconds"] == (data, 6, 2, []) and asked["seconds_to_accuracy"] == (data, 3)
    assert asked["inference_rates"] == (2,) and asked["start_seconds"] == (data, 2)


def test_pytorch_that_is_not_installed_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="`baseline` torch needs PyTorch; pip install"):
        benchmark.epoch_seconds(("digits", None, None), 1, 1, [0])
