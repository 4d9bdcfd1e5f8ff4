import os

from keras_mnist.utils.start import without_noise


def test_what_libraries_say_is_shown_without_the_noise(capfd):
    with without_noise():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nsomething is wrong\n")
    assert capfd.readouterr().err == "something is wrong\n"
