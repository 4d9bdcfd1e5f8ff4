import keras
import numpy as np
import pytest

import keras_mnist
from keras_mnist.results.folding import fold
from tests.conftest import every_variant
from tests.results import users_models


def lively(model):
    """The model with norms that are far from doing nothing, negative gains included."""
    generator = np.random.default_rng(0)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.moving_mean.shape
            if layer.scale:
                layer.gamma.assign(generator.choice([-1, 1], shape) * generator.uniform(0.5, 1.5, shape))
            if layer.center:
                layer.beta.assign(generator.uniform(-1, 1, shape))
            layer.moving_mean.assign(generator.uniform(-0.5, 0.5, shape))
            layer.moving_variance.assign(generator.uniform(0.3, 2, shape))
    return model


@pytest.mark.parametrize("name", every_variant())
def test_a_folded_network_predicts_as_the_plain_one_and_has_no_norm(name, digits):
    model = lively(keras_mnist.create_model(name, classifier_activation=None))
    images = digits.test_images[:50].astype(np.float32)
    folded = fold(model)
    logits = model(images, training=False)
    np.testing.assert_allclose(folded(images, training=False), logits, rtol=0, atol=1e-4 * np.ptp(logits))
    kinds = [type(layer).__name__ for layer in folded._flatten_layers()]
    assert "BatchNormalization" not in kinds and "Dropout" not in kinds
    assert len(folded.layers) <= len(model.layers)


def test_a_norm_before_padding_is_kept_as_a_product_and_a_sum():
    names = [type(layer).__name__ for layer in fold(lively(keras_mnist.create_model("bn_gap"))).layers]
    assert names.count("Rescaling") == 1  # before block2_conv4, which pads; the pixels' own is in block1_conv1


def test_the_folded_network_has_a_plain_networks_input():
    folded = fold(keras_mnist.create_model("evo_skip"))
    assert folded.input_shape == (None, 28, 28, 1) and folded.output_shape == (None, 10)


@pytest.mark.parametrize("build", users_models.ALL)
def test_a_user_s_model_folded_predicts_as_before(build, digits):
    keras.utils.set_random_seed(0)
    model = lively(build())
    for layer in model._flatten_layers():
        if getattr(layer, "use_bias", False):
            layer.bias.assign(np.random.default_rng(1).uniform(-1, 1, layer.bias.shape))
    images = digits.test_images[:50].astype(np.float32)
    expected = model(images, training=False)
    found = fold(model)(images, training=False)
    for one, other in zip(keras.tree.flatten(found), keras.tree.flatten(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * max(np.ptp(other), 1e-3))
        assert np.ptp(other, axis=0).max() > 1e-4  # it does look at the images


def test_no_layer_of_folding_takes_the_name_of_a_user_s():
    keras.backend.clear_session()  # Keras counts names from the start again, as in a process that loads a model
    model = lively(users_models.named_as_layers_of_folding())
    names = [layer.name for layer in fold(model).layers]
    assert names == [layer.name for layer in model.layers if layer.name != "conv2d"]  # its work is in the convolution


def test_folding_does_not_show_in_the_user_s_model():
    model = users_models.norms_between_activations()
    before = [layer.output for layer in model.layers], model.get_config()
    fold(model)
    assert ([layer.output for layer in model.layers], model.get_config()) == before


@pytest.mark.parametrize(
    ("build", "norms"),
    [
        (users_models.sequential, 0),
        (users_models.norms_without_gain_or_centre, 0),
        (users_models.norm_after_activation, 0),
        (users_models.dilated_strided_and_grouped, 0),
        (users_models.norm_of_rows, 1),
        (users_models.layers_called_twice, 1),
        (users_models.nested, 1),
    ],
)
def test_what_can_be_folded_is_and_the_rest_stays(build, norms):
    layers = fold(lively(build()))._flatten_layers()
    assert sum(isinstance(layer, keras.layers.BatchNormalization) for layer in layers) == norms
