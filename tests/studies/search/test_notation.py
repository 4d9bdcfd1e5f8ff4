"""Candidates in one line: what they are made of, and what is no notation."""

import re

import keras
import pytest

from keras_mnist.errors import UsageError
from keras_mnist.models.analysis import layer_facts
from keras_mnist.studies.search.notation import build, parse, variant

# The four sizes' first candidates by their parameters; shared parts have a gain for each channel and pass.
CANDIDATES = {
    993: "conv 7, pool, separable 12, shared 12 x3, pool, separable 14, average, dense",
    1966: "conv 8, pool, separable 20, shared 20 x3, pool, separable 24, average, dense",
    3978: "conv 10, separable 16, pool, separable 22, shared 22 x3, pool, separable 28, shared 28 x2, average, dense",
    7870: "conv 12, conv 12, pool, separable 32, shared 32 x3, pool, separable 42, shared 42 x2, average, dense",
}
# The same where each pass has a single gain for all channels.
WITH_ONE_GAIN = (960, 1909, 3861, 7695)


@pytest.mark.parametrize(("parameters", "fewer"), zip(CANDIDATES, WITH_ONE_GAIN, strict=True))
def test_candidates_have_the_parameters_that_were_counted_by_hand(parameters, fewer):
    notation = CANDIDATES[parameters]
    assert variant(notation).params == parameters
    passes = sum((part.channels - 1) * part.passes for part in parse(notation) if part.kind == "shared")
    assert parameters - passes == fewer


def test_the_published_network_has_its_7496_parameters():
    first, second = (
        "conv 8 gain valid, conv 16 gain valid",
        "conv 12 gain valid, conv 16 gain valid, conv 20 gain valid",
    )
    assert variant(f"{first}, pool, point 8 gain, {second}, average, point 16 gain, dense unbiased").params == 7496


def test_parts_are_the_layers_that_they_say():
    model = build("conv 4 valid, pool, pointwise_first 6, residual 6 x2, shared 6 x2, pool, weighted, dense unbiased")
    kinds = [type(layer).__name__ for layer in model.layers]
    assert [kinds.count(kind) for kind in ("SeparableConv2D", "DepthwiseConv2D", "Add", "MaxPooling2D")] == [3, 3, 4, 2]
    assert model.get_layer("block1_conv1").output.shape == (None, 26, 26, 4)
    assert model.get_layer("linear").use_bias is False
    weighted = [fact.parameters for fact in layer_facts(model) if "weighted" in fact.name]
    assert weighted == [6 * 6, 6 * 6]
    gains = [
        layer.gamma.numpy()
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization) and layer.scale
    ]
    assert len(gains) == 4 and all(gain == pytest.approx(0.1) for gain in gains)


def test_what_is_pooled_is_halved_before_its_norm_and_what_is_preactivated_may_lower_its_input():
    model = build("conv 4 pooled, separable 4 pooled, shared 4 x2 preactivated, average, dense")
    names = [layer.name for layer in model.layers]
    assert names[2:6] == ["block1_conv1", "block1_conv1_pool", "block1_conv1_bn", "block1_conv1_relu"]
    assert model.get_layer("block2_separable1_bn").output.shape == (None, 7, 7, 4)
    (added,) = [layer.input for layer in model.layers if layer.name == "block3_shared1_add2"]
    assert [tensor._keras_history.operation.name for tensor in added] == ["block3_shared1_add1", "block3_shared1_bn2"]


@pytest.mark.parametrize(
    ("notation", "words"),
    [
        ("conv 8, average", "ends with 'average', expected dense"),
        ("conv, average, dense", "'conv' is no part of a network, expected one such as 'conv 8'"),
        ("blur 8, dense", "'blur 8' is no part"),
        ("pool 2, dense", "'pool 2' is no part"),
        ("separable 8 valid, dense", "'separable 8 valid' is no part"),
        ("conv 8 x2, dense", "'conv 8 x2' is no part"),
        ("conv 8, shared 9 x2, dense", "shared 9 follows 8 channels, expected as many"),
        (", ".join(["pool"] * 5 + ["dense"]), "pool does not fit an image of 1x1"),
    ],
)
def test_what_is_no_network_is_told_in_one_line(notation, words):
    with pytest.raises(UsageError, match=re.escape(words)) as error:
        build(notation)
    assert "\n" not in str(error.value)
