import json

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
    ("--variant", "bn"): "bn comes without trained weights, expected one of none so far; train it instead",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_use_is_one_line(arguments, script_here, weights_here):
    code, said, complaint = script_here("evaluate.py", *arguments)
    assert (code, said) == (2, "") and complaint.count("\n") == 1
    assert complaint.startswith(f"evaluate.py: {WRONG[arguments]}")
