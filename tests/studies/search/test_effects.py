"""What a setting brought is told by records that differ in it alone."""

import json

import pytest

from keras_mnist.studies.records import Records
from keras_mnist.studies.report.registry import REGIONS, markdown_of
from keras_mnist.studies.search.effects import effects
from keras_mnist.studies.search.found import Result


def result(network, losses, **recipe):
    """A configuration with a loss for each seed."""
    records = [
        {
            "network": network,
            "settings": str(recipe),
            "dataset": "mnist",
            "parameters": 990,
            "mult_adds": 1_000,
            "seconds": 9,
            "seed": seed,
            "recipe": recipe,
            "held_out_loss": loss,
            "held_out_accuracy": loss and 1 - loss / 4,
        }
        for seed, loss in losses.items()
    ]
    return Result(tuple(records))


def test_records_that_differ_in_one_setting_are_compared_seed_by_seed():
    base = result("a", {0: 0.05, 1: 0.07}, batch_size=128)
    smaller = result("a", {1: 0.06, 0: 0.03, 2: 0.9}, batch_size=64)
    (effect,) = effects([smaller, base])
    assert (effect.setting, effect.before, effect.after, len(effect.pairs)) == ("batch_size", 128, 64, 2)
    assert effect.mean("held_out_loss") == pytest.approx((0.06, 0.045))
    assert effect.loss_difference == pytest.approx(-0.015)


def test_a_setting_that_a_record_lacks_has_its_default_or_is_off():
    old = result("a", {0: 0.05}, batch_size=64)
    assert effects([old, result("a", {0: 0.04}, batch_size=64, plain_epochs=0, no_longer_known=0.0)]) == []
    (effect,) = effects([old, result("a", {0: 0.04}, batch_size=64, no_longer_known=0.4)])
    assert (effect.setting, effect.before, effect.after) == ("no_longer_known", None, 0.4)


def test_what_differs_twice_has_no_common_seed_or_diverged_is_not_compared():
    base = result("a", {0: 0.05}, batch_size=128)
    others = [
        result("a", {0: 0.04}, batch_size=64, epochs=20),
        result("a", {1: 0.04}, batch_size=64),
        result("a", {0: None}, batch_size=32),
    ]
    assert [effect.setting for effect in effects([base, *others[:1]])] == []
    assert [effect.setting for effect in effects([base, others[1]])] == []
    assert [effect.setting for effect in effects([base, others[2]])] == []


def test_the_smaller_number_comes_first_where_neither_is_that_of_tuned():
    (effect,) = effects([result("a", {0: 0.05}, epochs=100), result("a", {0: 0.04}, epochs=20)])
    assert (effect.before, effect.after) == (20, 100)


def test_a_setting_that_depends_on_another_is_compared_only_where_that_is_on():
    plain, weak = result("a", {0: 0.05}), result("a", {0: 0.04}, elastic_alpha=10, elastic_sigma=4)
    strong, smooth = (result("a", {0: 0.03}, elastic_alpha=20, elastic_sigma=sigma) for sigma in (4, 5))
    found = {(effect.setting, effect.before, effect.after) for effect in effects([plain, weak, strong, smooth])}
    assert found == {
        ("elastic_alpha", None, 10),
        ("elastic_alpha", None, 20),
        ("elastic_alpha", 10, 20),
        ("elastic_sigma", 4, 5),
    }


def test_the_table_shows_settings_and_leaves_networks_out(tmp_path):
    found = result("a", {0: 0.05}), result("a", {0: 0.03}, teacher="swift", teacher_share=0.9), result("b", {0: 0.01})
    for number, each in enumerate(found):
        (tmp_path / "frontier" / str(number)).mkdir(parents=True)
        (tmp_path / "frontier" / str(number) / "seed0.json").write_text(json.dumps(each.first))
    text = markdown_of(REGIONS["effects_of_settings"](Records(tmp_path)))
    (row,) = text.splitlines()[2:]
    assert row == "| `teacher` | off | swift, teacher_share=0.9 | 0.0500 | 0.0300 | \u22120.0200 | +0.50 | 1 | 990 |"
    assert "on record" not in text
    (tmp_path / "none").mkdir()
    assert "No two configurations" in markdown_of(REGIONS["effects_of_settings"](Records(tmp_path / "none")))
