"""A network for prediction as a plain list of operations, from which it is written in other languages."""

from __future__ import annotations

import dataclasses

import numpy as np

from keras_mnist.errors import UsageError
from keras_mnist.models.analysis import calls, graph_of
from keras_mnist.results.folding import IDLE, kind_of
from keras_mnist.utils.lazy import keras

REMEDY = "the export format saved_model takes any other"
ACTIVATIONS = ("relu", "sigmoid", "softmax", "tanh")


@dataclasses.dataclass(frozen=True)
class Operation:
    """One step of a prediction; arrays have the channels last, and their first axis is not the batch.

    kind: what it does, with its attributes and weights:
        "input": the raw pixels, 0 to 255.
        "convolution": strides, dilation (rows, columns) and padding (top, left, bottom, right) with zeros; `kernel`
            (rows, columns, inputs, outputs) and `bias`.
        "depthwise": the same with each output from one input, several in turn from each; `kernel` (rows, columns,
            outputs) and `bias`.
        "dense": `kernel` (inputs, outputs) and `bias`, on the last axis.
        "scale": `scale` times the input plus `offset`, for each channel.
        "max_pool", "average_pool": pool, strides and padding, as above; what is padded does not count.
        "global_average": the mean of each channel.
        "add": the sum of its inputs, which have one shape.
        "reshape": the same values in another shape.
        "relu", "sigmoid", "softmax" (over the last axis), "tanh".
    name: the layer that it comes from.
    inputs: indices in the list of the operations whose results it takes.
    shape: of its result for one image.
    """

    kind: str
    name: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    attributes: dict
    weights: dict[str, np.ndarray]


def operations(model: keras.Model, gives_logits: bool = False) -> list[Operation]:
    """The steps from raw pixels to probabilities: the first is the input, the last gives the result.

    Args:
        model: a folded one has fewer steps.
        gives_logits: a softmax is added at the end.

    Raises: UsageError that names the first layer that is not known.
    """
    graph = graph_of(model)
    if graph is None or len(graph.inputs) != 1 or len(graph.outputs) != 1 or None in graph.inputs[0].shape[1:]:
        raise UsageError(
            f"{model.name} is no graph of layers from one image of fixed size to one result, expected such a model; "
            f"{REMEDY}"
        )
    found: list[Operation] = []
    indices = {}  # of each tensor: the index of the operation that gives it
    for node in calls(graph):
        sources = tuple(indices[id(tensor)] for tensor in node.input_tensors)
        for kind, attributes, weights in _steps(node):
            shape = tuple(attributes.pop("shape", node.outputs[0].shape[1:]))
            found.append(Operation(kind, node.operation.name, sources, shape, attributes, weights))
            sources = (len(found) - 1,)
        indices[id(node.outputs[0])] = sources[0]
    if gives_logits:
        found.append(Operation("softmax", "softmax", (indices[id(graph.outputs[0])],), found[-1].shape, {}, {}))
    return found


def _steps(node) -> list[tuple[str, dict, dict]]:
    """What a call does: the kind, attributes and weights of each step, none where it changes nothing.

    A step whose result is not the call's has its shape among the attributes.
    """
    layer = node.operation
    steps = _STEPS.get(kind_of(layer))
    known = steps and len(node.outputs) == 1 and layer.compute_dtype == "float32"
    known = known and getattr(layer, "data_format", "channels_last") == "channels_last"
    found = steps(layer, node.input_tensors[0].shape[1:] if node.input_tensors else ()) if known else None
    if found is None:
        names = ", ".join(kind for kind in _STEPS if kind != "InputLayer")
        raise UsageError(
            f"layer {layer.name} ({type(layer).__name__}) cannot be written outside Keras, expected one of {names} "
            f"with plain settings, in float32; {REMEDY}"
        )
    return found


def _idle(layer, shape):
    return []


def _linear(layer, shape):
    kernel = _array(layer.kernel)
    weights = {"kernel": kernel, "bias": _bias(layer.bias, kernel)}
    activation = _activation(layer, shape)
    if isinstance(layer, keras.layers.Dense):
        step = ("dense", {}, weights)
    else:
        attributes = _window(layer, layer.kernel_size, layer.dilation_rate, shape)
        step = ("convolution", {**attributes, "dilation": layer.dilation_rate}, weights)
    plain = getattr(layer, "groups", 1) == 1 and layer.quantization_mode is None
    return [step, *activation] if plain and activation is not None else None


def _depthwise(layer, shape):
    activation, step = _activation(layer, shape), _depthwise_step(layer, layer.kernel, layer.bias, shape)
    return [step, *activation] if activation is not None else None


def _separable(layer, shape):
    """Two steps: the channels one by one, then all of them."""
    activation, first = _activation(layer, shape), _depthwise_step(layer, layer.depthwise_kernel, None, shape)
    kernel = _array(layer.pointwise_kernel)
    weights = {"kernel": kernel, "bias": _bias(layer.bias, kernel)}
    attributes = {"strides": (1, 1), "padding": (0, 0, 0, 0), "dilation": (1, 1)}
    spatial = layer.compute_output_shape((1, *shape))[1:-1]
    first[1]["shape"] = (*spatial, kernel.shape[-2])
    return [first, ("convolution", attributes, weights), *activation] if activation is not None else None


def _depthwise_step(layer, kernel, bias, shape):
    kernel = _array(kernel)
    kernel = kernel.reshape(*kernel.shape[:2], -1)
    attributes = _window(layer, layer.kernel_size, layer.dilation_rate, shape)
    return "depthwise", {**attributes, "dilation": layer.dilation_rate}, {"kernel": kernel, "bias": _bias(bias, kernel)}


def _bias(bias, kernel):
    """A layer's bias, zeros where it has none."""
    return np.zeros(kernel.shape[-1:], "f4") if bias is None else _array(bias)


def _activation(layer, shape):
    """The step of a layer's activation function; None if it is unknown."""
    name = getattr(layer.activation, "__name__", None)
    if layer.activation is keras.activations.linear:
        return []
    return [(name, {}, {})] if name in ACTIVATIONS and layer.activation is keras.activations.get(name) else None


def _relu(layer, shape):
    plain = layer.max_value is None and not layer.negative_slope and not layer.threshold
    return [("relu", {}, {})] if plain else None


def _softmax(layer, shape):
    return [("softmax", {}, {})] if layer.axis in (-1, len(shape)) else None


def _scale(layer, shape):
    scale, offset = np.float64(layer.scale), np.float64(layer.offset)
    if any(part.shape not in ((), (1,), shape[-1:]) for part in (scale, offset)):
        return None
    return [_scale_step(scale, offset, shape)]


def _norm(layer, shape):
    gain, centre = layer.gamma if layer.scale else 1.0, layer.beta if layer.center else 0.0
    scale = np.float64(gain) / np.sqrt(np.float64(layer.moving_variance) + layer.epsilon)
    step = _scale_step(scale, np.float64(centre) - np.float64(layer.moving_mean) * scale, shape)
    return [step] if layer.axis in (-1, len(shape)) else None


def _scale_step(scale, offset, shape):
    weights = {"scale": scale, "offset": offset}
    return "scale", {}, {name: np.broadcast_to(part, shape[-1:]).astype("f4") for name, part in weights.items()}


def _max_pool(layer, shape):
    return [("max_pool", {"pool": layer.pool_size, **_window(layer, layer.pool_size, (1, 1), shape)}, {})]


def _average_pool(layer, shape):
    return [("average_pool", {"pool": layer.pool_size, **_window(layer, layer.pool_size, (1, 1), shape)}, {})]


def _window(layer, size, dilation, shape) -> dict:
    """Strides, and the padding that Keras calls "valid" or "same", in pixels."""
    missing = [0, 0]
    if layer.padding == "same":
        reach = [(pixels - 1) * step + 1 for pixels, step in zip(size, dilation, strict=True)]
        last = [(pixels - 1) // stride * stride for pixels, stride in zip(shape, layer.strides, strict=False)]
        missing = [max(start + field - pixels, 0) for start, field, pixels in zip(last, reach, shape, strict=False)]
    before = [pixels // 2 for pixels in missing]
    after = [pixels - first for pixels, first in zip(missing, before, strict=True)]
    return {"strides": layer.strides, "padding": (*before, *after)}


def _array(variable) -> np.ndarray:
    return keras.ops.convert_to_numpy(variable).astype("f4")


_STEPS = {
    "InputLayer": lambda layer, shape: [("input", {}, {})],
    **dict.fromkeys(IDLE, _idle),
    "Conv2D": _linear,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "Dense": _linear,
    "Rescaling": _scale,
    "BatchNormalization": _norm,
    "Add": lambda layer, shape: [("add", {}, {})],
    "MaxPooling2D": _max_pool,
    "AveragePooling2D": _average_pool,
    "GlobalAveragePooling2D": lambda layer, shape: [("global_average", {}, {})],
    "Flatten": lambda layer, shape: [("reshape", {}, {})],
    "Reshape": lambda layer, shape: [("reshape", {}, {})],
    "Activation": _activation,
    "ReLU": _relu,
    "Softmax": _softmax,
}
