"""The records in the repository, and what becomes of damaged and of false ones."""

import json
import re
import shutil
import statistics

import pytest

from keras_mnist.errors import RunError
from keras_mnist.studies.records import WITHOUT_OPTIMIZATIONS, Records, read_record
from keras_mnist.studies.report.tuning import epochs_at_first_rate
from tests.conftest import ROOT
from tests.studies.made_up_records import write_run

RECORDS = ROOT / "docs" / "records"
FOLDERS = sorted(path.parent.relative_to(RECORDS) for path in RECORDS.rglob("run.json"))
HERE = "mnist/bn/tuned/seed0"
LACKING = r"run.json is damaged \(it lacks {}\); train it again, or remove its folder$"
HISTORY = (
    "history.csv is missing or damaged, expected a row for each epoch, 1 to 6, with accuracy, loss, val_accuracy, "
    "val_loss, learning_rate, seconds; train it again, or remove its folder$"
)
ERRORS = (
    "test_errors.csv is missing or damaged, expected a row for each of 100 images, with index, label, prediction, "
    "probability; train it again, or remove its folder$"
)


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_record_is_whole_and_of_the_run_that_its_folder_says(folder):
    """Reading it checks that."""
    run = read_record(RECORDS / folder, RECORDS)
    assert re.fullmatch("[0-9a-f]{40}", run.facts["source_commit"]), "from changed files"


@pytest.fixture
def record(tmp_path):
    """The folder of a good record."""
    write_run(tmp_path, "bn", "tuned", 0, 0.99)
    assert read_record(tmp_path / HERE, tmp_path).accuracy == 0.99
    return tmp_path / HERE


def refusal(root):
    """The one line that says what is wrong with the records."""
    with pytest.raises(RunError) as error:
        Records(root)
    assert "\n" not in str(error.value) and "`" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"validation": "all"}, "validation is 'all', expected one of held-out, test, none"),
        ({"validation": ["test"]}, "validation is ['test'], expected one of held-out, test, none"),
        ({"test_accuracy": "high"}, "test_accuracy is 'high', expected a number"),
        ({"test_accuracy": float("nan")}, "test_accuracy is nan, expected at least 0 and at most 1"),
        ({"train_accuracy": 99.1}, "train_accuracy is 99.1, expected at least 0 and at most 1"),
        ({"train_accuracy": None}, "train_accuracy is None, expected a number"),
        ({"test_errors": 99}, "test_errors is 99, expected what test_accuracy 0.99 leaves of 10000 test_images"),
        ({"test_images": 10**400}, "expected at least 1 and at most 1000000000"),
        ({"seconds_per_epoch": True}, "seconds_per_epoch is True, expected a number"),
        ({"variant": "bm"}, "no variant 'bm'; did you mean bn"),
        ({"variant": None}, "no variant None; expected one of"),
        ({"dataset": 5}, "dataset is 5, expected a word"),
        ({"seed": -1}, "seed is -1, expected a whole number from 0"),
        ({"recipe": []}, "recipe is [], expected an object of JSON"),
        ({"recipe": {"epochs": 0}}, "epochs is 0, expected at least 1"),
        ({"recipe": {"epoch": 5}}, "no recipe setting epoch; expected epochs"),
        ({"versions": {"python": "3.11"}}, "tensorflow is None, expected a word"),
    ],
    ids=str,
)
def test_a_wrong_fact_is_named_with_what_was_expected(changed, words, record, tmp_path):
    path = record / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    said = refusal(tmp_path)
    assert said.startswith(f"{path} is damaged (") and words in said
    assert said.endswith("); train it again, or remove its folder")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "run.json is damaged (it lacks trainable_parameters, total_parameters, epochs_run, "),
        ("[]", "run.json is damaged (content is [], expected an object of JSON); train it again"),
        pytest.param("[" * 200_000, "run.json is damaged (maximum recursion depth exceeded", id="deep"),
        ("", "run.json is damaged (Expecting value: line 1 column 1 (char 0)); train it again"),
        ('{"variant": "bn', "run.json is damaged (Unterminated string"),
        ("\xff", "run.json is damaged ('utf-8' codec can't decode"),
    ],
)
def test_a_damaged_run_json_is_one_line(text, words, record, tmp_path):
    (record / "run.json").write_bytes(text.encode("latin-1"))
    assert words in refusal(tmp_path)


@pytest.mark.parametrize("name", ["seconds_per_epoch", "source_commit", "shards"])
def test_a_lacking_fact_is_named(name, record, tmp_path):
    facts = json.loads((record / "run.json").read_text())
    del facts[name]
    (record / "run.json").write_text(json.dumps(facts))
    assert re.search(LACKING.format(name), refusal(tmp_path))


def without_its_last_row(text):
    return "".join(text.splitlines(keepends=True)[:-1])


def with_a_row_twice(text):
    return "".join([*text.splitlines(keepends=True)[:-1], text.splitlines(keepends=True)[-2]])


def in_other_columns(text):
    return text.replace("val_", "test_").replace("label", "digit")


def with_a_word(text):
    return re.sub(r",[^,\n]*\n$", ",often\n", text)


def with_a_short_row(text):
    return re.sub(r",[^,\n]*\n$", "\n", text)


def out_of_range(text):
    return re.sub(r"\n(\d+),[^,]*,", r"\n\1,10,9", text)


DAMAGE = (without_its_last_row, with_a_row_twice, in_other_columns, with_a_word, with_a_short_row, out_of_range)


@pytest.mark.parametrize("damage", [lambda text: "", lambda text: "\0" + text, *DAMAGE])
@pytest.mark.parametrize(("name", "expected"), [("history.csv", HISTORY), ("test_errors.csv", ERRORS)])
def test_a_damaged_table_is_one_line(name, expected, damage, record, tmp_path):
    path = record / name
    path.write_text(damage(path.read_text()))
    said = refusal(tmp_path)
    assert said.startswith(str(record))
    assert re.search(expected, said) or (damage is with_a_row_twice and "an index occurs twice" in said)


@pytest.mark.parametrize(("name", "expected"), [("history.csv", HISTORY), ("test_errors.csv", ERRORS)])
def test_a_missing_table_is_one_line(name, expected, record, tmp_path):
    (record / name).unlink()
    assert re.search(expected, refusal(tmp_path))


@pytest.mark.parametrize(
    "other",
    [
        "mnist/bn/tuned/seed7",
        "mnist/bn/tuned/seed00",
        "mnist/bn/tuned/first",
        "mnist/bn/fast/seed0",
        "mnist/bn/tuned,epochs=20/seed0",
        "mnist/bn/tuned,validation=test/seed0",
        "mnist/bn_gap/tuned/seed0",
        "digits/bn/tuned/seed0",
        "tuned/seed0",
    ],
)
def test_a_record_in_the_folder_of_another_run_is_refused(other, record, tmp_path):
    shutil.copytree(record, tmp_path / "all" / other)
    said = refusal(tmp_path / "all")
    assert re.search(r"run\.json is of the run mnist/bn/(tuned|fast,\S+)/seed0, expected ", said)
    assert said.endswith(f"expected {other} as its folder says; train it again, or remove its folder")


def test_what_measures_a_claim_on_training_images_is_required_where_there_is_one(tmp_path):
    write_run(tmp_path, "iter1_base", "tuned", 0, 0.99, augmented_train_accuracy=None)
    assert "augmented_train_accuracy is None, expected a number" in refusal(tmp_path)


def test_runs_without_the_optimizations_need_no_scores_on_training_images_and_no_wrong_predictions(record, tmp_path):
    facts = json.loads((record / "run.json").read_text())
    del facts["train_accuracy"]
    (record / "run.json").write_text(json.dumps(facts))
    (record / "test_errors.csv").unlink()
    (tmp_path / "all" / WITHOUT_OPTIMIZATIONS).mkdir(parents=True)
    (tmp_path / "mnist").rename(tmp_path / "all" / WITHOUT_OPTIMIZATIONS / "mnist")
    assert len(Records(tmp_path / "all").by_recipe(WITHOUT_OPTIMIZATIONS)) == 1


@pytest.mark.parametrize("text", ["{", "[]"])
@pytest.mark.parametrize("name", ["benchmark", "evaluation", "pictures"])
def test_another_damaged_file_is_one_line_that_says_how_to_write_it(name, text, tmp_path):
    (tmp_path / f"{name}.json").write_text(text)
    with pytest.raises(RunError, match=rf"{name}.json is damaged \(.*\); write it anew with "):
        getattr(Records(tmp_path), name)


def test_records_of_other_digits_are_not_among_those_of_mnist(tmp_path):
    write_run(tmp_path, "bn", "tuned", 0, 0.99, dataset="digits")
    (tmp_path / "mnist").rename(tmp_path / "digits")
    assert len(Records(tmp_path).runs) == 1 and not Records(tmp_path).by_recipe()


def test_the_best_epoch_is_a_whole_number_of_images(tmp_path):
    write_run(tmp_path, "bn", "document,validation=test", 0, 0.99, best=0.9923000216484070)
    (run,) = Records(tmp_path).runs
    assert (run.best_accuracy, run.accuracy, run.protocol) == (0.9923, 0.99, "document")


def test_fused_layers_on_shards_train_as_plain_layers_do():
    """Compared before the first reduction of a learning rate."""
    records = Records(RECORDS)
    for key, plain in records.by_recipe(WITHOUT_OPTIMIZATIONS).items():
        optimized = records.by_recipe()[key]
        epochs = epochs_at_first_rate([*plain, *optimized])
        assert epochs >= 5 and min(len(plain), len(optimized)) >= 3
        losses = [statistics.fmean(run.history[epochs - 1]["loss"] for run in runs) for runs in (optimized, plain)]
        assert abs(losses[0] - losses[1]) < 0.03 * losses[1]
        assert "fused_layers" in optimized[0].facts["optimizations"] and not plain[0].facts["optimizations"]
