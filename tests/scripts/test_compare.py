"""The comparison with PyTorch as a user calls it."""

import importlib.util
import json

import pytest


@pytest.mark.slow  # PyTorch's optimizers take seconds to import
def test_a_comparison_is_kept_and_not_made_again(script_here, small_digits, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason='pip install -e ".[bench]"')
    from keras_mnist.benchmarks import torch_document

    monkeypatch.chdir(tmp_path)
    wanted = "--variants", "iter1_base", "--seeds", "1", "--dataset", "digits", "--folder", "kept"
    code, said, complaints = script_here("compare.py", *wanted)
    assert (code, complaints) == (0, "") and said.startswith("iter1_base, seed 0, in PyTorch: best ")
    record = json.loads((tmp_path / "kept/digits/iter1_base/seed0.json").read_text())
    assert f"last {record['test_accuracy_by_epoch'][-1]:.2%} of the digits test images" in said
    monkeypatch.setattr(torch_document, "train", None)
    assert script_here("compare.py", *wanted) == (0, said, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--variants", "bn_gpa"], "no variant 'bn_gpa'; did you mean bn_gap"),
        (["--variants", "bn", "--seeds", "0"], "--seeds is 0, expected at least 1"),
        ([], "the following arguments are required: --variants"),
    ],
)
def test_wrong_use_is_one_line(script_here, arguments, words):
    code, said, complaints = script_here("compare.py", *arguments)
    assert code == 2 and said == "" and words in complaints and complaints.count("\n") == 1


def test_without_pytorch_the_extra_is_named(script_here, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else find(name, *rest))
    code, _, complaints = script_here("compare.py", "--variants", "bn")
    assert code == 2 and complaints == 'compare.py: compare needs PyTorch; pip install "keras-mnist[bench]"\n'
