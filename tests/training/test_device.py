import keras
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist import optimizations
from keras_mnist.errors import UsageError
from keras_mnist.training.device import Device, choose_device, dtype_policy, environment_of


def test_the_cpu_is_named_and_not_compiled_for():
    device = choose_device("cpu")
    assert device.kind == "cpu" and device.name and str(device).startswith("cpu (")
    assert not device.jit_compile


def test_a_gpu_gets_xla():
    assert Device("gpu", "a GPU").jit_compile


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="there is a GPU")
def test_without_a_gpu_auto_takes_the_cpu_and_asking_for_one_is_refused():
    assert choose_device("auto").kind == "cpu"
    with pytest.raises(UsageError, match='`device` is "gpu", and no GPU is visible'):
        choose_device("gpu")


def test_an_unknown_device_is_refused():
    with pytest.raises(UsageError, match="`device` is 'tpu', expected one of auto, gpu, cpu"):
        choose_device("tpu")


def test_a_dtype_policy_ends_with_the_block_and_spares_weights_and_outputs():
    with dtype_policy("mixed_bfloat16"):
        model = keras_mnist.create_model("bn_gap")
    assert keras.config.dtype_policy().name == "float32"
    assert model.get_layer("block1_conv1").compute_dtype == "bfloat16"
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.output.dtype == "float32"


def test_the_environment_names_what_bits_depend_on():
    device = choose_device("cpu")
    found = environment_of(device, device.optimizations)
    assert found["threads"] >= 1 and found["processor"] and isinstance(found["onednn"], bool)
    assert {"python", "tensorflow", "keras", "numpy"} <= found["versions"].keys()
    assert environment_of(device, ())["shards"] == 1 and environment_of(device, ())["optimizations"] == []


def test_each_optimization_has_a_switch(monkeypatch):
    cpu, gpu = Device("cpu", "a CPU"), Device("gpu", "a GPU")
    assert cpu.optimizations == optimizations.OPTIMIZATIONS
    assert gpu.optimizations == ("imports", "resampling")
    for name in optimizations.OPTIMIZATIONS:
        monkeypatch.setenv("KERAS_MNIST_WITHOUT_OPTIMIZATIONS", name)
        assert name not in cpu.optimizations
    monkeypatch.setenv("KERAS_MNIST_WITHOUT_OPTIMIZATIONS", ",".join(optimizations.OPTIMIZATIONS))
    assert cpu.optimizations == ()
    monkeypatch.setenv("KERAS_MNIST_WITHOUT_OPTIMIZATIONS", "lanes")
    with pytest.raises(UsageError, match="'lanes'.*imports,resampling,fused_layers,shards,steps_per_execution"):
        _ = cpu.optimizations


THREADS = """
import tensorflow as tf
from keras_mnist.training.device import SHARDS, set_threads
threading = tf.config.threading
assert {first}
assert set_threads() is {set}
assert (threading.get_intra_op_parallelism_threads() == 1) is {set}
print("threads are as expected")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("first", "was_set"), [("True", True), ("tf.zeros(1).shape", False)])
def test_threads_are_set_as_long_as_tensorflow_has_computed_nothing(server, tmp_path, first, was_set):
    assert server.printed_by(THREADS.format(first=first, set=was_set), tmp_path) == "threads are as expected\n"
