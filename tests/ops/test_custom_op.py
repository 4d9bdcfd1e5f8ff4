import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.ops import custom_op


@custom_op.operation("values: float", "factors: double", "numbers: int64", gives="result: double")
def weigh_for_a_test(_, context):
    """values * factors + numbers."""
    values, shape = custom_op.floats(context, 0)
    factors, numbers = custom_op.doubles(context, 1)[0], custom_op.integers(context, 2)
    result = custom_op.doubles_out(context, shape)
    for index in range(len(values)):
        result[index] = values[index] * factors[index] + numbers[index]


@custom_op.operation("values: float", gives="result: float")
def ask_for_more_than_there_is(_, context):
    """A petabyte."""
    custom_op.floats_out(context, np.array([1 << 48]))


def inputs(shape):
    generator = np.random.default_rng(0)
    values, factors = generator.normal(size=(2, *shape))
    return tf.constant(values, tf.float32), tf.constant(factors), tf.constant(generator.integers(0, 2**60, shape))


@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (2, 3, 4, 5)])
@pytest.mark.parametrize("wrap", [lambda function: function, lambda function: tf.function(function, autograph=False)])
def test_an_operation_computes_with_and_without_a_graph(shape, wrap):
    values, factors, numbers = inputs(shape)
    result = wrap(lambda *tensors: weigh_for_a_test(*tensors, shape=shape))(values, factors, numbers)
    assert result.shape == shape and result.dtype == tf.float64
    np.testing.assert_allclose(result, values.numpy() * factors.numpy() + numbers.numpy(), rtol=1e-15)


def test_an_operation_works_in_a_pipeline_s_threads():
    data = tf.data.Dataset.range(100).map(
        lambda number: weigh_for_a_test(tf.cast(number, tf.float32), tf.constant(2.0, tf.float64), number, shape=()),
        num_parallel_calls=4,
    )
    assert [float(value) for value in data] == [3.0 * number for number in range(100)]


def test_an_operation_refuses_other_types():
    values, factors, numbers = inputs((2,))
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError, TypeError)):
        weigh_for_a_test(factors, factors, numbers, shape=(2,))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Numba names the MemoryError
def test_an_operation_without_memory_fails_and_the_process_goes_on():
    with pytest.raises(tf.errors.ResourceExhaustedError):
        ask_for_more_than_there_is(tf.zeros(1), shape=None)
    assert (
        float(weigh_for_a_test(tf.constant(1.0), tf.constant(2.0, tf.float64), tf.constant(0, tf.int64), shape=())) == 2
    )


PACKAGE = Path(keras_mnist.__file__).parent


def printed_by(script, folder, text, **environment):
    """What a script prints in a process of its own, with the package of that folder: an abort ends only that one."""
    (folder / script).write_text(text)
    done = subprocess.run(
        [sys.executable, script],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(PACKAGE.parent)])} | environment,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


RELOADS = """
import importlib, sys
import tensorflow as tf
from keras_mnist.ops import custom_op
from keras_mnist.data import augment
from keras_mnist.ops import resample
from keras_mnist.recipe import Augmentation

def read():
    print(augment.augment(tf.ones((1, 1, 1, 1)), tf.constant([1, 2]), Augmentation(rotation_degrees=5)).numpy().item())

read()
for modules in [resample], [custom_op], [custom_op, resample]:
    for module in modules:
        importlib.reload(module)
    read()
for name in [name for name in sys.modules if name.startswith("keras_mnist")]:
    del sys.modules[name]
from keras_mnist.data import augment
from keras_mnist.recipe import Augmentation
read()
"""


@pytest.mark.slow
def test_modules_with_operations_may_be_loaded_again(server, tmp_path):
    assert server.printed_by(RELOADS, tmp_path) == "1.0\n" * 5


TWO_RUNS = """
import threading
import keras_mnist
from keras_mnist.recipe import Recipe

def train(seed):
    recipe = Recipe(epochs=1, batch_size=50)
    keras_mnist.train("bn", recipe=recipe, seed=seed, dataset="digits", device="cpu", verbose=0)
    print("trained", flush=True)

threads = [threading.Thread(target=train, args=(seed,)) for seed in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.slow
def test_two_threads_may_train(server, tmp_path):
    assert server.printed_by(TWO_RUNS, tmp_path) == "trained\n" * 2


OPERATION = """
import numpy as np
import tensorflow as tf
from keras_mnist.ops import custom_op

@custom_op.operation("values: float", gives="result: float")
def copy_for_a_test(_, context):
    values, shape = custom_op.floats(context, 0)
    custom_op.floats_out(context, shape)[:] = values

print(copy_for_a_test(tf.ones(()), shape=()).numpy())
"""


@pytest.mark.slow
def test_a_kept_operation_is_compiled_anew_after_a_change_of_what_it_calls(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "keras_mnist", ignore=shutil.ignore_patterns("__pycache__"))
    source = tmp_path / "keras_mnist" / "ops" / "custom_op.py"
    kept = tmp_path / "__pycache__"
    assert printed_by("operation.py", tmp_path, OPERATION) == "1.0\n"
    before = sorted(kept.glob("*.nb?"))
    assert len(before) == 2
    source.write_text(source.read_text().replace("count, np.float32), shape", "count, np.float32) * 2, shape"))
    assert printed_by("operation.py", tmp_path, OPERATION) == "2.0\n"
    after = sorted(kept.glob("*.nb?"))
    assert len(after) == 2 and not set(before) & set(after)
    times = [path.stat().st_mtime_ns for path in after]
    assert printed_by("operation.py", tmp_path, OPERATION) == "2.0\n"
    assert times == [path.stat().st_mtime_ns for path in sorted(kept.glob("*.nb?"))]


@pytest.mark.slow
def test_an_operation_works_where_nothing_can_be_kept(tmp_path):
    full = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
    assert printed_by("operation.py", tmp_path, full + OPERATION) == "1.0\n"
    assert not list(tmp_path.rglob("*.nbc"))
