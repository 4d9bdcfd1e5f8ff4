import math
import sys

import numpy as np
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


@pytest.fixture
def torch_peer():
    pytest.importorskip("torch", reason='pip install -e ".[bench]"')
    from keras_mnist.results import torch_peer

    threads = torch_peer.torch.get_num_threads()
    torch_peer.torch.set_num_threads(1)  # its threads wait for each other in busy loops, and other tests run as well
    yield torch_peer
    torch_peer.torch.set_num_threads(threads)


def test_an_expert_rotates_in_pytorch_as_the_document_does(torch_peer, digits):
    images, degrees = digits.train_images[:6], [-7.0, -3.3, 0.0, 0.5, 6.9, 90.0]
    tensor = torch_peer.torch.tensor(images[..., 0], dtype=torch_peer.torch.float32).unsqueeze(1)
    at_once = torch_peer.rotated_at_once(tensor, torch_peer.torch.tensor(degrees)).squeeze(1).numpy()
    one_by_one = [torch_peer.rotated_by_pil(image, angle) for image, angle in zip(images[..., 0], degrees, strict=True)]
    difference = at_once - np.stack(one_by_one)
    assert difference.min() > -0.01 and difference.max() < 1.01  # PIL cuts off what is behind the point
    assert one_by_one[-1].max() > 100


def test_both_pytorch_trainers_train_the_network_of_the_document(torch_peer, digits):
    for trainer in (
        torch_peer.document_trainer(digits.train_images, digits.train_labels),
        torch_peer.expert_trainer(digits.train_images, digits.train_labels),
    ):
        assert sum(weight.numel() for weight in trainer.network.parameters()) == 7_550
        assert trainer.train(1) > 0
        first = trainer.loss.item()
        assert trainer.train(20) > 0 and trainer.loss.item() < 0.95 * first


def test_the_expert_in_pytorch_is_a_contender(torch_peer, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with contender("torch expert", "", ("digits", None, None)) as train:
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
    monkeypatch.setattr(benchmark, "_printed_accuracies", lambda command: [(5.0, 0.985), (9.0, 0.992)])
    low, high, last = benchmark.seconds_to_accuracy(("mnist", None, None), 2)
    assert (low.values, high.values) == ([9.0, 9.0], [math.inf, math.inf])
    assert last.values == pytest.approx([99.2, 99.2])
