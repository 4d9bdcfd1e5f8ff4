"""Any command line either trains or is refused in one line: never a traceback, a crash or half a file.

Real processes with every optimization on. Five hundred instead of fifty:
KERAS_MNIST_COMMAND_LINES=500 pytest -m slow -rP tests/reliability/test_hostile.py
"""

import contextlib
import json
import math
import os
import random
import re
import shlex
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import keras_mnist
from keras_mnist.data.sources import DATASETS
from keras_mnist.errors import UsageError
from keras_mnist.recipe import Augmentation, Recipe, Schedule, Target
from keras_mnist.settings import settings_of
from keras_mnist.training.device import Device
from tests.conftest import ROOT

HUGE = [10**3, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 10**20, 10**400]
TINY = [5e-324, 1e-308, 1e-46, 1e-38, 1.2e-38, 1e-30, 1e-19, 1e-7]
LARGE = [1e7, 1e19, 3.4e38, 3.5e38, 1e308]
WORDS = ["0", "-1", "1", "0.5", "1e9", "nan", "inf", "-inf", "-0.0", "99.4", "", " ", "x", "none", "½", "٣", "0x10"]
PATHS = ["", ".", "..", "a b", "x[bold] [/red]", "[/]", "ü/½", "\udcff", "-", "x" * 300, "/dev/null", "/proc/x", "a\nb"]
TEXT = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), max_size=5)  # what a shell can pass
WAIT = 8  # seconds that a run of very many epochs is left alone


def mostly(fitting, anything, one_in=20):
    """Values that fit, and one time in so many any other."""
    return st.integers(1, one_in).flatmap(lambda number: anything if number == 7 else fitting)


def ends_of(limits):
    """The ends of a setting's range, as far as it has any."""
    return [limits[name] for name in ("low", "above", "high", "below") if limits.get(name) is not None]


def whole_numbers(limits, usual):
    """Whole numbers of a setting, mostly up to `usual`, else as extreme as can be."""
    low, *high = ends_of(limits)
    return mostly(st.integers(low, min([usual, *high])), st.sampled_from([low, *high, *HUGE]), one_in=8)


def numbers(limits):
    """Numbers of a setting, as extreme as can be."""
    low, high = (*ends_of(limits), LARGE[-1])[:2]
    beside = [math.nextafter(low, high), math.nextafter(high, low)]
    extremes = st.sampled_from([low, high, *beside, *TINY, *LARGE])
    return st.one_of(st.floats(low, high), st.floats(low, min(high, 1)), extremes)


def outside(limits):
    """Values beside a setting's range, and whatever else a user may write."""
    beside = [value for end in ends_of(limits) for value in (end - 1, end + 1, math.nextafter(end, -math.inf))]
    return st.one_of(st.sampled_from([*WORDS, *map(str, beside + HUGE + TINY + LARGE)]), TEXT)


def value_of(part, field):
    """The text of a value that a setting takes, or of anything at all."""
    limits = field.metadata

    def is_taken(value):
        with contextlib.suppress(UsageError):
            return bool(part(**{field.name: value}))

    if limits["choices"]:
        values = st.sampled_from(list(limits["choices"]))
    elif isinstance(field.default, int):
        values = whole_numbers(limits, usual=3 if field.name == "epochs" else 28)
    elif not ends_of(limits):  # a word: the teacher's name
        values = st.sampled_from(keras_mnist.list_variants())
    else:
        values = numbers(limits)
    return mostly(values.filter(is_taken).map(str), outside(limits))


def recipe_flags():
    """A flag of the recipe with a value that fits its range, or with anything at all."""
    flags = []
    for part in (Recipe, Schedule, Augmentation, Target):
        for field in settings_of(part):
            flag = "--" + field.name.replace("_", "-")
            if isinstance(field.default, bool):
                flags.append(st.sampled_from([flag, flag.replace("--", "--no-")]))
            else:
                flags.append(value_of(part, field).map(lambda text, flag=flag: f"{flag}={text}"))
    return st.one_of(flags)


ANY_SEED = st.one_of(st.integers().map(str), st.sampled_from([*map(str, HUGE), *WORDS]), TEXT)
COMMAND_LINES = st.builds(
    lambda variant, recipe, validation, seed, dataset, export, flags, extra: [
        f"--variant={variant}",
        f"--recipe={recipe}",
        f"--validation={validation}",
        f"--seed={seed}",
        f"--dataset={dataset}",
        export,
        "--epochs=1",
        "--batch-size=30",
        *flags,
        *extra,
    ],
    mostly(st.sampled_from(keras_mnist.list_variants()), TEXT),
    mostly(st.sampled_from(["tuned", "fast", "document"]), st.sampled_from(["best", ""])),
    mostly(st.sampled_from(["held-out", "test", "none"]), st.just("all")),
    mostly(st.integers(0, 2**32 - 1), ANY_SEED),
    mostly(st.just("digits"), st.one_of(st.sampled_from(DATASETS), TEXT)),
    mostly(st.just("--no-export"), st.just("--export")),
    st.lists(recipe_flags(), min_size=3, max_size=24),
    mostly(
        st.just([]),
        st.one_of(
            st.sampled_from([["--epoch", "1"], ["--help"], ["--list"], ["extra"], ["--runs"], ["--overwrite"]]),
            st.sampled_from(["auto", "cpu", "gpu", "", "tpu"]).map(lambda name: [f"--device={name}"]),
            st.one_of(st.sampled_from(PATHS), TEXT).map(lambda name: [f"--runs={name}"]),
            st.sampled_from(PATHS).map(lambda name: ["--dataset=auto", f"--data-dir={name}"]),
            st.sampled_from(PATHS).map(lambda name: ["--dataset=auto", f"--mnist-archives={name}"]),
        ),
        one_in=8,
    ),
)
REPEATABLE = settings(derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=HealthCheck)
AGAIN = mostly(st.none(), st.sampled_from([[], ["--overwrite"]]))  # the same command once more, in the same folder


def epochs_of(command_line):
    """The last number of epochs on a command line, the one that counts."""
    last = [word.partition("=")[2] for word in command_line if word.startswith("--epochs=")][-1]
    with contextlib.suppress(ValueError):
        return int(last)
    return 0


def check(server, command_line, folder):
    """Run a command line; returns its exit code and what is wrong with how it ended, "" for nothing."""
    long = epochs_of(command_line) > 3
    ended = server.run(ROOT / "scripts" / "train.py", command_line, folder, after_seconds=WAIT if long else None)
    paths = [path for path in folder.parent.rglob("*") if path.is_file()]  # of the parent: --runs=.. is allowed
    files = [path.name for path in paths]
    # Where MNIST is looked for and not found, a box says so above everything else.
    complaints = [line for line in ended.complaints.splitlines() if line[:1] not in set("╭│╰")]
    one_line = len(complaints) == 1 and complaints[0].startswith("train.py: ")
    faults = {
        "a traceback": "Traceback" in ended.complaints,
        "no end": ended.code is None,
        f"killed by signal {-(ended.code or 0)}": (ended.code or 0) < 0,
        "complaints of a run that ended well": ended.code == 0 and complaints,
        "not one line": ended.code and not one_line,
        "an unknown exit code": ended.code not in (0, 1, 2, 143),
        "a failure that is no divergence": ended.code == 1
        and not re.search("the loss became|mnist: ", ended.complaints),
        "a loss that was never finite": "epoch 1, step 1;" in ended.complaints,  # no step has changed a weight yet
        "a record of a command line that was refused": ended.code == 2 and "run.json" in files,
        "interrupted before its time": ended.code == 143 and not long,
        "no record": ended.code == 0 and "run.json" not in files and not {"--list", "--help"} & set(command_line),
        "half a file": any(name.endswith(".part") for name in files),
    }
    for path in paths:
        if path.name == "run.json":
            json.loads(path.read_text(), parse_constant=lambda name: faults.update({f"{name} in run.json": True}))
    found = ", ".join(fault for fault, is_so in faults.items() if is_so)
    return ended.code, found and f"{found}: train.py {shlex.join(command_line)}\n{ended.complaints[-2000:]}"


def draw_command_lines(count):
    """So many different command lines, each with whether it is given again; the same ones everywhere."""
    drawn = {}

    # Many more than asked for: hypothesis repeats itself, with small changes.
    @settings(REPEATABLE, max_examples=20 * count)
    @given(COMMAND_LINES, AGAIN)
    def draw(command_line, again):
        drawn[tuple(command_line)] = again

    draw()
    return random.Random(0).sample(list(drawn.items()), count)


def try_command_lines(server, drawn, folder):
    """Try all command lines, whatever the first fault: (exit codes, what was wrong)."""
    codes, wrong = Counter(), []
    for number, (command_line, again) in enumerate(drawn):
        work = folder / str(number) / "work"
        for words in [command_line] if again is None else [command_line, (*command_line, *again)]:
            code, fault = check(server, words, work)
            codes[code] += 1
            wrong += [fault] * bool(fault)
    return codes, wrong


@pytest.mark.slow
def test_a_forked_process_has_every_optimization(server, tmp_path):
    work = tmp_path / "work"
    command_line = ["--variant=bn_gap", "--dataset=digits", "--device=cpu", "--no-export", "--epochs=1"]
    command_line.append("--batch-size=30")
    assert check(server, command_line, work) == (0, "")
    (record,) = (json.loads(path.read_text()) for path in work.rglob("run.json"))
    assert record["optimizations"] == list(Device("cpu", "").optimizations)
    assert record["threads"] == 1 and record["seconds_to_first_step"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("half", range(2))  # two processes share them
def test_any_command_line_trains_or_is_refused_in_one_line(server, tmp_path, half):
    drawn = draw_command_lines(int(os.environ.get("KERAS_MNIST_COMMAND_LINES", "50")))[half::2]
    codes, wrong = try_command_lines(server, drawn, tmp_path)
    tracebacks = sum("Traceback" in fault for fault in wrong)
    print(f"{codes.total()} command lines; exit codes {dict(codes)}; tracebacks: {tracebacks}")
    assert not wrong, "\n".join(wrong)
    assert codes.total() >= len(drawn) > 0 and {0, 2} <= set(codes)
