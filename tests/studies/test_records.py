"""The records in the repository: each is of the run that its folder says."""

import re
import statistics

import pytest

from keras_mnist.errors import RunError
from keras_mnist.models.registry import get_variant
from keras_mnist.recipe import Recipe
from keras_mnist.studies.records import Records
from keras_mnist.studies.report.tuning import epochs_at_first_rate
from tests.conftest import ROOT
from tests.studies.made_up_records import write_run

RECORDS = Records(ROOT / "docs" / "records")


@pytest.mark.parametrize("run", RECORDS.runs, ids=lambda run: str(run.folder.relative_to(RECORDS.folder)))
def test_every_record_is_of_the_run_that_its_folder_says_and_has_its_epochs(run):
    facts = run.facts
    assert (facts["dataset"], facts["variant"], facts["seed"]) == (run.dataset, run.variant, run.seed)
    assert re.fullmatch("[0-9a-f]{40}", facts["source_commit"]), "from changed files"
    assert len(run.history) == facts["epochs_run"]
    assert round(facts["test_accuracy"] * facts["test_images"]) + facts["test_errors"] == facts["test_images"]
    assert run.test_errors is None or len(run.test_errors) == facts["test_errors"]


@pytest.mark.parametrize("run", RECORDS.runs, ids=lambda run: str(run.folder.relative_to(RECORDS.folder)))
def test_every_record_s_folder_names_its_settings(run):
    """Settings that an older record lacks have their defaults."""
    base = get_variant(run.variant).recipe(run.base)
    recorded = base.with_settings(**Recipe().flat() | run.facts["recipe"])
    validation = [f"validation={run.facts['validation']}"] * (run.facts["validation"] != "held-out")
    assert run.recipe == ",".join([run.base, *recorded.differences(base), *validation])


def test_a_record_in_a_wrong_folder_is_one_line(tmp_path):
    write_run(tmp_path, "bn", "tuned", 0, 0.99)
    (tmp_path / "mnist" / "bn" / "tuned" / "seed0").rename(tmp_path / "mnist" / "bn" / "tuned" / "first")
    with pytest.raises(RunError, match="is no record, expected a run.json in"):
        Records(tmp_path)


def test_records_of_other_digits_are_not_among_those_of_mnist(tmp_path):
    write_run(tmp_path, "bn", "tuned", 0, 0.99)
    (tmp_path / "mnist").rename(tmp_path / "digits")
    assert len(Records(tmp_path).runs) == 1 and not Records(tmp_path).by_recipe()


def test_the_best_epoch_is_a_whole_number_of_images(tmp_path):
    write_run(tmp_path, "bn", "document,validation=test", 0, 0.99, best=0.9923000216484070)
    (run,) = Records(tmp_path).runs
    assert (run.best_accuracy, run.accuracy, run.protocol) == (0.9923, 0.99, "document")


def test_fused_layers_on_shards_train_as_plain_layers_do():
    """Compared before the first reduction of a learning rate."""
    for key, plain in RECORDS.by_recipe("without-optimizations").items():
        optimized = RECORDS.by_recipe().get(key)
        if optimized is None:
            pytest.skip(f"no records of {key} with the optimizations")
        epochs = epochs_at_first_rate([*plain, *optimized])
        assert epochs >= 5 and min(len(plain), len(optimized)) >= 3
        losses = [statistics.fmean(run.history[epochs - 1]["loss"] for run in runs) for runs in (optimized, plain)]
        assert abs(losses[0] - losses[1]) < 0.03 * losses[1]
        assert "fused_layers" in optimized[0].facts["optimizations"] and not plain[0].facts["optimizations"]
