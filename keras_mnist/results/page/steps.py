"""A network as the page's JavaScript computes it: its graph step by step, all weights in one row of numbers."""

from __future__ import annotations

import base64

import keras
import numpy as np

from keras_mnist.errors import UsageError
from keras_mnist.models.analysis import calls, graph_of
from keras_mnist.results.evaluation import CLASSES, are_probabilities, raw_outputs
from keras_mnist.results.folding import fold

ACTIVATIONS = ("linear", "relu", "leaky_relu", "elu", "silu", "sigmoid", "tanh", "softmax")  # of layers.js
# Layers that do nothing to the values in prediction.
IDLE = (
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
    keras.layers.GaussianNoise,
    keras.layers.GaussianDropout,
    keras.layers.ActivityRegularization,
)


def network(model: keras.Model) -> dict:
    """A folded model: the steps that its answer takes, in order, and its weights as float32 in base64.

    Each step names the kind of work, the steps whose values it takes, and the shape of what it gives.

    Raises: UsageError if the model is no graph from an image to ten values, or has a layer unknown to the page.
    """
    graph = graph_of(fold(model))
    if graph is None or len(graph.inputs) != 1 or graph.output_shape != (None, CLASSES):
        raise UsageError(f"{model.name} is no graph of layers from one image to ten values, which the page computes")
    weights = _Weights()
    steps: list[dict] = []
    numbers: dict[int, int] = {}  # of each tensor's step
    for node in calls(graph):
        inputs = [numbers[id(tensor)] for tensor in node.input_tensors]
        if type(node.operation) in IDLE:
            numbers[id(node.outputs[0])] = inputs[0]
            continue
        numbers[id(node.outputs[0])] = len(steps)
        steps.append(_step(node, inputs, weights))
    return {
        "steps": steps,
        "answer": numbers[id(graph.outputs[0])],
        "logits": _gives_logits(model),
        "weights": weights.in_base64(),
    }


def _gives_logits(model: keras.Model) -> bool:
    images = np.random.default_rng(0).integers(0, 256, (16, 28, 28, 1), np.uint8)
    return not are_probabilities(raw_outputs(model, images))


class _Weights:
    """Arrays in one row; each is known by where it begins and how many numbers it has."""

    def __init__(self):
        self.parts: list[np.ndarray] = []
        self.count = 0

    def add(self, values) -> list[int]:
        part = np.ravel(keras.ops.convert_to_numpy(values)).astype("<f4")
        self.parts.append(part)
        self.count += part.size
        return [self.count - part.size, part.size]

    def in_base64(self) -> str:
        return base64.b64encode(np.concatenate([np.empty(0, "<f4"), *self.parts]).tobytes()).decode()


def _step(node, inputs: list[int], weights: _Weights) -> dict:
    """One call of a layer.

    Raises: UsageError if the page cannot compute it.
    """
    layer, shape = node.operation, list(node.outputs[0].shape[1:])
    described = {"name": layer.name, "inputs": inputs, "shape": shape}
    if node.is_input:
        return {"kind": "image", **described}
    if type(layer) not in KINDS:
        raise _unknown(layer, f"is a {type(layer).__name__}")
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise _unknown(layer, "has its channels first")
    if layer.compute_dtype != "float32":
        raise _unknown(layer, f"computes in {layer.compute_dtype}")
    kind, settings_of = KINDS[type(layer)]
    settings = settings_of(layer, node.input_tensors[0].shape)
    arrays = {name: weights.add(value) for name, value in settings.items() if isinstance(value, np.ndarray)}
    return {"kind": kind, **described, **settings, **arrays}


def _unknown(layer, what: str) -> UsageError:
    known = ", ".join(sorted(kind.__name__ for kind in (*KINDS, *IDLE)))
    return UsageError(f"{layer.name} {what}, which the page cannot compute; it knows {known} in float32")


def _activation(layer) -> str:
    """The name of a layer's activation function, or of a layer that is one."""
    function = keras.activations.softmax if type(layer) is keras.layers.Softmax else layer.activation
    name = keras.activations.serialize(function)
    if name not in ACTIVATIONS:
        raise _unknown(layer, f"has the activation {name if isinstance(name, str) else type(function).__name__}")
    return name


def _convolution(layer, shape) -> dict:
    sizes = {"strides": layer.strides, "dilation": layer.dilation_rate, "groups": layer.groups}
    if layer.padding not in ("valid", "same"):
        raise _unknown(layer, f"pads with {layer.padding}")
    return {**sizes, "size": layer.kernel_size, "padding": layer.padding, **_linear(layer, shape)}


def _linear(layer, shape) -> dict:
    bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(layer.kernel.shape[-1])
    return {"activation": _activation(layer), "kernel": np.asarray(layer.kernel), "bias": bias}


def _pooling(layer, shape) -> dict:
    return {"size": layer.pool_size, "strides": layer.strides, "padding": layer.padding}


def _channels(layer, shape, scale, offset) -> dict:
    """One product and one sum for each channel of the last axis."""
    try:
        scale, offset = (np.broadcast_to(np.float64(part), shape[-1:]) for part in (scale, offset))
    except ValueError:
        raise _unknown(layer, "scales other things than channels") from None
    return {"scale": scale, "offset": offset}


def _rescaling(layer, shape) -> dict:
    return _channels(layer, shape, layer.scale, layer.offset)


def _normalization(layer, shape) -> dict:
    deviation = np.maximum(np.sqrt(np.float64(layer.variance)), keras.backend.epsilon())
    mean, deviation = (np.squeeze(part) for part in (np.float64(layer.mean), deviation))
    scale, offset = 1 / deviation, -mean / deviation
    return _channels(layer, shape, *((deviation, mean) if layer.invert else (scale, offset)))


def _batch_norm(layer, shape) -> dict:
    if layer.axis not in (-1, len(shape) - 1):
        raise _unknown(layer, "normalises other things than channels")
    gain, centre = layer.gamma if layer.scale else 1.0, layer.beta if layer.center else 0.0
    scale = np.float64(gain) / np.sqrt(np.float64(layer.moving_variance) + layer.epsilon)
    return _channels(layer, shape, scale, np.float64(centre) - np.float64(layer.moving_mean) * scale)


def _relu(layer, shape) -> dict:
    most = None if layer.max_value is None else float(layer.max_value)
    return {"slope": float(layer.negative_slope), "threshold": float(layer.threshold), "most": most}


def _activation_alone(layer, shape) -> dict:
    if type(layer) is keras.layers.Softmax and layer.axis not in (-1, len(shape) - 1):
        raise _unknown(layer, "sums over other things than channels")
    return {"activation": _activation(layer)}


def _nothing(layer, shape) -> dict:
    return {}


# What layers.js calls the work of each kind of layer, and the function that gives its settings and weights.
KINDS = {
    keras.layers.Conv2D: ("convolution", _convolution),
    keras.layers.Dense: ("linear", _linear),
    keras.layers.MaxPooling2D: ("maxPooling", _pooling),
    keras.layers.AveragePooling2D: ("averagePooling", _pooling),
    keras.layers.GlobalMaxPooling2D: ("globalMaxPooling", _nothing),
    keras.layers.GlobalAveragePooling2D: ("globalAveragePooling", _nothing),
    keras.layers.Rescaling: ("channels", _rescaling),
    keras.layers.Normalization: ("channels", _normalization),
    keras.layers.BatchNormalization: ("channels", _batch_norm),
    keras.layers.ReLU: ("relu", _relu),
    keras.layers.Activation: ("activation", _activation_alone),
    keras.layers.Softmax: ("activation", _activation_alone),
    keras.layers.Add: ("sum", _nothing),
    keras.layers.Flatten: ("sameValues", _nothing),
    keras.layers.Reshape: ("sameValues", _nothing),
}
