import json

import pytest

from keras_mnist.errors import UsageError
from keras_mnist.studies.weights import write_weights


@pytest.mark.slow
def test_a_variant_without_runs_is_left_as_it_is_and_named(finished_run, weights_here, tmp_path, script_here):
    finished_run("bn")
    write_weights(tmp_path / "runs", tmp_path)
    before = (weights_here / "bn.weights.h5").read_bytes()
    (tmp_path / "runs").rename(tmp_path / "older")
    finished_run("bn_gap", loss=0.02)
    code, said, complaints = script_here("weights.py")
    assert (code, complaints) == (0, "") and len(said.splitlines()) == 3
    assert said.startswith(
        "bn_gap             seed 0, the median of 1: held-out loss 0.0200, 99.00% of the mnist test "
    )
    assert "\nleft as they are, for want of finished runs: base_16k, base_20k, base_7k, bn, bn_dropout, " in said
    assert (weights_here / "bn.weights.h5").read_bytes() == before
    assert list(json.loads((weights_here / "manifest.json").read_text())) == ["bn", "bn_gap"]


def test_no_runs_and_no_checkout_are_one_line(script_here, tiny, finished_run, weights_here, tmp_path):
    code, said, complaint = script_here("weights.py", "--runs", "none")
    assert code == 2 and said == "" and complaint.count("\n") == 1
    assert "none has no finished run in mnist/<variant>/tuned/seed<k>/; choose another --runs" in complaint
    finished_run(tiny)
    weights_here.parent.rmdir()
    with pytest.raises(UsageError, match="has no keras_mnist/models, expected a checkout of keras_mnist"):
        write_weights(tmp_path / "runs", tmp_path)
