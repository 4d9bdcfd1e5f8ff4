"""The report says what the records say: the one in the repository, and those of runs made up here."""

import argparse
import csv
import io
import itertools
import json
import math
import re
import shlex
import shutil
import signal
import statistics
import sys

import pytest
from matplotlib.figure import Figure

from keras_mnist.__main__ import main
from keras_mnist.commands import study as study_command
from keras_mnist.errors import UsageError
from keras_mnist.models.registry import get_variant, list_variants
from keras_mnist.studies.records import AS_DOCUMENTED, FAST_CANDIDATES, TUNED, Records
from keras_mnist.studies.report import size
from keras_mnist.studies.report.claims import verdicts
from keras_mnist.studies.report.documents import BEGIN, RECORDS, outdated
from keras_mnist.studies.report.drawing import spaced
from keras_mnist.studies.report.groups import test_accuracy as accuracy_of
from keras_mnist.studies.report.labels import name_points
from keras_mnist.studies.report.leaderboard import entries
from keras_mnist.studies.report.missing import WANTED
from keras_mnist.studies.report.page import page, same_page
from keras_mnist.studies.report.published import PUBLISHED, published_table
from keras_mnist.studies.report.reasons import REASONS, UNKNOWN
from keras_mnist.studies.report.registry import REGIONS, TITLES, Picture, markdown_of
from keras_mnist.studies.report.results_csv import results_csv
from keras_mnist.studies.report.speed import in_seconds
from keras_mnist.studies.report.step_drawing import REACH, Row, draw_row, step_drawing
from keras_mnist.studies.report.steps import (
    DOCUMENT_RECIPE_STEPS,
    HELD_OUT_RECIPE_STEPS,
    STEPS,
    TOPICS,
    WITHOUT_ROTATION,
)
from keras_mnist.studies.report.words import points, training_command
from keras_mnist.studies.run import Run
from keras_mnist.studies.statistics import summarize
from tests.conftest import ROOT, slow_beside
from tests.studies.made_up_records import write_run, write_study

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def text_of(folder, name):
    """A region's Markdown, from records in a folder, in one line for each paragraph."""
    if not (folder / "benchmark.json").exists():
        shutil.copy(ROOT / RECORDS / "benchmark.json", folder)
    return re.sub(r"(?<!\|)\n(?![\n|-])\s*", " ", markdown_of(REGIONS[name](Records(folder))))


def row_of(text, *cells):
    """The cells of the first row of a table that begins with these."""
    beginning = f"| {' | '.join(cells)} |"
    return next(line for line in text.splitlines() if line.startswith(beginning)).strip("| ").split(" | ")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A whole made-up study."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    shutil.copy(ROOT / RECORDS / "benchmark.json", folder)
    return folder


@pytest.fixture
def checkout(tmp_path):
    """A small one, with a README that has no table of networks to build."""
    shutil.copytree(ROOT / RECORDS / "without-optimizations", tmp_path / RECORDS / "without-optimizations")
    shutil.copy(ROOT / RECORDS / "benchmark.json", tmp_path / RECORDS)
    write_run(tmp_path / RECORDS, "bn", AS_DOCUMENTED, 0, 0.99)
    (tmp_path / "README.md").write_text("# A package\n")
    (tmp_path / "docs" / "page.md").write_text("<!-- generated: claims -->\n<!-- end -->\n")
    return tmp_path


@pytest.fixture
def report(monkeypatch, capsys):
    """Call the command in a folder: (exit code, standard output, standard error)."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(folder, *arguments):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["report.py", *arguments])
        with pytest.raises(SystemExit) as end:
            main("report")
        return end.value.code, *capsys.readouterr()

    yield call
    for number, handler in before.items():
        signal.signal(number, handler)


def test_everything_that_is_generated_is_what_the_records_give(report):
    assert report(ROOT, "--check") == (0, "", "")


def test_a_changed_figure_is_named_and_rewritten(report, checkout):
    written = "docs/page.md rewritten\ndocs/results.csv rewritten\ndocs/report.html rewritten\n"
    assert report(checkout) == (0, written, "")
    for name, figure in (("page.md", "99.00%"), ("results.csv", "99.000"), ("report.html", "99.00%")):
        path = checkout / "docs" / name
        right = path.read_text()
        assert figure in right
        path.write_text(right.replace(figure, "99.99"))
    code, said, complaints = report(checkout, "--check")
    assert (code, said) == (1, "") and complaints.count("\n") == 1
    assert complaints.startswith("report.py: docs/page.md, docs/results.csv, docs/report.html differ from the records")
    assert report(checkout) == (0, written, "") and path.read_text() == right


def test_a_damaged_record_is_one_line(report, checkout):
    path = RECORDS / "mnist" / "bn" / AS_DOCUMENTED / "seed0" / "run.json"
    (checkout / path).write_text("{}")
    for arguments in ((), ("--check",)):
        code, said, complaints = report(checkout, *arguments)
        assert (code, said) == (1, "") and complaints.count("\n") == 1
        assert complaints.startswith(f"report.py: {path} is damaged (it lacks trainable_parameters, ")


def test_a_copy_of_a_record_makes_no_further_seed(report, checkout):
    seeds = RECORDS / "mnist" / "bn" / AS_DOCUMENTED
    shutil.copytree(checkout / seeds / "seed0", checkout / seeds / "seed1")
    code, _, complaints = report(checkout, "--check")
    assert code == 1 and complaints.startswith(f"report.py: {seeds / 'seed1' / 'run.json'} is of the run mnist/bn/")


def test_a_region_that_nobody_makes_or_that_has_no_end_is_refused(checkout):
    path = checkout / "docs" / "page.md"
    path.write_text("<!-- generated: claim -->\n<!-- end -->\n")
    with pytest.raises(UsageError, match="no generated region 'claim'; did you mean claims"):
        outdated(checkout)
    path.write_text("<!-- generated: claims -->\n")
    with pytest.raises(UsageError, match="has a generated region without its `<!-- end -->`"):
        outdated(checkout)


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(UsageError, match="expected a checkout of keras_mnist"):
        outdated(tmp_path)


def test_every_region_is_in_a_document_or_on_the_page():
    used = {name for path in PAGES for name in BEGIN.findall(path.read_text())}
    assert used | set(TITLES) == set(REGIONS) and used <= set(REGIONS)


def test_the_page_begins_with_the_claims():
    assert list(TITLES)[:3] == ["claims", "accuracies", "steps"]


def test_the_readme_quotes_networks_of_ten_seeds_alone():
    assert set(BEGIN.findall((ROOT / "README.md").read_text())) == {"ten_seeds"}
    rows = [line.split(" | ") for line in text_of(ROOT / RECORDS, "ten_seeds").splitlines() if line.startswith("| `")]
    assert rows and all(int(row[4]) >= 10 for row in rows)


def test_a_network_of_ten_seeds_stands_in_the_readme_with_what_they_say(tmp_path):
    accuracies = [0.9900 + seed / 10_000 for seed in range(10)]
    for seed, accuracy in enumerate(accuracies):
        write_run(tmp_path, "bn", "tuned", seed, accuracy, epochs=6 + seed % 2)
        write_run(tmp_path, "bn_gap", "document", seed, 0.999)
    for seed in range(9):
        write_run(tmp_path, "fc_base", "tuned", seed, 0.999)
    text = text_of(tmp_path, "ten_seeds")
    mean, deviation = (100 * value(accuracies) for value in (statistics.fmean, statistics.stdev))
    seconds = statistics.median((6 + seed % 2) * (20 + seed) for seed in range(10))
    cells = ["`bn`", "7,200", "0.61 M", f"{mean:.2f}% ± {deviation:.2f}", "10", "6 to 7", "55,000", f"{seconds:.0f}"]
    assert row_of(text, "`bn`") == cells and "fc_base" not in text and "bn_gap" not in text
    assert (
        "accuracy on mnist" in text and "Seconds are the median of the runs' training, on 1 core (a processor)." in text
    )


DRAWN = {"curves", "over_size", "train_test_gap"}  # in pictures, which take seconds


@pytest.mark.parametrize("name", slow_beside(TITLES.keys() - DRAWN, sorted(TITLES)))
def test_every_section_speaks_of_a_whole_study_of_one_run_and_of_none(name, study, tmp_path):
    whole = REGIONS[name](Records(study))
    assert not re.search(r"\byet\b|nan\b|None", markdown_of(whole).replace("No entry yet under", ""))
    nothing = text_of(tmp_path, name)
    write_run(tmp_path, "bn", AS_DOCUMENTED, 3, 0.99)
    write_run(tmp_path, "iter1_base", AS_DOCUMENTED, 3, 0.98)
    write_run(tmp_path, "bn", "tuned", 3, 0.991)
    little = text_of(tmp_path, name)
    assert len(nothing) > 20 and len(little) > 20
    assert "nan" not in little and "None" not in little


def test_what_others_published_stands_with_how_it_was_measured_the_smallest_first():
    heading, _, *rows = published_table().splitlines()
    assert "accuracy on mnist" in heading and len(rows) == len(PUBLISHED)
    for row, one in zip(rows, sorted(PUBLISHED), strict=True):
        assert row.startswith(f"| {one.parameters:,} | {100 * one.accuracy:.2f}% | {one.protocol} | github.com/")
        assert row.endswith(f" {one.source} |") and one.parameters < 8_000


@pytest.mark.slow
def test_the_page_needs_nothing_else_and_its_drawings_are_the_same_every_time(study):
    made = page(Records(study))
    again = [part.svg for part in REGIONS["over_size"](Records(study)) if isinstance(part, Picture)]
    assert len(again) == 4 and all(svg.removeprefix("<svg ") in made for svg in again)
    assert not re.search(r"<script|<link|<img|@import|url\(['\"]?(?!#)|(?:src|href)=\"(?!#)", made)
    assert made.count("<svg ") == made.count("</svg>") > 15 and len(made) < 1_000_000
    assert "metadata" not in made
    for title in TITLES.values():
        assert f"<h2>{title}</h2>" in made
    anchors = set(re.findall(r'id="([^"]+)"', made))
    assert set(re.findall(r'<a href="#([^"]+)"', made)) <= anchors


def test_drawings_of_another_matplotlib_may_differ_and_figures_may_not():
    ours = page_with = "<p>99.00%</p><svg >1</svg><p>Drawn with matplotlib 0.1.</p>"
    assert same_page(ours, page_with.replace(">1<", ">2<").replace("0.1", "0.2"))
    assert not same_page(ours, page_with.replace("99.00", "99.01").replace("0.1", "0.2"))


def test_a_claim_holds_where_one_best_epoch_reaches_it(tmp_path):
    for seed, best in enumerate((0.9910, 0.9912, 0.9923)):
        write_run(tmp_path, "bn", AS_DOCUMENTED, seed, 0.99, best=best)
    text = text_of(tmp_path, "claims")
    mean, deviation = statistics.fmean([99.10, 99.12, 99.23]), statistics.stdev([99.10, 99.12, 99.23])
    row = row_of(text, "`bn`", "holds (1 of 3)", "99.23%")
    assert row[3:8] == [f"{mean:.2f}%", "−0.08", "99.23%", "3", f"{deviation:.2f}"] and row[9:] == ["99.00% ± 0.00"]
    assert text.startswith("1 of 1 measured claims hold.") and REASONS["bn"] not in text


def test_a_claim_holds_where_the_interval_covers_it(tmp_path):
    for seed, best in enumerate((0.9915, 0.9922)):
        write_run(tmp_path, "bn", AS_DOCUMENTED, seed, 0.99, best=best)
    text = text_of(tmp_path, "claims")
    assert row_of(text, "`bn`")[1] == "holds (interval)"
    assert text.startswith("1 of 1 measured claims hold, 1 of them only by the interval.")


def test_a_mean_far_above_its_claim_is_said_to_exceed_it(tmp_path):
    for seed in range(2):
        write_run(tmp_path, "iter1_base", AS_DOCUMENTED, seed, 0.9700)
        write_run(tmp_path, "iter2_under_25k", AS_DOCUMENTED, seed, 0.9900)
    text = text_of(tmp_path, "claims")
    assert "Far exceeded, by more than 1 point on average: `iter1_base` (+14.80). Document" in text


def test_the_swapped_results_of_a_document_are_explained_whether_their_claim_holds_or_not(tmp_path):
    write_run(tmp_path, "fc_bn_dropout", AS_DOCUMENTED, 0, 0.9950)
    text = text_of(tmp_path, "claims")
    assert row_of(text, "`fc_bn_dropout`")[1] == "holds (1 of 1)"
    assert "- `fc_bn_dropout`: the document prints it under experiment 2, swapped with the 99.23 %" in text


def test_an_interval_that_is_cut_at_all_images_is_explained_where_there_is_one(tmp_path):
    for seed, accuracy in enumerate((0.99, 0.999)):
        write_run(tmp_path / "cut", "bn", AS_DOCUMENTED, seed, accuracy)
        write_run(tmp_path / "whole", "bn", AS_DOCUMENTED, seed, 0.99 + seed / 10_000)
    for name in ("claims", "accuracies"):
        assert "past 100 % (or 0 %) ends there" in text_of(tmp_path / "cut", name)
        assert "ends there" not in text_of(tmp_path / "whole", name)


def test_a_difference_that_rounds_to_nothing_has_no_sign():
    assert [points(share) for share in (-0.00004, 0.00004, -0.0012, 0.0012)] == ["0.00", "0.00", "−0.12", "0.12"]


def test_a_claim_out_of_reach_does_not_hold_and_has_its_reason(tmp_path):
    for seed, best in enumerate((0.9910, 0.9911, 0.9912)):
        write_run(tmp_path, "bn", AS_DOCUMENTED, seed, 0.99, best=best)
        write_run(tmp_path, "fc_base", AS_DOCUMENTED, seed, 0.98, best=best - 0.01)
    text = text_of(tmp_path, "claims")
    assert row_of(text, "`bn`")[1] == "**does not hold**" and text.startswith("0 of 2 measured claims hold.")
    assert f"- `bn` (0.11 points above the best of 3). {REASONS['bn']}" in text
    for seed, accuracies in enumerate([[0.97, 0.9920, 0.985], [0.98, 0.99, 0.991]]):
        path = tmp_path / "pytorch" / "mnist" / "bn" / f"seed{seed}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"test_accuracy_by_epoch": accuracies}))
    beside = "0.11 points above the best of 3; the same recipe in PyTorch comes to 99.15%, the mean of 2 runs, 99.20%"
    short = ", which ours fall short of for a reason not known"
    assert f"- `bn` ({beside} the best{short}). {REASONS['bn']}" in text_of(tmp_path, "claims")
    path.unlink()
    (path.parent / "seed0.json").write_text(json.dumps({"test_accuracy_by_epoch": [0.97, 0.9912]}))
    assert "in PyTorch comes to 99.12%, one run). " in text_of(tmp_path, "claims")
    assert "here was assumed: Adam." in text
    assert "Not measured yet: `base_16k`" in text


def test_a_single_run_has_wilson_s_interval_and_says_so(tmp_path):
    write_run(tmp_path, "bn", AS_DOCUMENTED, 0, 0.99, best=0.9910)
    row = row_of(text_of(tmp_path, "claims"), "`bn`")
    assert row[7:9] == ["–", "98.90 to 99.27 (one run)"] and row[1] == "holds (interval)"


def test_conv_iterations_is_compared_on_the_images_that_its_document_measured(tmp_path):
    """Where a made-up run has 0.1 points less on the augmented training images than on the test images."""
    for seed in range(3):
        write_run(tmp_path, "iter3_under_20k", AS_DOCUMENTED, seed, 0.9950 + seed / 10_000)
    (verdict,) = verdicts(Records(tmp_path), "train")
    assert not verdicts(Records(tmp_path), "test") and not verdict.holds and verdict.reason == UNKNOWN
    text = text_of(tmp_path, "claims")
    assert row_of(text, "`iter3_under_20k`")[3] == "99.41%" and "never touched the test images" in text


def test_steps_are_differences_between_runs_of_one_seed(tmp_path):
    for seed, (before, after) in {0: (0.980, 0.990), 1: (0.981, 0.993), 2: (0.970, 0.985)}.items():
        write_run(tmp_path, "base_7k", "tuned", seed, before)
        write_run(tmp_path, "bn", "tuned", seed, after)
    write_run(tmp_path, "bn", "tuned", 7, 0.5)
    text = text_of(tmp_path, "steps")
    # By hand: differences 1.0, 1.2, 1.5; error 0.1453; quantile 4.303.
    assert row_of(text, "batch norm") == ["batch norm", "+1.23", "+0.61 to +1.86 *", "3", "`base_7k` → `bn`"]


def test_what_changes_at_once_is_said_where_it_does(tmp_path):
    for name in ("base_20k", "base_16k", "bn_gap_plain", "bn_gap"):
        write_run(tmp_path, name, "tuned", 0, 0.99)
        write_run(tmp_path, name, AS_DOCUMENTED, 0, 0.99)
    documented, tuned = text_of(tmp_path, "steps").split("Held-out protocol, all with")
    assert row_of(documented, "2 at once: fewer kernels; 15 epochs, not 20")[-1] == "`base_20k` → `base_16k`"
    assert row_of(tuned, "fewer kernels")[-1] == "`base_20k` → `base_16k`"
    assert "`bn_gap_plain` → `bn_gap`" in documented and "`bn_gap_plain` → `bn_gap`" not in tuned


def test_steps_stand_under_their_topics_in_the_order_of_the_study(study):
    for table in text_of(study, "steps").split("| what changes |")[1:3]:
        topics = [topic.lower() for topic in re.findall(r"^\| \*\*(.+?)\*\*", table, re.MULTILINE)]
        assert topics == [topic for topic in TOPICS if topic in topics] and len(topics) >= 5
        assert re.search(r"\*\*Dropout\*\* .*\n\| dropout of a tenth", table)


def test_the_changes_of_bn_gap_s_document_are_measured_one_by_one(tmp_path):
    """Its accuracy target changes nothing where it ends no run."""
    for seed in range(2):
        write_run(tmp_path, "bn_gap_plain", AS_DOCUMENTED, seed, 0.992, epochs=15)
        write_run(tmp_path, "bn_gap", WITHOUT_ROTATION, seed, 0.993, epochs=15)
        write_run(tmp_path, "bn_gap", AS_DOCUMENTED, seed, 0.9935, epochs=15)
    text = text_of(tmp_path, "steps")
    both = "`bn_gap document,rotation_degrees=0` → `bn_gap document`"
    assert row_of(text, "rotation by up to 7 degrees")[1::3] == ["+0.05", both]
    assert row_of(text, "the rate falls on a plateau")[1] == "+0.10"
    assert row_of(text, "2 at once: rotation by up to 7 degrees; the rate falls on a plateau")[1] == "+0.15"
    write_run(tmp_path, "bn_gap", WITHOUT_ROTATION, 2, 0.993, epochs=12)
    assert "| 2 at once: the rate falls on a plateau; an accuracy target |" in text_of(tmp_path, "steps")


def test_the_folder_without_rotation_is_the_one_that_such_a_run_has():
    plain, whole = (get_variant(name).recipe("document") for name in ("bn_gap_plain", "bn_gap"))
    without = whole.with_settings(rotation_degrees=0)
    assert Run(get_variant("bn_gap"), without, "mnist", "test", 0).name == WITHOUT_ROTATION
    differing = {name for name, value in without.flat().items() if value != plain.flat()[name]}
    assert differing == {"schedule", "target_accuracy"}


def drawn(draw):
    """The axes that a function draws on."""
    axes = Figure(figsize=(4, 4), layout="constrained").subplots()
    draw(axes)
    return axes


def test_a_step_of_several_changes_is_hollow_and_a_huge_one_is_an_arrow_at_the_axis_end():
    rows = [Row(("norm",), "a → b", summarize([0.001, 0.002])), Row(("norm", "x"), "b → c", summarize([0.04, 0.05]))]
    svg = step_drawing({"batch norm": rows})
    assert "norm + 1 more" in svg and "+4.50" in svg and "Batch norm" in svg
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    for position, row in enumerate(rows):
        draw_row(axes, position, row)
    (clean, several) = [line for line in axes.lines if len(line.get_xdata()) == 1]
    assert (clean.get_marker(), clean.get_markerfacecolor()) == ("o", clean.get_color())
    assert (several.get_marker(), several.get_markerfacecolor()) == (">", "white")
    assert several.get_xdata()[0] < REACH


def test_means_and_not_their_intervals_decide_the_axis_of_accuracies(tmp_path):
    for seed, accuracy in enumerate((0.985, 0.995)):
        write_run(tmp_path, "bn", AS_DOCUMENTED, seed, accuracy)
        write_run(tmp_path, "bn_gap", AS_DOCUMENTED, seed, accuracy - 0.01)
    found = {name: accuracy_of(runs) for name, runs in Records(tmp_path).of(AS_DOCUMENTED).items()}
    assert found["bn"].interval[1] == 1.0
    axes = drawn(size._draw(found, "mult_adds"))
    bottom, top = axes.get_ylim()
    assert 0.8 < top < 1.0 and 2.0 < bottom < 2.5
    named = [text.get_text() for text in axes.texts if text.get_text()]
    assert named == ["bn"]
    (picture, *_) = [part for part in REGIONS["over_size"](Records(tmp_path)) if isinstance(part, Picture)]
    assert "<title>bn: 99.00% ± 0.71, n = 2</title>" in picture.svg


def test_ticks_that_would_overlap_are_left_out():
    ticks = spaced((1, 0.5, 2, 0.95, 0.45, 100), 0.4, 2.5, 0.1)
    assert ticks == [1, 0.5, 2]


def test_names_lie_neither_on_each_other_nor_on_a_mark():
    axes = Figure(figsize=(4, 4), layout="constrained").subplots()
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 10)
    marks = [(5, 5), (5.1, 5.1), (5.2, 5), (5.8, 5.3), (9.9, 9.9)]
    boxes = name_points(axes, [(f"network_{x}", x, y) for x, y in marks], marks)
    assert len(boxes) == len(marks)
    for box, other in itertools.combinations(boxes, 2):
        assert not box.overlaps(other)
    for x, y in marks:
        assert not any(box.contains(*axes.transData.transform((x, y))) for box in boxes)
    axes.set_xlim(5, 5.3)
    assert name_points(axes, [("a_name_that_is_much_longer_than_its_axes_" * 3, 5.1, 5.1)], []) == []


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.before}-{step.after}")
def test_a_step_names_a_change_of_the_recipe_where_there_is_one(step):
    before, after = get_variant(step.before), get_variant(step.after)
    assert before.study == after.study
    assert bool(step.recipe) == (before.document != after.document)
    assert step.network or before.params == after.params


def test_names_in_data_are_variants():
    assert set(REASONS) <= set(list_variants())
    recipe_steps = DOCUMENT_RECIPE_STEPS + HELD_OUT_RECIPE_STEPS
    assert {side[0] for step in recipe_steps for side in (step.before, step.after)} <= set(list_variants())
    assert {step.topic for step in STEPS + recipe_steps} == set(TOPICS)


def test_the_leaderboard_takes_ten_seeds_of_the_held_out_protocol(tmp_path):
    for seed in range(10):
        write_run(tmp_path, "bn", "tuned", seed, 0.990 + seed / 10_000)
        write_run(tmp_path, "bn_gap", "tuned", seed, 0.992 + seed / 10_000)
        write_run(tmp_path, "light_20k", AS_DOCUMENTED, seed, 0.995)
    for seed in range(9):
        write_run(tmp_path, "fc_base", "tuned", seed, 0.999)
    text = text_of(tmp_path, "leaderboard")
    ranked = re.findall(r"^\| `(\w+)` \| 99[^|]*\| `tuned`", text, re.MULTILINE)
    assert ranked == ["bn_gap", "bn"] and "**Under 8,000 parameters**" in text
    assert "No entry yet under 1,000, 2,000, 4,000, 20,000" in text
    assert "(how many): `fc_base` `tuned` (9)." in text and "light_20k" not in text
    write_run(tmp_path, "iter1_base", "tuned", 0, 0.99)
    text = text_of(tmp_path, "leaderboard")
    assert "(how many): `fc_base` `tuned` (9). Not under 20,000 parameters, so in no class: `iter1_base`." in (
        " ".join(text.split())
    )


def test_a_network_that_was_taught_stands_with_its_teacher(tmp_path):
    for seed in range(10):
        write_run(tmp_path, "tiny_1k", "tuned", seed, 0.989)
    for name in ("leaderboard", "ten_seeds"):
        words = "Trained with a teacher, a larger network of the package: `tiny_1k` (`swift`)."
        assert words in text_of(tmp_path, name)


def test_the_leaderboard_says_how_many_images_a_network_was_trained_on(tmp_path):
    for seed in range(10):
        write_run(tmp_path, "tiny_1k", "tuned", seed, 0.989)
        write_run(tmp_path, "tiny_1k", "tuned,validation=none", seed, 0.99)
    for name in ("leaderboard", "ten_seeds"):
        text = text_of(tmp_path, name)
        found = [
            re.findall(r"(99\.00%|98\.90%|60,000|55,000)", row) for row in text.splitlines() if "| `tiny_1k`" in row
        ]
        assert found == [["99.00%", "60,000"], ["98.90%", "55,000"]]
        assert text.count("`tiny_1k` (`swift`)") == 1 and "validation=none" not in text


def test_the_leaderboard_takes_the_seeds_from_0_on(tmp_path):
    for seed in range(1, 11):
        write_run(tmp_path, "bn", "tuned", seed, 0.99)
    assert not entries(Records(tmp_path))
    write_run(tmp_path, "bn", "tuned", 0, 0.99)
    ((key, runs),) = entries(Records(tmp_path)).items()
    assert key == ("bn", "tuned") and len(runs) == 11


def test_the_quickest_stand_first_at_each_accuracy(tmp_path):
    facts = json.loads((ROOT / RECORDS / "benchmark.json").read_text())["accuracy"]["facts"]
    times = {"swift fast to 99.0%": 9, "swift fast to 99.4%": 20, "bn fast to 99.0%": 8, "bn fast to 99.4%": 30}
    rows = [{"name": name, "values": [value - 1, value, value + 3]} for name, value in times.items()]
    rows += [{"name": f"{name} fast after the last epoch", "values": [99.5, 99.6]} for name in ("swift", "bn")]
    (tmp_path / "benchmark.json").write_text(json.dumps({"accuracy": {"facts": facts, "rows": rows}}))
    found = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (99.\d%) \| `fast` \| 3 ", text_of(tmp_path, "leaderboard"), re.M)
    assert found == [
        ("bn", "8.0", "99.0%"),
        ("swift", "9.0", "99.0%"),
        ("swift", "20.0", "99.4%"),
        ("bn", "30.0", "99.4%"),
    ]
    assert "of 99.0% in 8.0 s (7.0 to 11.0) and of 99.4% in 30.0 s" in text_of(tmp_path, "time_to_accuracy")


def test_runs_that_never_come_to_an_accuracy_are_counted():
    assert in_seconds(summarize([9.0, 8.0, math.inf])) == ("9.0", "8.0 to 9.0, 2 of 3 runs")
    assert in_seconds(summarize([9.0, math.inf, math.inf])) == ("–", "9.0 to 9.0, 1 of 3 runs")
    assert in_seconds(summarize([math.inf, math.inf])) == ("–", "–, 0 of 2 runs")


def test_the_fast_recipe_stands_beside_what_it_was_chosen_from(tmp_path):
    for seed in (0, 1):
        write_run(tmp_path, "swift", "fast", seed, 0.99, epochs=3)
        write_run(tmp_path / FAST_CANDIDATES, "swift", "fast,epochs=2", seed, 0.985, epochs=2, best=0.98)
        write_run(tmp_path, "bn", "fast", seed, 0.99, epochs=3)
    text = text_of(tmp_path, "fast_candidates")
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert rows == [
        "| 2 | 64 | 0.1 | 2 | 98.00% ± 0.00 | 98.50% ± 0.00 | −0.50 | −0.50 to −0.50 | 41 |",
        "| 3 | 64 | 0.1 | 2 | 91.00% ± 0.00 | 99.00% ± 0.00 | chosen | – | 62 |",
    ]


def test_what_is_missing_is_said(tmp_path):
    write_run(tmp_path, "bn", AS_DOCUMENTED, 0, 0.99)
    text = text_of(tmp_path, "missing")
    assert "document protocol, fewer than 5 seeds: `bn` (1)." in text
    assert "held-out protocol with `tuned`, 3 seeds wanted and no run: `base_16k`" in text and "`swift`" in text


def test_the_commands_for_what_is_missing_plan_exactly_the_runs_wanted():
    """They are in no table of tests/test_commands.py: they come and go with the records."""
    for _, recipe, some, seeds in WANTED:
        program, name, *words = shlex.split(training_command(recipe, some, seeds))
        parser = argparse.ArgumentParser()
        study_command.add_arguments(parser)
        chosen = parser.parse_args(words)
        planned = study_command._plan(chosen, chosen.dataset)
        assert (program, name, planned.records) == ("keras-mnist", "study", RECORDS)
        assert {run.name for run in planned.runs} == {recipe} and {run.seed for run in planned.runs} == set(
            range(seeds)
        )
        variants = some or [name for name in list_variants() if recipe == TUNED or get_variant(name).document]
        assert {run.variant.name for run in planned.runs} == set(variants)


def test_a_study_with_all_its_runs_lacks_nothing_and_has_no_command(study):
    assert text_of(study, "missing") == "Nothing: all runs that the study asks for are recorded."


def test_the_hardest_digits_are_those_that_most_networks_predict_wrongly(tmp_path):
    for variant, wrong in {"bn": [(5, 1), (6, 2)], "bn_gap": [(5, 1)], "fc_base": [(5, 8)]}.items():
        write_run(tmp_path, variant, "tuned", 0, 1 - len(wrong) / 10_000)
        rows = [f"{index},{index},{prediction},0.9" for index, prediction in wrong]
        path = tmp_path / "mnist" / variant / "tuned" / "seed0" / "test_errors.csv"
        path.write_text("\n".join(["index,label,prediction,probability", *rows, ""]))
    text = text_of(tmp_path, "wrong_predictions")
    assert "3 runs of 3 networks. 9,998 of the 10,000" in text
    assert "a 5 predicted as 1 (0.7 times); a 6 predicted as 2 (0.3 times)" in text
    assert row_of(text, "5") == ["5", "5", "3 of 3", "3", "1 (2), 8 (1)"]
    assert row_of(text, "6") == ["6", "6", "1 of 3", "1", "2 (1)"]


def test_time_to_accuracy_counts_until_the_first_epoch_that_comes_there(tmp_path):
    write_run(tmp_path, "bn", AS_DOCUMENTED, 0, 0.9890, best=0.9900, epochs=6)
    row = row_of(text_of(tmp_path, "time"), "`bn`")
    assert row[1:5] == ["–", "–", "5.0", "100"]


def test_time_to_accuracy_is_ordered_by_how_many_runs_come_there_and_then_by_epochs(tmp_path):
    for seed in range(2):
        write_run(tmp_path, "bn", AS_DOCUMENTED, seed, 0.9950, epochs=9)
        write_run(tmp_path, "bn_gap", AS_DOCUMENTED, seed, 0.9950, epochs=5)
        write_run(tmp_path, "fc_base", AS_DOCUMENTED, seed, 0.9950 if seed else 0.9890, epochs=3)
    order = re.findall(r"^\| `(\w+)`", text_of(tmp_path, "time"), re.MULTILINE)
    assert order == ["bn_gap", "bn", "fc_base"]


def test_seconds_are_the_median_wherever_one_run_was_slowed(tmp_path):
    for seed in (0, 1, 200):
        write_run(tmp_path, "bn", AS_DOCUMENTED, seed, 0.99)  # 6 epochs of 20 + seed seconds
    text = text_of(tmp_path, "accuracies")
    assert row_of(text, "`bn`")[-2] == "126" and "only `docs/performance.md` measures speed" in text
    (row,) = csv.DictReader(io.StringIO(results_csv(Records(tmp_path))))
    assert float(row["seconds"]) == 126
    assert row_of(text_of(tmp_path, "time"), "`bn`")[3:5] == ["5.0", "105"]


def test_results_csv_has_a_row_for_each_network_recipe_and_protocol(study):
    rows = list(csv.DictReader(io.StringIO(results_csv(Records(study)))))
    documents = [name for name in list_variants() if get_variant(name).document]
    assert len(rows) == len(documents) + len(list_variants()) + 1 + 2
    (row,) = [row for row in rows if (row["variant"], row["recipe"], row["protocol"]) == ("bn", "document", "document")]
    accuracies = [100 * run.accuracy for run in Records(study).of(AS_DOCUMENTED)["bn"]]
    assert (int(row["n"]), row["interval"], row["dataset"]) == (5, "t", "mnist")
    assert float(row["mean"]) == pytest.approx(statistics.fmean(accuracies), abs=1e-3)
    assert float(row["std"]) == pytest.approx(statistics.stdev(accuracies), abs=1e-3)
    assert row["parameters"] == "7200" and round(int(row["mult_adds"]), -4) == 610_000  # as its document prints
    means = [float(row["mean"]) for row in rows if row["protocol"] == "held-out"]
    assert means == sorted(means, reverse=True)


def test_each_table_of_accuracies_names_one_protocol(study):
    """A table of accuracies names its protocol in the paragraph before it."""
    protocols = ("Document protocol", "Held-out protocol", "All images:")
    for name in ("accuracies", "steps"):
        parts = [part for part in REGIONS[name](Records(study)) if not isinstance(part, Picture)]
        before = [parts[number - 1] for number, part in enumerate(parts) if part.startswith("|")]
        assert all(sum(protocol in words for protocol in protocols) == 1 for words in before)
