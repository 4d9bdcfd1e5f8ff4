"""Any command line either trains or is refused in one line: never a traceback, never half a file."""

import contextlib
import dataclasses
import io
import os
import runpy
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import keras_mnist
from keras_mnist import cli
from keras_mnist.data import sources
from keras_mnist.recipe import Augmentation, Recipe, Schedule, Target, settings_of
from tests.conftest import ROOT

NUMBERS = ["0", "-1", "1", "0.5", "1e9", "nan", "inf", "-0.0", "1e-30", "99.4", "", "x", "none", "½", "0x10", "1_0"]


def mostly(fitting, anything):
    """Values that fit, and one time in sixteen any other."""
    return st.integers(0, 15).flatmap(lambda number: anything if number == 7 else fitting)


def recipe_flags():
    """A flag of the recipe with a value that fits its kind, or with anything at all."""
    flags = []
    for part in (Recipe, Schedule, Augmentation, Target):
        for field in settings_of(part):
            flag = "--" + field.name.replace("_", "-")
            if isinstance(field.default, bool):
                flags.append(st.sampled_from([[flag], [flag.replace("--", "--no-")]]))
                continue
            limits = field.metadata
            if limits["choices"]:
                fitting = st.sampled_from(limits["choices"])
            elif isinstance(field.default, int):
                most = min(limits["high"], 28 if field.name == "crop_pixels" else 3)
                fitting = st.integers(limits["low"], most).map(str)
            else:
                low = limits["low"] if limits["low"] is not None else limits["above"]
                high = limits["high"] if limits["high"] is not None else limits["below"]
                fitting = st.floats(low, high).map(str)
            value = mostly(fitting, st.one_of(st.sampled_from(NUMBERS), st.text(max_size=5)))
            flags.append(value.map(lambda text, flag=flag: [f"{flag}={text}"]))
    return st.one_of(flags)


COMMAND_LINES = st.builds(
    lambda variant, recipe, validation, seed, flags, extra: [
        f"--variant={variant}",
        f"--recipe={recipe}",
        f"--validation={validation}",
        f"--seed={seed}",
        "--epochs=1",
        "--batch-size=30",
        *(word for flag in flags for word in flag),
        *extra,
    ],
    mostly(st.sampled_from(keras_mnist.list_variants()), st.text(max_size=8)),
    mostly(st.sampled_from(["tuned", "document"]), st.sampled_from(["best", ""])),
    mostly(st.sampled_from(["held-out", "test", "none"]), st.just("all")),
    mostly(st.integers(0, 2**32 - 1), st.one_of(st.integers(), st.text(max_size=3))),
    st.lists(recipe_flags(), max_size=4),
    mostly(
        st.just([]),
        st.sampled_from([["--epoch", "1"], ["--help"], ["--list"], ["extra"], ["--device=gpu"], ["--runs"]]),
    ),
)


def call_train(arguments):
    """Run scripts/train.py in this process: (exit code, standard error)."""
    screen, complaints = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(screen),
        contextlib.redirect_stderr(complaints),
    ):
        patch.setattr(sys, "argv", [str(ROOT / "scripts" / "train.py"), *arguments])
        handler = signal.getsignal(signal.SIGTERM)
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as end:
            return end.code, complaints.getvalue()
        finally:
            signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def tiny(monkeypatch, digits):
    """Forty images, one eager step an epoch: a whole run in half a second."""
    order = np.argsort(np.argsort(digits.train_labels, kind="stable") % 130, kind="stable")[:40]
    few = dataclasses.replace(
        digits,
        train_images=digits.train_images[order],
        train_labels=np.arange(40, dtype=np.uint8) % 10,
        test_images=digits.test_images[:20],
        test_labels=np.arange(20, dtype=np.uint8) % 10,
        held_out=10,
        passes_per_epoch=1,
    )
    monkeypatch.setattr(sources, "embedded_digits", lambda: few)
    monkeypatch.setattr(cli, "import_tensorflow", lambda: None)
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def check(command_line):
    with tempfile.TemporaryDirectory() as folder:
        before = os.getcwd()
        os.chdir(folder)
        try:
            code, complaints = call_train([*command_line, "--dataset=digits", "--no-export"])
            files = [path.name for path in Path(folder).rglob("*") if path.is_file()]
        finally:
            os.chdir(before)
    if code == 0:
        assert complaints == ""
        assert "run.json" in files or "--list" in command_line or "--help" in command_line
    elif code == 1:  # asked for correctly, and diverged
        assert "the loss became" in complaints
    else:
        assert code == 2, complaints
        assert "run.json" not in files
    if code:
        assert complaints.startswith("train.py: ") and complaints.count("\n") == 1 and "Traceback" not in complaints
    assert not [name for name in files if name.endswith(".part")]
    return code


RELAXED = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@settings(max_examples=8, **RELAXED)
@given(COMMAND_LINES)
def test_any_command_line_trains_or_is_refused_in_one_line(tiny, command_line):
    check(command_line)


@pytest.mark.slow
def test_five_hundred_command_lines(tiny):
    codes = []

    @settings(max_examples=500, **RELAXED)
    @given(COMMAND_LINES)
    def try_all(command_line):
        codes.append(check(command_line))

    try_all()
    found = {code: codes.count(code) for code in sorted(set(codes))}
    print(f"{len(codes)} command lines; exit codes {found}; tracebacks: 0")
    assert len(codes) >= 500 and {0, 2} <= set(codes)
