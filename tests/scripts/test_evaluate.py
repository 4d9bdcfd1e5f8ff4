import json

import numpy as np
import pytest

import keras_mnist
from keras_mnist.models import trained


def test_a_file_and_what_comes_with_the_package_get_the_same_score(script_here, tiny, shipped, digits, tmp_path):
    score = keras_mnist.evaluate(shipped(tiny), digits)
    model = tmp_path / "runs" / "mnist" / tiny / "tuned" / "seed0" / "model.keras"
    for network in (("--model", model), ("--variant", tiny)):
        code, said, complaint = script_here("evaluate.py", *network, "--dataset", "digits")
        assert (code, complaint) == (0, "") and f"({score.errors} misclassified)" in said
        assert str(network[1]) in said and "digits, 397 test images" in said
        weakest, error = score.worst_class, score.calibration_error
        assert f"{weakest.digit}: recall {weakest.recall:.2%}" in said and f"calibration error {error:.2%}" in said


def test_a_user_s_own_digits_are_scored_printed_as_json_and_reported(script_here, tiny, shipped, digits, tmp_path):
    model, own = shipped(tiny), tmp_path / "own.npz"
    np.savez(own, x_test=digits.test_images[:50], y_test=digits.test_labels[:50])
    arguments = "--variant", tiny, "--data", own, "--format", "json"
    code, said, complaint = script_here("evaluate.py", *arguments, "--report", tmp_path / "new" / "report")
    facts = json.loads(said)
    images, labels = digits.test_images[:50], digits.test_labels[:50]
    errors, inverted = (np.sum(np.argmax(model(given), axis=1) != labels) for given in (images * 1.0, 255.0 - images))
    assert (code, complaint) == (0, "") and (facts["network"], facts["dataset"]) == (tiny, "own.npz")
    assert np.sum(facts["confusion_matrix"]) == facts["images"] == 50 and facts["errors"] == errors
    assert len(facts["distortions"]) == 13 and facts["distortions"][-1]["distortion"] == "inversion"
    assert facts["distortions"][-1]["errors"] == inverted
    assert (tmp_path / "new" / "report" / "evaluation.json").read_text() == said
    assert '<section id="distortions">' in (tmp_path / "new" / "report" / "evaluation.html").read_text()


def test_what_comes_with_the_package_is_exported_with_its_run(script_here, tiny, shipped, tmp_path):
    shipped(tiny)
    code, said, complaint = script_here("export.py", "--variant", tiny)
    assert (code, complaint) == (0, "") and "largest difference of a probability from tiny: " in said
    facts = json.loads((tmp_path / "saved_models" / tiny / "keras_mnist.json").read_text())
    assert facts.items() >= {"variant": tiny, **trained.facts(tiny)}.items()
    assert facts["run"] == "mnist/tiny/tuned/seed0"


WRONG = {
    (): "one of the arguments --model --variant is required; see evaluate.py --help",
    ("--model", "x.keras", "--variant", "bn"): "argument --variant: not allowed with argument --model; see ",
    ("--model", "x.keras"): "x.keras does not exist, expected a .keras file, such as a run's model.keras; see --model",
    ("--variant", "bn_gpa"): "no variant 'bn_gpa'; did you mean bn_gap or ",
    ("--variant", "bn", "--format", "csv"): "--format is 'csv', expected one of table, json",
    ("--variant", "bn", "--data", "x.npz", "--dataset", "mnist"): "--data and --dataset are given, expected one of ",
    ("--variant", "bn"): "bn comes without trained weights, expected one of none so far; train it instead",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_use_is_one_line(arguments, script_here, weights_here):
    code, said, complaint = script_here("evaluate.py", *arguments)
    assert (code, said) == (2, "") and complaint.count("\n") == 1
    assert complaint.startswith(f"evaluate.py: {WRONG[arguments]}")


def test_files_that_cannot_be_used_are_found_before_anything_is_computed(script_here, tiny, shipped, tmp_path):
    shipped(tiny)
    (tmp_path / "note").write_text("a file")
    for arguments, words in (
        (("--data", "x.npz"), "x.npz cannot be read (No such file or directory), expected an NPZ file "),
        (("--report", "note"), "cannot write to note (File exists); choose another --report"),
    ):
        code, said, complaint = script_here("evaluate.py", "--variant", tiny, *arguments)
        assert (code, said) == (2, "") and complaint.startswith(f"evaluate.py: {words}") and complaint.count("\n") == 1
