import keras
import numpy as np
import pytest

import keras_mnist
from keras_mnist.results.folding import fold


def lively(model):
    """The model with norms that are far from doing nothing, negative gains included."""
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = (weight.shape for weight in layer.get_weights())
            sign = generator.choice([-1, 1], gamma)
            layer.set_weights(
                [
                    sign * generator.uniform(0.5, 1.5, gamma),
                    generator.uniform(-1, 1, beta),
                    generator.uniform(-0.5, 0.5, mean),
                    generator.uniform(0.3, 2, variance),
                ]
            )
    return model


@pytest.mark.parametrize("name", keras_mnist.list_variants())
def test_a_folded_network_reads_as_the_plain_one_and_has_no_norm(name, digits):
    model = lively(keras_mnist.create_model(name, classifier_activation=None))
    images = digits.test_images[:50].astype(np.float32)
    folded = fold(model)
    logits = model.predict_on_batch(images)
    np.testing.assert_allclose(folded.predict_on_batch(images), logits, rtol=0, atol=1e-4 * np.ptp(logits))
    kinds = [type(layer).__name__ for layer in folded.layers]
    assert "BatchNormalization" not in kinds and "Dropout" not in kinds
    assert len(kinds) <= len(model.layers)


def test_a_norm_before_padding_is_kept_as_a_product_and_a_sum():
    names = [type(layer).__name__ for layer in fold(lively(keras_mnist.create_model("bn_gap"))).layers]
    assert names.count("Rescaling") == 1  # before block2_conv4, which pads; the pixels' own is in block1_conv1


def test_the_folded_network_has_a_plain_networks_input():
    folded = fold(keras_mnist.create_model("evo_skip"))
    assert folded.input_shape == (None, 28, 28, 1) and folded.output_shape == (None, 10)
