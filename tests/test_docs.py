"""Figures in the documents come from the records beside them."""

import json

import pytest

import keras_mnist
from keras_mnist.results.tables import figure
from keras_mnist.training.run import read_history
from tests.conftest import ROOT

RECORDS = ROOT / "docs" / "records"


def record(study, variant, seed=0):
    return json.loads((RECORDS / study / "mnist" / variant / f"seed{seed}" / "run.json").read_text())


def history(study, variant, seed=0):
    return read_history(RECORDS / study / "mnist" / variant / f"seed{seed}" / "history.csv")


def row_of_seeds(study, variant="bn_gap"):
    found = [record(study, variant, seed)["test_accuracy"] for seed in (0, 1, 2)]
    return " | ".join([f"{accuracy:.2%}" for accuracy in found] + [f"**{sum(found) / 3:.2%}**"])


@pytest.mark.parametrize("study", ["tuned", "document", "document-plain"])
def test_results_over_three_seeds_are_those_of_the_records(study):
    row = f"| `{study}` | {row_of_seeds(study)} |"
    assert row in (ROOT / "docs" / "results.md").read_text(), row


def test_the_tricks_train_as_plain_layers_do():
    """Compared after eight epochs, before the first reduction of a learning rate."""

    def mean_loss(study):
        losses = []
        for seed in (0, 1, 2):
            rows = history(study, "bn_gap", seed)[:8]
            assert len({row["learning_rate"] for row in rows}) == 1
            losses.append(rows[7]["loss"])
        return sum(losses) / 3

    fast, plain = mean_loss("document"), mean_loss("document-plain")
    assert abs(fast - plain) < 0.03 * plain
    page = " ".join((ROOT / "docs" / "results.md").read_text().split())
    assert f"is {fast:.4f} with them and {plain:.4f} without" in page


@pytest.mark.parametrize("name", [n for n in keras_mnist.list_variants() if keras_mnist.get_variant(n).claim])
def test_accuracies_after_one_epoch_are_those_of_the_records(name):
    both = [record(f"one-epoch-{recipe}", name)["test_accuracy"] for recipe in ("tuned", "document")]
    row = f"| {name} | {both[0]:.2%} | {both[1]:.2%} |"
    assert row in (ROOT / "docs" / "results.md").read_text(), row


def test_every_record_is_of_the_run_that_its_place_says_and_has_its_epochs():
    records = sorted(RECORDS.glob("*/*/*/seed*/run.json"))
    assert records
    for path in records:
        facts = json.loads(path.read_text())
        study, dataset, variant, seed = path.relative_to(RECORDS).parts[:4]
        assert (facts["dataset"], facts["variant"], f"seed{facts['seed']}") == (dataset, variant, seed)
        assert len(facts["source_commit"]) == 40, f"{path}: from changed files"
        assert len(read_history(path.with_name("history.csv"))) == facts["epochs_run"]
        right = round(facts["test_accuracy"] * facts["test_images"])
        assert right + facts["test_errors"] == facts["test_images"]


def test_the_readme_quotes_the_means():
    readme = " ".join((ROOT / "README.md").read_text().split())
    tuned, document = (row_of_seeds(study).split("**")[1].replace("%", " %") for study in ("tuned", "document"))
    assert f"reads {tuned} of the 10,000 test images with the tuned recipe and {document} with its source's" in readme


@pytest.mark.parametrize("name", ["chosen", "peak-0.2", "peak-0.05", "adam-0.01"])
def test_candidates_of_the_tuned_recipe_have_the_held_out_figures_of_their_records(name):
    last = history(f"tuning-{name}", "bn_gap")[-1]
    figures = f"| {last['val_loss']:.4f} | {last['val_accuracy']:.2%} |"
    assert figures in (ROOT / "docs" / "tuning.md").read_text()


def test_the_fast_recipe_has_the_held_out_figures_of_its_records():
    page = (ROOT / "docs" / "tuning.md").read_text()
    for seed in (0, 1, 2):
        last = history("fast", "swift", seed)[-1]
        assert f"| {seed} | {last['val_loss']:.4f} | {last['val_accuracy']:.2%} |" in page


def test_swift_s_accuracies_are_those_of_the_records():
    row = f"| `swift`, `fast` | {row_of_seeds('fast', 'swift')} |"
    assert row in (ROOT / "docs" / "results.md").read_text(), row


@pytest.mark.parametrize("name", ["fc_base", "fc_dropout", "iter1_base", "iter2_under_25k", "iter3_under_20k"])
def test_what_clipping_saves_is_as_recorded(name):
    clipped, free = (record(study, name)["test_accuracy"] for study in ("one-epoch-tuned", "one-epoch-unclipped"))
    assert f"| {name} | {clipped:.2%} | {free:.2%} |" in (ROOT / "docs" / "tuning.md").read_text()


def benchmark_record():
    return json.loads((RECORDS / "benchmark.json").read_text())


def benchmark_rows():
    facts = benchmark_record()
    for part in ("training", "input", "inference", "start", "accuracy"):
        for row in facts[part]:
            first = next(other["median"] for other in facts[part] if other["unit"] == row["unit"])
            figures = [figure(row[name]) for name in ("median", "min", "max")]
            yield f"| {row['name']} | {figures[0]} | {figures[1]} to {figures[2]} | {row['unit']} | " + (
                f"{row['median'] / first:.2f} |"
            )


def test_the_figures_of_speed_are_those_of_the_benchmark_s_record():
    page = (ROOT / "docs" / "performance.md").read_text()
    assert not [row for row in benchmark_rows() if row not in page]


def test_what_is_said_of_the_targets_follows_from_the_benchmark_s_record():
    facts = benchmark_record()
    rows = {row["name"]: row for part in ("training", "input", "start", "accuracy") for row in facts[part]}
    ours = rows["keras_mnist"]["median"]
    torch = min(row["median"] for name, row in rows.items() if name.startswith("PyTorch"))
    low, high, last = facts["accuracy"]
    said = [
        f"{ours / torch:.2f} of the PyTorch recipe's time",
        f"{ours / rows['plain Keras, image by image']['median']:.2f} of plain Keras's",
        f"{rows['to the first step']['median']:.1f} s after the command's start",
        f"{ours / 469 * 1000 / rows['and elastic']['median']:.1f} times as fast as training",
        f"{rows['peak memory of a run']['median']:,.0f} MB",
        f"99.0 % after {low['mean']:.1f} s (deviation {low['deviation']:.1f} s)",
        f"99.4 % after {high['mean']:.1f} s (deviation {high['deviation']:.1f} s)",
        f"{last['mean']:.2f} % after the last epoch (deviation {last['deviation']:.2f})",
    ]
    page = " ".join((ROOT / "docs" / "performance.md").read_text().split())
    assert len(low["values"]) == 10
    assert not [words for words in said if words not in page]
