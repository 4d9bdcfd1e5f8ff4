"""Every network against its source document: the figures here are typed from the documents."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.errors import UsageError
from keras_mnist.models import registry
from keras_mnist.models.analysis import trainable_parameters
from keras_mnist.models.loading import load_model
from keras_mnist.results.folding import fold
from keras_mnist.studies.search.found import results
from keras_mnist.studies.search.notation import build
from keras_mnist.studies.search.trial import BASE
from keras_mnist.training.trainer import Trainer
from tests.conftest import ROOT, every_variant, network

# Trainable parameters in all, and layer by layer where the document prints them (batch norm: gain and offset).
TOTALS = {
    "fc_base": 7_034,
    "fc_dropout": 7_034,
    "fc_bn_dropout": 7_786,
    "evo_base": 6_536,
    "evo_bn": 6_704,
    "evo_skip": 7_820,
    "iter1_base": 26_714,
    "iter2_under_25k": 24_210,
    "iter3_under_20k": 18_374,
    "iter4_bn": 20_514,
    "iter5_bn_under_20k": 18_422,
    "iter6_fc_dropout": 18_422,
    "iter7_dropout": 18_422,
    "base_20k": 19_990,
    "base_16k": 16_040,
    "base_7k": 7_092,
    "bn": 7_200,
    "bn_dropout": 7_200,
    "bn_dropout_gap": 2_300,
    "bn_gap_plain": 7_550,
    "bn_gap": 7_550,
    "light_20k": 19_210,
}
OURS = {"swift": 14_282, "wide_30k": 29_136, "tiny_8k": 7_760, "tiny_4k": 3_772, "tiny_2k": 1_973, "tiny_1k": 990}
# Those that a search found, as it writes them.
WIDER = "conv {0} pooled, residual {0} x{1} preactivated, separable {2} pooled, residual {2} x3 preactivated, {3}"
UNPADDED = "conv {} valid gain, conv {} valid gain, pool, point {} gain, " + 3 * "conv {} valid gain, " + "{}"
HEAD = "weighted, dense unbiased"
SEARCHED = {
    "wide_30k": UNPADDED.format(16, 32, 16, 24, 32, 40, "average, point 32 gain, dense unbiased"),
    "tiny_8k": UNPADDED.format(8, 16, 8, 12, 16, 22, HEAD),
    "tiny_4k": WIDER.format(12, 2, 22, HEAD),
    "tiny_2k": WIDER.format(8, 3, 13, HEAD),
    "tiny_1k": f"conv 11 pooled, shared 11 x6 preactivated, pool, shared 11 x2 preactivated, {HEAD}",
}
FC_PLAIN = [72, 576, 576, 32, 288, 1152, 2304, 64, 1970]
BY_LAYER = {
    "fc_base": FC_PLAIN,
    "fc_dropout": FC_PLAIN,
    "fc_bn_dropout": [72, 16, 576, 16, 1152, 32, 64, 288, 16, 1152, 32, 2304, 32, 64, 1970],
    "evo_base": [72, 720, 1440, 128, 576, 720, 1440, 128, 1152, 160],
    "evo_bn": [72, 16, 720, 20, 1440, 32, 128, 16, 576, 16, 720, 20, 1440, 32, 128, 16, 1152, 160],
    "evo_skip": [72, 16, 720, 20, 1440, 32, 128, 720, 20, 900, 20, 1080, 24, 96, 576, 16, 720, 20, 1080, 120],
    "iter5_bn_under_20k": [80, 16, 1168, 32, 136, 2336, 924, 13730],
    "light_20k": [60, 12, 550, 20, 1456, 32, 2610, 36, 5216, 64, 6936, 48, 2170],
}
# The order of what comes between convolutions, in the first block.
FIRST_BLOCK = {
    "evo_base": ["Conv2D", "Conv2D", "Conv2D", "Conv2D", "MaxPooling2D"],
    "base_7k": ["Conv2D", "ReLU", "Conv2D", "ReLU"],
    "bn": ["Conv2D", "BatchNormalization", "ReLU", "Conv2D"],
    "bn_dropout": ["Conv2D", "BatchNormalization", "Dropout", "ReLU", "Conv2D"],
    "bn_gap": ["Conv2D", "ReLU", "BatchNormalization", "Dropout", "Conv2D"],
    "iter7_dropout": ["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D", "Dropout", "Conv2D"],
    "light_20k": ["Conv2D", "BatchNormalization", "ReLU", "Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D"]
    + ["SpatialDropout2D"],
}
NAMES = keras_mnist.list_variants()


@pytest.fixture(scope="module", params=NAMES)
def variant(request):
    return keras_mnist.get_variant(request.param)


@pytest.fixture(scope="module")
def model(variant):
    return network(variant.name)


def test_the_registry_holds_the_networks_of_the_documents():
    assert {name for name in NAMES if keras_mnist.get_variant(name).document} == TOTALS.keys()


def test_what_is_ours_makes_no_claim_and_has_no_document():
    for name in OURS:
        variant = keras_mnist.get_variant(name)
        assert variant.claim is None and variant.study == "frontier"
        with pytest.raises(UsageError, match=f"{name} is a network of our own.*tuned or fast"):
            variant.recipe("document")


def test_parameters_are_those_that_the_document_prints(variant, model):
    assert trainable_parameters(model) == variant.params == (TOTALS | OURS).get(variant.name, variant.params)
    if variant.name in BY_LAYER:
        counts = [trainable_parameters(layer) for layer in model.layers]
        assert [count for count in counts if count] == BY_LAYER[variant.name]


def test_names_and_shapes(variant, model):
    assert model.name == variant.name
    names = [layer.name for layer in model.layers]
    assert len(set(names)) == len(names)
    assert (names[0], names[-1]) == ("image", "predictions")
    assert model.input_shape == (None, 28, 28, 1) and model.output_shape == (None, 10)
    assert variant.build(num_classes=7, name="seven").output_shape == (None, 7)


@pytest.mark.parametrize("name", FIRST_BLOCK)
def test_the_order_of_layers_is_the_document_s(name):
    kinds = [type(layer).__name__ for layer in network(name).layers[2:]]
    assert kinds[: len(FIRST_BLOCK[name])] == FIRST_BLOCK[name]


def test_documented_shapes_are_those_of_the_graph(variant, model):
    shapes = [tuple(layer.output.shape[1:]) for layer in model.layers]
    chain = next(line for line in variant.build.__doc__.splitlines() if "->" in line)
    for text in chain.split("->"):
        assert eval(text) in shapes, f"{text} is no shape of {variant.name}"


@pytest.mark.parametrize("variant", every_variant(), indirect=True, scope="module")
def test_softmax_sums_to_one_and_logits_are_its_logarithm(variant, model, digits):
    images = digits.test_images[:4].astype(np.float32)
    logits = variant.build(classifier_activation=None)
    logits.set_weights(model.get_weights())
    odds = np.exp(logits(images))
    np.testing.assert_allclose(model(images), odds / odds.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", every_variant(quick=("bn_gap",)))
def test_every_trainable_weight_has_a_gradient_and_a_step_lowers_the_loss(name, digits):
    variant = keras_mnist.get_variant(name)
    keras.utils.set_random_seed(0)
    network = variant.build(classifier_activation=None)
    images = tf.constant(digits.train_images[:16], tf.float32)
    labels = tf.one_hot(digits.train_labels[:16], 10)
    with tf.GradientTape() as tape:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)(labels, network(images, training=True))
    for weight, gradient in zip(network.trainable_weights, tape.gradient(loss, network.trainable_weights), strict=True):
        # Batch norm takes the mean away, and with it what a bias before it does.
        dead = weight.path.endswith("/bias") and f"{weight.path.split('/')[0]}_bn" in {x.name for x in network.layers}
        assert gradient is not None and (dead or np.abs(gradient).max() > 0), weight.path
    recipe = variant.document or variant.recipe()
    # Without a teacher, which knows other digits than these.
    gentle = recipe.with_settings(learning_rate=recipe.learning_rate / 10, teacher=None)
    trainer = Trainer(network, gentle, 1)
    losses = [float(trainer.train_step(images, labels)) for _ in range(30)]
    assert np.mean(losses[-10:]) < np.mean(losses[:10])


@pytest.fixture(scope="module")
def kinds_written():
    """The sets of kinds of layers of which a SavedModel was written: that of others holds nothing new."""
    return set()


@pytest.mark.parametrize("variant", every_variant(quick=("bn_gap",)), indirect=True, scope="module")
def test_a_keras_file_and_a_saved_model_predict_alike(variant, model, tmp_path, digits, kinds_written):
    images = digits.test_images[:8]
    model.save(tmp_path / "model.keras")
    expected = model(images.astype(np.float32))
    np.testing.assert_array_equal(load_model(tmp_path / "model.keras")(images.astype(np.float32)), expected)
    folded = fold(model)
    np.testing.assert_allclose(folded(images.astype(np.float32)), expected, rtol=0, atol=1e-6)
    kinds = frozenset(type(layer) for layer in folded.layers)
    if kinds not in kinds_written:
        kinds_written.add(kinds)
        assert keras_mnist.export(model, tmp_path / "saved_model", images=images).difference <= 1e-6


def test_dropout_of_maps_drops_them_whole():
    dropout = network("light_20k").get_layer("block1_dropout")
    maps = dropout(tf.ones((16, 14, 14, 10)), training=True).numpy()
    totals = maps.sum(axis=(1, 2))
    assert set(np.unique(totals.round(2))) == {0.0, np.float32(round(196 / 0.75, 2))}


def test_what_differs_between_frameworks_is_set_as_the_documents_trained():
    model = network("light_20k")
    norm = model.get_layer("block1_conv1_bn")
    assert (norm.momentum, norm.epsilon) == (0.9, 1e-5)
    kernel, bias = (weight.numpy() for weight in model.get_layer("block3_conv1").weights)
    bound = 1 / np.sqrt(9 * 18)
    assert 0.95 * bound < np.abs(kernel).max() <= bound and 0.5 * bound < np.abs(bias).max() <= bound
    assert kernel.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)
    assert keras_mnist.get_variant("light_20k").document.l2 == 1e-4


@pytest.mark.parametrize("name", SEARCHED)
def test_what_a_search_found_is_the_network_and_the_recipe_that_it_has_on_record(name):
    variant = keras_mnist.get_variant(name)
    on_record = {
        (result.first["network"], result.first["settings"]): result.first["parameters"]
        for result in results(ROOT / "docs" / "records" / "frontier", "mnist")
    }
    assert on_record[SEARCHED[name], ", ".join(variant.recipe().differences(BASE))] == variant.params
    searched, ours = build(SEARCHED[name]), variant.build()
    images = np.random.default_rng(0).uniform(0, 255, (2, 28, 28, 1)).astype(np.float32)
    ours.set_weights(searched.get_weights())
    np.testing.assert_array_equal(ours(images), searched(images))


def test_a_variant_s_fast_recipe_is_its_own_tuned_one_made_shorter():
    fast = keras_mnist.get_variant("tiny_8k").recipe("fast")
    assert (fast.name, fast.epochs, fast.teacher, fast.batch_size) == ("fast", 3, "wide_30k", 64)
    assert keras_mnist.get_variant("bn").recipe("fast").differences(registry.TUNED) == [
        "epochs=3",
        "batch_size=64",
        "label_smoothing=0.1",
        "target_accuracy=none",
    ]


def test_every_recipe_can_be_built_for_every_variant(variant):
    for name in registry.RECIPES if variant.name in TOTALS else ("tuned", "fast"):
        recipe = variant.recipe(name)
        assert recipe.epochs >= 1 and recipe.flat()
    assert variant.source and variant.title
    if variant.name in TOTALS:
        assert variant.claim.images in ("test", "train") and 0.8 < variant.claim.accuracy < 1
