"""What every script does beside its own work: signals, closed streams, other alphabets, errors in one line."""

import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_mnist import cli
from keras_mnist.errors import UsageError
from keras_mnist.utils.lazy import require_keras_settings
from tests.conftest import ROOT

SCRIPTS = ("train.py", "summary.py", "benchmark.py")


def shell(line, folder, **variables):
    """Run a line of bash in which $T stands for scripts/train.py."""
    environment = {**os.environ, "T": f"{sys.executable} {ROOT / 'scripts' / 'train.py'}", **variables}
    command = ["bash", "-c", line]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=900)


@pytest.mark.parametrize("name", SCRIPTS)
def test_ctrl_c_during_any_import_ends_without_a_traceback(name, tmp_path):
    """A module that Python imports first sends the signal as soon as a certain import begins."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == os.environ['SIGNAL_AT']:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    command = [sys.executable, ROOT / "scripts" / name, *["--variant", "bn_gap"] * (name != "benchmark.py")]
    for module in ("keras_mnist", "keras_mnist.cli", "keras_mnist.errors", "keras_mnist.recipe", "keras"):
        path = os.pathsep.join([str(tmp_path), str(ROOT)])
        environment = {**os.environ, "PYTHONPATH": path, "SIGNAL_AT": module}
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=600)
        assert "Traceback" not in done.stderr and done.stdout == ""
        if module == "keras":
            assert done.returncode == 130 and done.stderr == f"{name}: interrupted before anything was under way\n"
        else:
            assert done.returncode == -signal.SIGINT


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_is_told_as_what_it_is_whatever_libraries_make_of_it(exits, number, code, word):
    class Stopped(keras.layers.Layer):
        """Keras and TensorFlow catch what is raised while a model is called or a graph is made."""

        def call(self, x):
            signal.raise_signal(number)
            return x

    def stopped_and_taken_for_another_error():
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt as error:
            raise SystemError("bad argument to internal function") from error

    graph = tf.function(Stopped().__call__, autograph=True)
    for command in (lambda: Stopped()(np.zeros(1)), lambda: graph(np.zeros(1)), stopped_and_taken_for_another_error):
        done, said, complaint = exits(cli.exit_after, command)
        assert (done, said) == (code, "") and complaint.endswith(
            f": {cli.STOPPED[number]}; what was saved before is kept\n"
        )


def test_a_script_that_is_told_to_ignore_ctrl_c_does(tmp_path):
    """As the shell tells what runs in its background."""
    code = f"import runpy, sys, signal; sys.argv = ['x', '--list']; runpy.run_path({str(ROOT / 'scripts/train.py')!r})"
    done = shell(f"trap '' INT; {sys.executable} -c \"{code}; print(signal.getsignal(2) == signal.SIG_IGN)\"", tmp_path)
    assert done.stdout == "True\n", done.stderr


def test_closed_streams_are_no_error(tmp_path):
    for closed in ("2>&-", "<&-", "<&- 2>&-"):
        done = shell(f"$T --list {closed}", tmp_path)
        assert done.returncode == 0 and "bn_gap" in done.stdout and done.stderr == ""
    for closed in (">&-", "<&- >&-", "<&- >&- 2>&-"):
        done = shell(f"$T --list {closed}", tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = shell("$T --epochs many 2>&-", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


def test_output_that_nobody_reads_is_no_error_and_a_full_disk_is_one_line(tmp_path):
    done = shell("set -o pipefail; $T --list | true", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    done = shell("$T --list >/dev/full", tmp_path)
    assert (done.returncode, done.stderr) == (1, "train.py: No space left on device\n")
    done = shell("$T 2>/dev/full", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.slow
def test_a_run_with_a_closed_stream_few_letters_and_brackets_in_its_name(tmp_path):
    name = "x[bold] [/red]:x:\u00e9"
    folder = "digits/base_7k/tuned,epochs=1,batch_size=1260/seed0"
    line = '$T --variant base_7k --dataset digits --epochs 1 --batch-size 1260 --no-export --runs "$NAME" 2>&-'
    done = shell(line, tmp_path, NAME=name, PYTHONIOENCODING="ascii", COLUMNS="200")
    assert done.returncode == 0 and f" {name[:-1]}?/{folder} " in done.stdout
    assert (tmp_path / name / folder / "run.json").exists()


def test_another_backend_is_refused_before_it_is_imported(script):
    for backend in ("jax", "torch"):
        code, _, complaints = script("train.py", "--variant", "bn_gap", KERAS_BACKEND=backend)
        assert code == 2 and complaints.count("\n") == 1
        assert f"KERAS_BACKEND is '{backend}', expected 'tensorflow'" in complaints


@pytest.mark.slow
def test_another_image_format_in_keras_json_is_refused_and_its_backend_does_not_count(script, tmp_path):
    (tmp_path / "keras.json").write_text('{"image_data_format": "channels_first", "backend": "jax"}')
    code, _, complaints = script("summary.py", "--variant", "bn_gap", KERAS_HOME=str(tmp_path))
    assert code == 2 and complaints.count("\n") == 1
    assert "image_data_format is 'channels_first', expected 'channels_last'; change it in keras.json" in complaints


@pytest.mark.parametrize(("name", "value"), [("image_data_format", "channels_first"), ("floatx", "float16")])
def test_other_settings_of_keras_are_refused_by_name(name, value):
    before = getattr(keras.config, name)()
    getattr(keras.config, f"set_{name}")(value)
    try:
        with pytest.raises(UsageError, match=f"Keras's {name} is '{value}', expected '{before}'"):
            require_keras_settings()
    finally:
        getattr(keras.config, f"set_{name}")(before)
    require_keras_settings()


def test_packages_that_cannot_be_imported_are_one_line(tmp_path):
    (tmp_path / "keras.py").write_text("raise ImportError('two\\nlines')")
    done = shell("$T --variant bn_gap", tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert done.returncode == 1 and done.stderr.startswith(
        "train.py: cannot import TensorFlow and Keras (ImportError: "
    )
    assert done.stderr.count("\n") == 1


@tf.function
def too_much(size):
    return tf.reduce_sum(tf.random.normal([size, size]))


def told_of_too_much():
    """What `too_much` raises, without the ten seconds for which TensorFlow waits for memory to come free."""
    raise tf.errors.ResourceExhaustedError(
        None,
        None,
        "{{function_node __inference_too_much_11}} OOM when allocating tensor with shape[100000000,100000000] and type "
        "float on /job:localhost/replica:0/task:0/device:CPU:0 by allocator mklcpu\n"
        "\t [[{{node random_normal/RandomStandardNormal}}]]\nHint: If you want to see a list of allocated tensors when "
        "OOM happens, add report_tensor_allocations_upon_oom to RunOptions for current allocation info. This isn't "
        "available when running in Eager mode.\n [Op:__inference_too_much_11]",
    )


@pytest.mark.parametrize(
    "exhaust",
    [
        lambda: np.zeros((10**8, 10**8)),
        lambda: told_of_too_much(),
        pytest.param(lambda: too_much(tf.constant(10**8)), marks=pytest.mark.slow),
    ],
)
def test_memory_that_runs_out_is_one_line_with_the_remedy(exits, exhaust, monkeypatch):
    monkeypatch.setattr(cli, "FLAGS", {"--batch-size"})  # as while train runs
    code, _, complaints = exits(cli.exit_after, exhaust)
    assert code == 1 and complaints.count("\n") == 1 and "--batch-size" in complaints
    assert "memory is exhausted (" in complaints and "100000000" in complaints.replace(" ", "").replace(",", "")
    assert "{{" not in complaints and "Detected at" not in complaints


def test_what_tensorflow_cannot_write_is_one_line(exits):
    code, _, complaints = exits(cli.exit_after, lambda: tf.io.write_file("/proc/none/file", "text"))
    assert code == 1 and complaints.endswith("TensorFlow failed: /proc/none; No such file or directory\n")


def test_an_error_of_our_own_making_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        cli.exit_after(lambda: 1 / 0)
