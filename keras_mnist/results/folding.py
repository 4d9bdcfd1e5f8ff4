"""A trained network for prediction alone: batch norms and other scalings are folded into convolutions."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np

from keras_mnist.models.analysis import calls, graph_of
from keras_mnist.utils.lazy import keras

LINEAR = ("Conv2D", "Dense")
# Linear as well; they take what comes after them into their kernel, but nothing that comes before.
SEPARABLE = ("DepthwiseConv2D", "SeparableConv2D")
# Layers that do nothing at all in prediction.
IDLE = ("Dropout", "SpatialDropout2D")


def kind_of(layer: keras.Layer) -> str:
    """The name of one of Keras's own kinds of layer; "" for what is derived from them: it may compute anything else."""
    kind = type(layer)
    return kind.__name__ if getattr(keras.layers, kind.__name__, None) is kind else ""


@dataclasses.dataclass
class _Value:
    """scale * x + offset for each channel, where x is a tensor or what a linear layer, not yet made, gives."""

    tensor: keras.KerasTensor
    scale: np.ndarray | float = 1.0
    offset: np.ndarray | float = 0.0
    name: str | None = None  # of the last layer whose work scale and offset do
    layer: keras.layers.Layer | None = None  # takes `tensor`, with these kernels, of which the last gives the channels
    kernels: tuple[np.ndarray, ...] = ()
    bias: np.ndarray | None = None

    def changed(self, scale, offset, name: str) -> _Value:
        """This value times scale plus offset."""
        return dataclasses.replace(self, scale=self.scale * scale, offset=self.offset * scale + offset, name=name)

    def made(self) -> keras.KerasTensor:
        """The value as a tensor; linear layers take scale and offset into their kernel and bias."""
        if self.layer is not None:
            layer = _with_bias(self.layer)
            result = layer(self.tensor)
            *first, last = self.kernels
            scale = np.broadcast_to(self.scale, self.bias.shape)
            last = (last.reshape(-1, len(scale)) * scale).reshape(last.shape)
            layer.set_weights([*first, last, self.bias * scale + self.offset])
            return result
        if np.all(self.scale == 1) and np.all(self.offset == 0):
            return self.tensor
        scale, offset = (np.broadcast_to(part, self.tensor.shape[-1]).tolist() for part in (self.scale, self.offset))
        return keras.layers.Rescaling(scale, offset, name=self.name)(self.tensor)


def _with_bias(layer):
    """A layer that computes what a linear layer does, with a bias, its weights still to be set."""
    if isinstance(layer, keras.layers.Dense):
        return keras.layers.Dense(layer.units, layer.activation, name=layer.name)
    same = "kernel_size", "strides", "padding", "dilation_rate", "activation", "name"
    same += ("depth_multiplier",) if kind_of(layer) in SEPARABLE else ("groups",)
    same += () if isinstance(layer, keras.layers.DepthwiseConv2D) else ("filters",)
    return type(layer)(**{name: getattr(layer, name) for name in same})


def fold(model: keras.Model) -> keras.Model:
    """A model that predicts what `model` does, without batch norms wherever a neighbour can do their work.

    What cannot be folded exactly stays as it is: whole models that are no graph of layers from one image to one result,
    layers that are called with more than one tensor, all that does not compute in float32 with the channels last. A
    norm before a convolution that pads with zeros stays, as one product and one sum: zeros of its result are not zeros
    of its input. So does a norm after a layer that is called more than once: two numbers a channel for each call are
    fewer than a kernel for each.
    """
    graph = graph_of(model)
    if graph is None or len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return model
    nodes = calls(graph)
    times = collections.Counter(node.operation for node in nodes)
    readers = collections.Counter(id(tensor) for node in nodes for tensor in node.input_tensors)
    values: dict[int, _Value] = {}
    for node in nodes:
        if node.is_input:
            given = node.outputs[0]
            image = keras.Input(batch_shape=given.shape, dtype=given.dtype, name=node.operation.name)
            values[id(given)] = _Value(image)
            continue
        value = _folded(node, values[id(node.input_tensors[0])]) if times[node.operation] == 1 else None
        if value is None:
            made = keras.tree.flatten(_called_again(node, values))
            values |= {id(given): _Value(tensor) for given, tensor in zip(node.outputs, made, strict=True)}
        else:
            values[id(node.outputs[0])] = value if readers[id(node.outputs[0])] < 2 else _Value(value.made())
    return keras.Model(image, values[id(graph.outputs[0])].made(), name=model.name)


def _called_again(node, values: dict[int, _Value]):
    """What the operation of a call, the same one with its own weights, gives for the new values."""
    args, kwargs = node.arguments.fill_in({id(tensor): values[id(tensor)].made() for tensor in node.input_tensors})
    kwargs.pop("training", None)  # a model that predicts overrules it
    return node.operation(*args, **kwargs)


def _folded(node, value: _Value) -> _Value | None:
    """The result of a call whose work can be done with its neighbours'; None for any other."""
    layer, tensors = node.operation, [*node.input_tensors, *node.outputs]
    plain = len(tensors) == 2 and all(tensor.dtype == "float32" for tensor in tensors)
    if not plain or getattr(layer, "data_format", "channels_last") != "channels_last":
        return None
    kind = kind_of(layer)
    if kind in IDLE:
        return value
    if kind in LINEAR:
        return _linear(layer, value)
    if kind in SEPARABLE:
        return _separable(layer, _Value(value.made()))
    if kind == "GlobalAveragePooling2D":
        return _pooled(layer, value)
    if kind in ("BatchNormalization", "Rescaling"):
        return _scaled(layer, value, node.outputs[0].shape)
    return None


def _scaled(layer, value: _Value, shape: tuple) -> _Value | None:
    """The value changed by a norm or a rescaling, where it does one finite thing to each channel of the last axis."""
    if isinstance(layer, keras.layers.Rescaling):
        scale, offset = np.float64(layer.scale), np.float64(layer.offset)
    elif layer.axis not in (-1, len(shape) - 1):
        return None
    else:
        gain, centre = layer.gamma if layer.scale else 1.0, layer.beta if layer.center else 0.0
        scale = np.float64(gain) / np.sqrt(np.float64(layer.moving_variance) + layer.epsilon)
        offset = np.float64(centre) - np.float64(layer.moving_mean) * scale
    exact = all(part.shape in ((), (1,), shape[-1:]) and np.all(np.isfinite(part)) for part in (scale, offset))
    return value.changed(scale, offset, layer.name) if exact else None


def _pooled(layer, value: _Value) -> _Value:
    """Average pooling of x, with scale and offset still to come."""
    if value.layer is not None:
        value = _Value(value.made())
    return dataclasses.replace(value, tensor=layer(value.tensor))


def _linear(layer, value: _Value) -> _Value | None:
    """A linear layer that takes the scale and offset of its input into its kernel and bias, where that is exact."""
    if layer.quantization_mode is not None:
        return None
    kernel = np.float64(layer.kernel)
    bias = np.float64(layer.bias) if layer.use_bias else np.zeros(kernel.shape[-1])
    convolution = isinstance(layer, keras.layers.Conv2D)
    padded = convolution and layer.padding == "same" and max(layer.kernel_size) > 1
    grouped = convolution and layer.groups > 1
    if value.layer is not None or grouped or (padded and np.any(value.offset != 0)):
        value = _Value(value.made())
    # (..., inputs, outputs): what a scale of an input does to the whole kernel.
    offset = np.broadcast_to(value.offset, kernel.shape[-2]).astype(np.float64)
    bias = bias + np.einsum("pio,i->o", kernel.reshape(-1, *kernel.shape[-2:]), offset)
    kernel = kernel * np.broadcast_to(value.scale, kernel.shape[-2])[:, None]
    return _until_activation(_Value(value.tensor, layer=layer, kernels=(kernel,), bias=bias))


def _separable(layer, value: _Value) -> _Value:
    """A depthwise or separable convolution of a tensor."""
    kernels = tuple(np.float64(weight) for weight in layer.weights if weight is not layer.bias)
    bias = np.float64(layer.bias) if layer.use_bias else np.zeros(layer.compute_output_shape(value.tensor.shape)[-1])
    return _until_activation(_Value(value.tensor, layer=layer, kernels=kernels, bias=bias))


def _until_activation(value: _Value) -> _Value:
    """The value, made where the layer has an activation: what comes after that cannot be done before it."""
    return value if value.layer.activation is keras.activations.linear else _Value(value.made())
