"""Mult-adds and receptive fields against the documents and against measurement."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.errors import UsageError
from keras_mnist.models import analysis
from keras_mnist.results.tables import variants_markdown
from tests.conftest import ROOT, every_variant, network
from tests.results import users_models


@functools.cache
def facts(name):
    return {fact.name: fact for fact in analysis.layer_facts(network(name))}


def mult_adds(name):
    return sum(fact.mult_adds for fact in facts(name).values())


def test_mult_adds_are_those_that_the_documents_print():
    assert round(mult_adds("evo_base") / 1e6, 2) == 2.47
    # The document prints 2.38 M for evo_bn; its convolutions are 2.37 M, its tool adds batch norm.
    assert round(mult_adds("evo_bn") / 1e6, 2) == 2.37


@pytest.mark.parametrize("name", every_variant())
def test_mult_adds_agree_with_tensorflow_s_own_count(name):
    model = network(name)
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(tf.TensorSpec((1, 28, 28, 1))).graph
    counted = 0
    for operation in graph.get_operations():
        if operation.type in ("Conv2D", "DepthwiseConv2dNative", "MatMul"):
            weights = operation.inputs[1].shape
            counted += np.prod(weights) * (np.prod(operation.outputs[0].shape[1:3]) if len(weights) == 4 else 1)
    assert counted == mult_adds(name)


def test_receptive_fields_are_those_that_the_document_prints():
    light = facts("light_20k")
    assert light["block1_conv2"].receptive_field == 5
    assert light["block2_conv2"].receptive_field == 14
    assert light["block3_conv3"].receptive_field == 28


@pytest.mark.parametrize("name", ["base_20k", "base_16k", "base_7k", "bn", "bn_dropout"])
def test_heads_of_7x7_see_the_whole_image(name):
    assert facts(name)["classifier"].receptive_field == 28


@pytest.mark.parametrize(("name", "layer"), [("light_20k", "block2_conv2"), ("bn_gap", "block2_conv3")])
def test_a_receptive_field_is_what_a_gradient_reaches(name, layer):
    model = keras_mnist.create_model(name)
    # Positive weights and no normalisation by the batch: no path can cancel another.
    model.set_weights([np.abs(weight) + 0.1 for weight in model.get_weights()])
    part = keras.Model(model.input, model.get_layer(layer).output)
    image = tf.Variable(np.random.default_rng(0).uniform(100, 255, (1, 28, 28, 1)).astype(np.float32))
    with tf.GradientTape() as tape:
        result = part(image, training=False)
        value = result[0, result.shape[1] // 2, result.shape[2] // 2, 0]
    rows = np.nonzero(np.abs(tape.gradient(value, image).numpy()).max(axis=(0, 2, 3)))[0]
    # Max pooling passes the gradient of one of its pixels: what is reached may fall short by the other.
    assert facts(name)[layer].receptive_field - 2 <= np.ptp(rows) + 1 <= facts(name)[layer].receptive_field


def test_blocks_of_light_20k_have_the_printed_parameters():
    blocks = analysis.parameters_by_block(list(facts("light_20k").values()))
    assert blocks == {"block1": 642, "block2": 4_134, "block3": 14_434}
    assert round(analysis.size_kb(19_210)) == 75


def test_a_sequential_model_has_the_facts_of_its_graph():
    found = {fact.kind: fact for fact in analysis.layer_facts(users_models.sequential())}
    assert (found["Conv2D"].mult_adds, found["Conv2D"].receptive_field) == (26 * 26 * 8 * 9, 3)
    assert (found["Dense"].parameters, found["Dense"].receptive_field) == (90, 28)


def test_a_layer_s_facts_are_of_this_model_also_where_another_calls_it():
    model = users_models.sequential()
    expected = analysis.layer_facts(model)
    for layer in model.layers[2:4]:
        layer(keras.Input((50, 50, 8)))
    assert analysis.layer_facts(model) == expected


@pytest.mark.parametrize("build", [users_models.nested, users_models.subclassed])
def test_a_model_without_facts_by_layer_is_told_in_one_line(build):
    model = build()
    with pytest.raises(UsageError, match=f"{model.name} is no built graph of layers"):
        analysis.layer_facts(model)


def test_a_layer_that_is_called_twice_computes_twice_with_its_parameters_once():
    inputs = keras.Input((28, 28, 1))
    layer = keras.layers.Conv2D(1, 3, padding="same", name="shared")
    model = keras.Model(inputs, layer(layer(inputs)))
    first, second = analysis.layer_facts(model)[1:]
    assert (first.name, second.name) == ("shared", "shared (2)")
    assert (first.parameters, second.parameters) == (10, 0)
    assert first.mult_adds == second.mult_adds == 9 * 28 * 28
    assert (first.receptive_field, second.receptive_field) == (3, 5)
    assert analysis.layer_calls(model)["shared (2)"] == (layer, ("shared",))


def test_separable_convolutions_count_both_of_their_parts():
    inputs = x = keras.Input((28, 28, 1))
    x = keras.layers.Conv2D(6, 3, name="conv")(x)
    x = keras.layers.SeparableConv2D(8, 3, depth_multiplier=2, strides=2, name="separable")(x)
    x = keras.layers.DepthwiseConv2D(5, padding="same", name="depthwise")(x)
    found = {fact.name: fact for fact in analysis.layer_facts(keras.Model(inputs, x))}
    assert found["separable"].mult_adds == 12 * 12 * (9 * 12 + 12 * 8)
    assert found["depthwise"].mult_adds == 12 * 12 * 25 * 8
    assert (found["separable"].receptive_field, found["depthwise"].receptive_field) == (5, 13)


def test_the_table_of_variants_is_the_generated_one(monkeypatch):
    monkeypatch.setattr(analysis, "_facts_of", lambda build: list(facts(build.__name__).values()))  # built before
    table = variants_markdown(analysis.all_variant_facts())
    assert table in (ROOT / "docs" / "variants.md").read_text(), "update it: python scripts/report.py"
