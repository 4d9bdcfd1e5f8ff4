"""Which runs a study has, how far they are, and the records that are kept of them."""

import json

import pytest

from keras_mnist.errors import RunError, UsageError
from keras_mnist.models.registry import get_variant, list_variants
from keras_mnist.studies.study import plan_study
from tests.studies.made_up_records import write_record


def plan(folder="runs", **settings):
    usual = {"recipe": "tuned", "validation": "held-out", "seeds": 2, "dataset": "mnist", "folder": folder}
    return plan_study(settings.pop("variants", "all"), **usual | settings)


def finish(study, run, accuracy=0.9, **rest):
    """What `train` leaves behind, without the weights."""
    write_record(study.home(run).path, run, accuracy, **{"epochs": 2} | rest)


def test_all_are_those_that_have_the_recipe_each_seed_of_every_one_before_the_next():
    runs = plan().runs
    assert [str(run) for run in runs[:2]] == [f"{name} seed 0" for name in list_variants()[:2]]
    assert len(runs) == 2 * len(list_variants()) and [run.seed for run in runs] == sorted(run.seed for run in runs)
    of_documents = {run.variant.name for run in plan(recipe="document").runs}
    assert of_documents == {name for name in list_variants() if get_variant(name).document}
    assert len(plan(variants="bn_gap,swift,bn_gap").runs) == 4


def test_a_run_is_kept_where_train_keeps_it(tmp_path):
    study = plan(tmp_path, variants="bn_gap", recipe="document", validation="test")
    assert study.home(study.runs[1]).path == tmp_path / "mnist" / "bn_gap" / "document,validation=test" / "seed1"
    words = "train --variant bn_gap --recipe document --validation test --seed 1 --dataset mnist --device cpu"
    assert study.runs[1].train_arguments("elsewhere") == f"{words} --runs elsewhere --no-export".split()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"variants": "bn_gap,bn_gpa"}, "no variant 'bn_gpa'; did you mean bn_gap"),
        ({"variants": "swift", "recipe": "document"}, "swift is a network of our own, without a document"),
        ({"recipe": "best"}, "`recipe` is 'best'"),
        ({"validation": "all"}, "`validation` is 'all'"),
        ({"seeds": 0}, "`seeds` is 0, expected at least 1"),
    ],
)
def test_what_cannot_be_planned_is_one_line(settings, words):
    with pytest.raises(UsageError) as error:
        plan(**settings)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_each_run_says_how_far_it_is(tmp_path):
    study = plan(tmp_path, variants="bn_gap", seeds=4)
    done, stopped, failed, _ = study.runs
    finish(study, done)
    for run, name in ((stopped, "state.bin"), (failed, "state.bin"), (failed, "failure.txt")):
        study.home(run).path.mkdir(parents=True, exist_ok=True)
        (study.home(run).path / name).touch()
    assert [study.status(run) for run in study.runs] == ["finished", "interrupted", "failed", "missing"]
    assert study.unfinished() == list(study.runs[1:])


def test_a_record_counts_as_a_finished_run_and_every_finished_run_gets_one(tmp_path):
    study = plan(tmp_path / "runs", variants="bn_gap", records=tmp_path / "records")
    finish(study, study.runs[0], best=0.95)
    study.keep_records()
    copied = sorted(path.relative_to(tmp_path / "records") for path in (tmp_path / "records").rglob("*.*"))
    assert [path.name for path in copied] == ["history.csv", "run.json", "test_errors.csv"]
    assert {path.parent for path in copied} == {study.runs[0].folder}
    elsewhere = plan(tmp_path / "none", variants="bn_gap", records=tmp_path / "records")
    assert elsewhere.unfinished() == [elsewhere.runs[1]] and elsewhere.record(elsewhere.runs[0]).accuracy == 0.9
    assert [row["val_accuracy"] for row in elsewhere.record(elsewhere.runs[0]).history] == [0.95, 0.9]


def test_a_record_of_other_settings_is_refused_by_name(tmp_path):
    study = plan(tmp_path, variants="bn_gap")
    run = study.runs[0]
    finish(study, run, recipe=run.recipe.with_settings(epochs=3).flat())
    with pytest.raises(RunError, match="is of the run mnist/bn_gap/tuned,epochs=3/seed0, expected mnist/bn_gap/tuned/"):
        study.unfinished()


def test_a_record_that_lacks_what_a_study_shows_is_one_line(tmp_path):
    study = plan(tmp_path / "none", variants="bn_gap", records=tmp_path / "records")
    finish(plan(tmp_path / "records", variants="bn_gap"), study.runs[0])
    path = tmp_path / "records" / study.runs[0].folder / "run.json"
    facts = json.loads(path.read_text())
    del facts["seconds_per_epoch"]
    path.write_text(json.dumps(facts))
    with pytest.raises(RunError, match=r"is damaged \(it lacks seconds_per_epoch\); train it again, or remove its"):
        study.unfinished()
