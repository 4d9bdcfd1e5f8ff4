import json
import time

import pytest

from keras_mnist.recipe import Recipe
from keras_mnist.run import THREADS_NOTICE
from tests.conftest import ROOT

SHORT = ["--variant", "base_7k", "--dataset", "digits", "--epochs", "1", "--device", "cpu"]


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "scripts").glob("*.py")))
def test_help_answers_in_under_a_second(script, name):
    seconds = []
    for _ in range(10):  # the fastest counts: other tests run beside this one
        started = time.perf_counter()
        code, said, _ = script(name, "--help")
        seconds.append(time.perf_counter() - started)
        assert code == 0 and said.startswith(f"usage: {name}")
        if seconds[-1] < 1:
            break
    assert min(seconds) < 1


def test_every_recipe_setting_is_a_flag_with_its_help(script_here):
    _, said, _ = script_here("train.py", "--help")
    for name in Recipe().flat():
        assert f"--{name.replace('_', '-')} " in said
    for unit in ("pixels", "degrees", "fraction"):
        assert unit in said


def test_a_run_from_the_command_line(server, tmp_path):
    work = tmp_path / "work"

    def script(name, *arguments):
        ended = server.run(ROOT / "scripts" / name, arguments, work)
        return ended.code, ended.output, ended.complaints

    settings = ["--batch-size", "50", "--rotation-degrees", "3", "--target-accuracy", "none"]
    code, said, complaints = script("train.py", *SHORT, *settings)
    assert code == 0, complaints
    name = "tuned,epochs=1,batch_size=50,rotation_degrees=3,target_accuracy=none"
    folder = work / "runs" / "digits" / "base_7k" / name / "seed0"
    record = json.loads((folder / "run.json").read_text())
    assert (record["recipe"]["epochs"], record["recipe"]["rotation_degrees"]) == (1, 3.0)
    assert record["recipe"]["target_accuracy"] is None
    assert "epoch  1/1  loss" in said and f"{record['test_accuracy']:.2%} of 20 digits test images" in said
    assert complaints == "" and (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    model = folder / "model.keras"
    code, said, _ = script("evaluate.py", "--model", model, "--dataset", "digits")
    assert code == 0 and f"{record['test_accuracy']:.2%} ({record['test_errors']} misclassified)" in said
    code, said, _ = script("export.py", "--model", model, "--output", "exported")
    assert code == 0 and "largest difference" in said
    assert json.loads((work / "exported" / "keras_mnist.json").read_text())["dataset"] == "digits"
    code, said, _ = script("train.py", *SHORT, *settings)
    assert code == 0 and "holds this run, finished" in said and "epoch  1/1" not in said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "no --variant given"),
        (["--variant", "bn_gpa"], 2, "no variant 'bn_gpa'; did you mean bn_gap"),
        (["--variant", "bn_gap", "--dataset", "fashion"], 2, "--dataset is 'fashion'"),
        (["--variant", "bn_gap", "--recipe", "best"], 2, "--recipe is 'best'"),
        (["--variant", "bn_gap", "--epochs", "0"], 2, "--epochs is 0, expected at least 1"),
        (["--variant", "bn_gap", "--seed", "x"], 2, "seed is 'x', expected a whole number"),
        (["--variant", "bn_gap", "--epochs", "many"], 2, "epochs is 'many', expected a whole number"),
        (["--variant", "bn_gap", "--learning-rate", "-1"], 2, "--learning-rate is -1.0, expected above 0"),
        (["--variant", "bn_gap", "--target-accuracy", "99.4"], 2, "--target-accuracy is 99.4"),
        (["--variant", "bn_gap", "--epochs", "9" * 20], 2, f"--epochs is {'9' * 20}, expected at least 1 and at most"),
        (["--variant", "bn_gap", "--schedule", "plateau", "--reduction-factor", "1"], 2, "--reduction-factor is 1.0"),
        (["--variant", "bn_gap", "--learning-rate", "1e-46"], 2, "--learning-rate is 1e-46, expected at least 1.18e"),
        (["--variant", "bn_gap", "--optimizer", "lion"], 2, "--optimizer is 'lion', expected one of sgd, adam"),
        (["--variant", "bn_gap", "--epoch", "3"], 2, "unrecognized arguments: --epoch 3"),
        ([*SHORT, "--batch-size", "5000"], 2, "--batch-size is 5000, expected at most the 1260 training images"),
        ([*SHORT, "--seed", "-1"], 2, "--seed is -1"),
        ([*SHORT, "--validation", "all"], 2, "--validation is 'all'"),
        ([*SHORT, "--runs", "/proc/runs"], 2, "cannot write to /proc/runs"),
        ([*SHORT, "--device", "tpu"], 2, "--device is 'tpu'"),
        (["--variant", "bn_gap", "--mnist-archives", "nowhere"], 2, "nowhere/t10k-images-idx3-ubyte.gz is missing"),
    ],
)
def test_wrong_use_is_one_line_with_the_value_and_the_remedy(script_here, tmp_path, arguments, code, words):
    found, said, complaints = script_here("train.py", *arguments)
    assert found == code and said.replace(f"{THREADS_NOTICE}\n", "") == ""
    assert words in complaints and complaints.startswith("train.py: ") and complaints.count("\n") == 1
    assert "`" not in complaints
    assert not [path for path in tmp_path.glob("runs/**/*") if path.is_file()]


def test_the_list_names_every_variant(script):
    code, said, _ = script("train.py", "--list")
    assert code == 0 and "bn_gap              7,550 parameters" in said


def test_a_model_file_that_is_none_is_refused(script_here, tmp_path):
    (tmp_path / "text.keras").write_text("no model")
    for name in ("evaluate.py", "export.py"):
        code, _, complaints = script_here(name, "--model", "text.keras")
        assert code == 2 and complaints.count("\n") == 1 and "text.keras is no model" in complaints
        code, _, complaints = script_here(name, "--model", "nothing.keras")
        assert code == 2 and complaints.count("\n") == 1 and "nothing.keras does not exist" in complaints
        code, _, complaints = script_here(name, "--model", tmp_path)
        assert code == 2 and complaints.count("\n") == 1
        assert f"{tmp_path} is a folder, expected a .keras file" in complaints and "--model" in complaints
