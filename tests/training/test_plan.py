"""A plan knows whose answers a network learns: by name, by the checksum of the weights, and for which digits."""

import dataclasses
from pathlib import Path

import pytest

import keras_mnist
from keras_mnist.errors import RunError
from keras_mnist.models import trained
from keras_mnist.training.plan import Plan


@pytest.fixture
def plan(small_digits):
    """A plan of tiny_1k with its own recipe, on a few digits that are called as one likes."""
    variant = keras_mnist.get_variant("tiny_1k")

    def of(name):
        return Plan(variant, variant.recipe(), dataclasses.replace(small_digits, name=name), "held-out", 0)

    return of


def test_a_teacher_teaches_the_digits_that_it_was_trained_on(plan):
    assert plan("mnist").teacher == plan("mnist").recipe.teacher == "swift"
    assert plan("digits").teacher is None and "teacher_sha256" not in plan("digits").arguments()


def test_a_run_is_not_continued_with_other_weights_of_its_teacher(plan, monkeypatch):
    begun = plan("mnist").arguments()
    assert begun["teacher_sha256"] == trained.read_manifest(trained.FOLDER)["swift"]["sha256"]
    plan("mnist").require_same(begun, Path("run.json"))
    monkeypatch.setattr(trained, "facts", lambda name: {"sha256": "0" * 64})
    with pytest.raises(RunError, match=rf"run.json is of another run: teacher_sha256 '{begun['teacher_sha256']}' is"):
        plan("mnist").require_same(begun, Path("run.json"))
