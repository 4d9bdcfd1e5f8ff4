"""Figures in the documents come from the records beside them."""

import re
import shutil
import signal
import statistics
import sys

import pytest

from keras_mnist.__main__ import main
from keras_mnist.errors import RunError, UsageError
from keras_mnist.models.registry import get_variant
from keras_mnist.recipe import Recipe
from keras_mnist.studies import documents
from keras_mnist.studies.records import Records
from tests.conftest import ROOT

RECORDS = Records(ROOT / documents.RECORDS)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture
def checkout(tmp_path):
    """A copy of the documents and records, with a README that has no table of networks to build."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "README.md").write_text("# A package\n")
    return tmp_path


@pytest.fixture
def document(monkeypatch, capsys):
    """Call the command in a folder: (exit code, standard output, standard error)."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(folder, *arguments):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["document.py", *arguments])
        with pytest.raises(SystemExit) as end:
            main("document")
        return end.value.code, *capsys.readouterr()

    yield call
    for number, handler in before.items():
        signal.signal(number, handler)


def test_every_generated_part_is_what_the_records_give(document):
    assert document(ROOT, "--check") == (0, "", "")


def test_a_changed_figure_is_named_and_rewritten(document, checkout):
    page = checkout / "docs" / "tuning.md"
    right = page.read_text()
    page.write_text(right.replace("| 98.11% | 11.35% |", "| 99.99% | 11.35% |"))
    code, said, complaints = document(checkout, "--check")
    assert (code, said) == (1, "") and complaints.startswith("document.py: docs/tuning.md differ from the records")
    assert complaints.count("\n") == 1 and page.read_text() != right
    assert document(checkout) == (0, "docs/tuning.md rewritten\n", "") and page.read_text() == right


def test_a_region_without_a_function_or_an_end_is_refused(checkout):
    page = checkout / "docs" / "tuning.md"
    page.write_text("<!-- generated: cliping -->\n<!-- end -->\n")
    with pytest.raises(UsageError, match="no generated region 'cliping'; did you mean clipping"):
        documents.outdated(checkout)
    page.write_text("<!-- generated: clipping -->\n")
    with pytest.raises(UsageError, match="has a generated region without its `<!-- end -->`"):
        documents.outdated(checkout)


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(UsageError, match="expected a checkout of keras_mnist"):
        documents.outdated(tmp_path)


def test_another_record_appears_in_the_tables_and_none_is_missed(checkout):
    of_bn_gap = checkout / "docs" / "records" / "mnist" / "bn_gap" / "tuned"
    shutil.copytree(of_bn_gap / "seed2", of_bn_gap / "seed3")
    assert "| `bn_gap` | `tuned` | all | 4 |" in documents.seeds(Records(checkout / documents.RECORDS))
    shutil.rmtree(checkout / "docs" / "records" / "mnist" / "light_20k")
    assert "light_20k" not in documents.one_epoch(Records(checkout / documents.RECORDS))


def test_a_record_in_a_wrong_folder_is_one_line(checkout):
    of_bn_gap = checkout / "docs" / "records" / "mnist" / "bn_gap" / "tuned"
    (of_bn_gap / "seed0").rename(of_bn_gap / "first")
    with pytest.raises(RunError, match="is no record, expected a run.json in"):
        Records(checkout / documents.RECORDS)


def test_every_region_is_used():
    used = {name for page in PAGES for name in documents.BEGIN.findall(page.read_text())}
    assert used == set(documents.REGIONS)


@pytest.mark.parametrize("run", RECORDS.runs, ids=lambda run: str(run.folder.relative_to(RECORDS.folder)))
def test_every_record_is_of_the_run_that_its_folder_says_and_has_its_epochs(run):
    facts = run.facts
    assert (facts["dataset"], facts["variant"], facts["seed"]) == (run.dataset, run.variant, run.seed)
    assert re.fullmatch("[0-9a-f]{40}", facts["source_commit"]), "from changed files"
    assert len(run.history) == facts["epochs_run"]
    assert round(facts["test_accuracy"] * facts["test_images"]) + facts["test_errors"] == facts["test_images"]


@pytest.mark.parametrize("run", RECORDS.runs, ids=lambda run: str(run.folder.relative_to(RECORDS.folder)))
def test_every_record_s_folder_names_its_settings(run):
    """Settings that an older record lacks have their defaults."""
    base = get_variant(run.variant).recipe(run.base)
    recorded = base.with_settings(**Recipe().flat() | run.facts["recipe"])
    validation = [f"validation={run.facts['validation']}"] * (run.facts["validation"] != "held-out")
    assert run.recipe == ",".join([run.base, *recorded.differences(base), *validation])


def test_fused_layers_on_shards_train_as_plain_layers_do():
    """Compared before the first reduction of a learning rate."""
    pairs = RECORDS.by_recipe("without-optimizations")
    assert pairs
    for (variant, recipe), plain in pairs.items():
        optimized = RECORDS.by_recipe()[variant, recipe]
        losses = []
        for runs in (optimized, plain):
            assert len(runs) >= 3
            assert len({row["learning_rate"] for run in runs for row in run.history[:8]}) == 1
            losses.append(statistics.fmean(run.history[7]["loss"] for run in runs))
        assert abs(losses[0] - losses[1]) < 0.03 * losses[1]
        assert "fused_layers" in optimized[0].facts["optimizations"] and not plain[0].facts["optimizations"]


def test_what_the_readme_quotes_is_of_ten_seeds_or_more():
    text = (ROOT / "README.md").read_text()
    assert set(documents.BEGIN.findall(text)) == {"variants", "time_to_accuracy"}
    assert all(len(row["values"]) >= 10 for row in RECORDS.benchmark["accuracy"]["rows"])
