import shutil

import pytest

from keras_mnist.models import trained


def test_a_page_from_what_comes_with_the_package_and_from_files(script_here, tiny, shipped, tmp_path):
    shipped(tiny)
    code, said, complaint = script_here("page.py", "--variants", f"{tiny}, {tiny}", "--output", "page.html")
    assert (code, complaint) == (0, "") and said.startswith("page.html: ") and "opens in any browser" in said
    text = (tmp_path / "page.html").read_text()
    accuracy = f"{100 * trained.facts(tiny)['test_accuracy']:.2f} % of the 10,000 test images of MNIST right"
    assert text.count(f" parameters; {accuracy}. Weights of the run mnist/tiny/tuned/seed0.") == 1  # named twice
    model = tmp_path / "runs" / "mnist" / tiny / "tuned" / "seed0" / "model.keras"
    shutil.copytree(model.parent, model.parents[1] / "seed1")
    another = model.parents[1] / "seed1" / "model.keras"
    code, said, complaint = script_here("page.py", "--model", model, another, model, "--output", "both.html")
    assert (code, complaint) == (0, "")
    text = (tmp_path / "both.html").read_text()
    assert [text.count(f"Weights of the run mnist/tiny/tuned/seed{seed}.") for seed in (0, 1)] == [1, 1] and str(
        tmp_path
    ) not in text


WRONG = {
    (): "one of the arguments --variant --variants --model is required; see page.py --help",
    ("--model", "x.keras"): "x.keras does not exist, expected a .keras file, such as a run's model.keras; see --model",
    ("--model", "model.keras", "--output", "model.keras"): "model.keras ends otherwise, expected the name of a .html",
    ("--variants", "bn_gpa,swift"): "no variant 'bn_gpa'; did you mean bn_gap or ",
    ("--variant", "bn"): "bn comes without trained weights, expected one of none so far; train it instead",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_use_is_one_line(arguments, script_here, weights_here, tmp_path):
    (tmp_path / "model.keras").write_text("a network")
    code, said, complaint = script_here("page.py", *arguments)
    assert (code, said) == (2, "") and complaint.count("\n") == 1
    assert complaint.startswith(f"page.py: {WRONG[arguments]}")
