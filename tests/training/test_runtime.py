import keras
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.errors import UsageError
from keras_mnist.training import runtime


def test_the_cpu_is_named_and_neither_compiled_for_nor_given_short_numbers():
    device = runtime.choose_device("cpu")
    assert device.kind == "cpu" and device.name and str(device).startswith("cpu (")
    assert not device.compile_steps and device.number_format == "float32"


def test_a_gpu_gets_both():
    device = runtime.Device("gpu", "a GPU")
    assert device.compile_steps and device.number_format == "mixed_bfloat16"


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="there is a GPU")
def test_without_a_gpu_auto_takes_the_cpu_and_asking_for_one_is_refused():
    assert runtime.choose_device("auto").kind == "cpu"
    with pytest.raises(UsageError, match="no GPU .*--device cpu"):
        runtime.choose_device("gpu")


def test_an_unknown_device_is_refused():
    with pytest.raises(UsageError, match="device is 'tpu', expected one of auto, gpu, cpu"):
        runtime.choose_device("tpu")


def test_short_numbers_end_with_the_block_and_spare_weights_and_outputs():
    with runtime.number_format("mixed_bfloat16"):
        model = keras_mnist.create_model("bn_gap")
    assert keras.config.dtype_policy().name == "float32"
    assert model.get_layer("block1_conv1").compute_dtype == "bfloat16"
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.output.dtype == "float32"


def test_the_surroundings_name_what_bits_depend_on():
    found = runtime.surroundings(runtime.choose_device("cpu"))
    assert found["threads"] >= 1 and found["processor"] and isinstance(found["onednn"], bool)
    assert {"python", "tensorflow", "keras", "numpy"} <= found["versions"].keys()
