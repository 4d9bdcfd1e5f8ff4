"""A trained network for reading alone: batch norm, and all else that is a factor a channel, inside the convolutions."""

from __future__ import annotations

import collections
import dataclasses
import itertools

import keras
import numpy as np

from keras_mnist.models.analysis import layer_sources

LINEAR = (keras.layers.Conv2D, keras.layers.Dense)
# Layers that do the same to a + b * x as to x, or nothing at all when reading.
TRANSPARENT = (keras.layers.Dropout, keras.layers.SpatialDropout2D, keras.layers.GlobalAveragePooling2D)


@dataclasses.dataclass
class _Value:
    """scale * x + offset for each channel, where x is a tensor or what a linear layer, not yet made, gives."""

    tensor: keras.KerasTensor
    scale: np.ndarray | float = 1.0
    offset: np.ndarray | float = 0.0
    layer: keras.layers.Layer | None = None  # reads `tensor`, with this kernel and bias
    kernel: np.ndarray | None = None
    bias: np.ndarray | None = None

    def changed(self, scale, offset) -> _Value:
        """This value times scale plus offset."""
        return dataclasses.replace(self, scale=self.scale * scale, offset=self.offset * scale + offset)

    def made(self) -> keras.KerasTensor:
        """The value as a tensor; linear layers take scale and offset into their kernel and bias."""
        if self.layer is not None:
            config = self.layer.get_config() | {"use_bias": True}
            layer = type(self.layer).from_config(config)
            result = layer(self.tensor)
            layer.set_weights([self.kernel * self.scale, self.bias * self.scale + self.offset])
            return result
        if np.all(self.scale == 1) and np.all(self.offset == 0):
            return self.tensor
        scale, offset = (np.broadcast_to(part, self.tensor.shape[-1]).tolist() for part in (self.scale, self.offset))
        return keras.layers.Rescaling(scale, offset)(self.tensor)


def fold(model: keras.Model) -> keras.Model:
    """A model that gives what `model` gives when it reads, without batch norms wherever a neighbour can do their work.

    A norm before a convolution that pads with zeros stays, as one product and one sum: zeros of its result are not
    zeros of its input.
    """
    values: dict[str, _Value] = {}
    sources = layer_sources(model)
    readers = collections.Counter(itertools.chain(*sources.values()))
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            image = keras.Input(layer.batch_shape[1:], dtype=layer.dtype, name=layer.name)
            values[layer.name] = _Value(image)
        else:
            value = _folded(layer, [values[name] for name in sources[layer.name]])
            values[layer.name] = value if readers[layer.name] < 2 else _Value(value.made())
    return keras.Model(image, values[model.layers[-1].name].made(), name=model.name)


def _folded(layer, inputs: list[_Value]) -> _Value:
    value = inputs[0]
    match layer:
        case keras.layers.BatchNormalization():
            gamma, beta, mean, variance = (np.float64(weight) for weight in layer.get_weights())
            scale = gamma / np.sqrt(variance + layer.epsilon)
            return value.changed(scale, beta - mean * scale)
        case keras.layers.Rescaling():
            return value.changed(layer.scale, layer.offset)
        case _ if isinstance(layer, LINEAR):
            return _linear(layer, value)
        case _ if isinstance(layer, TRANSPARENT):
            if isinstance(layer, keras.layers.GlobalAveragePooling2D):
                return _pooled(layer, value)
            return value
    tensors = [each.made() for each in inputs]
    return _Value(type(layer).from_config(layer.get_config())(tensors if len(tensors) > 1 else tensors[0]))


def _pooled(layer, value: _Value) -> _Value:
    """Average pooling of x, with scale and offset still to come."""
    if value.layer is not None:
        value = _Value(value.made())
    tensor = type(layer).from_config(layer.get_config())(value.tensor)
    return dataclasses.replace(value, tensor=tensor)


def _linear(layer, value: _Value) -> _Value:
    """A linear layer that takes the scale and offset of its input into its kernel and bias, where that is exact."""
    kernel = np.float64(layer.kernel)
    bias = np.float64(layer.bias) if layer.use_bias else np.zeros(kernel.shape[-1])
    padded = isinstance(layer, keras.layers.Conv2D) and layer.padding == "same" and max(layer.kernel_size) > 1
    if value.layer is not None or (padded and np.any(value.offset != 0)):
        value = _Value(value.made())
    # (..., inputs, outputs): what a scale of an input does to all places of the kernel.
    offset = np.broadcast_to(value.offset, kernel.shape[-2]).astype(np.float64)
    bias = bias + np.einsum("pio,i->o", kernel.reshape(-1, *kernel.shape[-2:]), offset)
    kernel = kernel * np.broadcast_to(value.scale, kernel.shape[-2])[:, None]
    return _Value(value.tensor, layer=layer, kernel=kernel, bias=bias)
