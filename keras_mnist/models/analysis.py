"""What a network is made of: parameters, mult-adds and receptive field, layer by layer and block by block."""

from __future__ import annotations

import collections
import dataclasses
import functools
import math
from typing import NamedTuple

from keras_mnist.errors import UsageError
from keras_mnist.models.registry import Variant, get_variant, list_variants
from keras_mnist.utils.lazy import keras


@dataclasses.dataclass(frozen=True)
class LayerFacts:
    """One layer of a network.

    mult_adds: multiplications with additions of convolutions and linear layers for one image, biases not counted.
    receptive_field: side in pixels of the square of the image that one output depends on, at most the whole image.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    mult_adds: int
    receptive_field: int

    @property
    def block(self) -> str:
        """The part of the network that it belongs to: its name up to the first underscore."""
        return self.name.partition("_")[0]


class LayerCall(NamedTuple):
    """A layer as a model calls it, and the names of the calls whose results it takes."""

    layer: keras.layers.Layer
    sources: tuple[str, ...]


def trainable_parameters(layer) -> int:
    """Weights of a layer or model that training changes, batch norm's gain and offset included."""
    return sum(math.prod(weight.shape) for weight in layer.trainable_weights)


def graph_of(model: keras.Model) -> keras.Model | None:
    """A functional or sequential model as a functional one; None for a model not built or with a `call` of its own."""
    try:
        graph = keras.Model(model.inputs, model.outputs)
    except (AttributeError, ValueError):  # of models that know no inputs
        return None
    return graph if type(model).call in (type(graph).call, keras.Sequential.call) else None


def calls(graph: keras.Model) -> list:
    """The calls of layers and other operations that a functional model is made of, in an order to compute them in.

    A layer may be called more than once, also by other models: its `.output` would not tell.
    """
    depths = graph._nodes_by_depth
    return [node for depth in sorted(depths, reverse=True) for node in depths[depth]]


def _named_calls(model: keras.Model) -> dict[str, object]:
    """The calls of a model by name: the layer's, with a number from its second call on.

    Raises: UsageError if the model is no built graph, or holds other models.
    """
    graph = graph_of(model)
    nodes = calls(graph) if graph else []
    if not nodes or any(isinstance(node.operation, keras.Model) for node in nodes):
        raise UsageError(f"{model.name} is no built graph of layers, expected a model that holds no others")
    named, times = {}, collections.Counter()
    for node in nodes:
        name = node.operation.name
        times[name] += 1
        named[name if times[name] == 1 else f"{name} ({times[name]})"] = node
    once = len(named) == len(graph.layers)
    return {layer.name: named[layer.name] for layer in graph.layers} if once else named


def layer_calls(model: keras.Model) -> dict[str, LayerCall]:
    """The calls of a model's layers by name, in an order to compute them in; the last one gives the result.

    Raises: UsageError if the model is no graph of layers alone.
    """
    nodes = _named_calls(model)
    names = {id(node): name for name, node in nodes.items()}
    if not all(isinstance(node.operation, keras.layers.Layer) for node in nodes.values()):
        raise UsageError(f"{model.name} is no graph of layers alone, expected a model without other operations")
    return {
        name: LayerCall(node.operation, tuple(names[id(parent)] for parent in node.parent_nodes))
        for name, node in nodes.items()
    }


def layer_facts(model: keras.Model) -> list[LayerFacts]:
    """The facts of each call of a layer of a model, in order; parameters count at a layer's first call.

    Raises: UsageError if the model is no built graph, or holds other models.
    """
    nodes = _named_calls(model)
    names = {id(node): name for name, node in nodes.items()}
    image_size, seen = model.input_shape[1], set()
    fields: dict[str, tuple[int, int]] = {}  # of each call's outputs: (field, image pixels between outputs)
    facts = []
    for name, node in nodes.items():
        layer, output_shape = node.operation, tuple(node.outputs[0].shape[1:])
        parents = [fields[names[id(parent)]] for parent in node.parent_nodes]
        fields[name] = _receptive_field(layer, parents, image_size) if parents else (1, 1)
        counted = isinstance(layer, keras.layers.Layer) and layer not in seen
        seen.add(layer)
        facts.append(
            LayerFacts(
                name,
                type(layer).__name__,
                output_shape,
                trainable_parameters(layer) if counted else 0,
                _mult_adds(layer, output_shape),
                min(fields[name][0], image_size),
            )
        )
    return facts


def _receptive_field(layer, parents, image_size: int) -> tuple[int, int]:
    field, spacing = max(parents)
    match layer:
        case keras.layers.Conv2D() | keras.layers.SeparableConv2D() | keras.layers.DepthwiseConv2D():
            return field + (layer.kernel_size[0] - 1) * spacing, spacing * layer.strides[0]
        case keras.layers.MaxPooling2D():
            return field + (layer.pool_size[0] - 1) * spacing, spacing * layer.strides[0]
        case keras.layers.GlobalAveragePooling2D() | keras.layers.Dense():
            return image_size, spacing
        case _:
            return field, spacing


def _mult_adds(layer, output_shape: tuple[int, ...]) -> int:
    match layer:
        case keras.layers.Conv2D() | keras.layers.Dense():
            return math.prod(output_shape) * math.prod(layer.kernel.shape[:-1])
        case keras.layers.DepthwiseConv2D():
            return math.prod(output_shape) * math.prod(layer.kernel_size)
        case keras.layers.SeparableConv2D():
            weights = math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape)
            return math.prod(output_shape[:-1]) * weights
    return 0


def parameters_by_block(facts: list[LayerFacts]) -> dict[str, int]:
    """Trainable parameters of each block that has any."""
    blocks: dict[str, int] = {}
    for fact in facts:
        if fact.parameters:
            blocks[fact.block] = blocks.get(fact.block, 0) + fact.parameters
    return blocks


def size_kb(parameters: int) -> float:
    """The size of so many float32 parameters in kB of 1,024 bytes, as Keras counts."""
    return parameters * 4 / 1024


@functools.cache
def _facts_of(build) -> list[LayerFacts]:
    return layer_facts(build())


def variant_facts(variant: Variant) -> dict:
    """A variant in one row of plain values."""
    facts, claim = _facts_of(variant.build), variant.claim
    return {
        "variant": variant.name,
        "study": variant.study,
        "parameters": sum(fact.parameters for fact in facts),
        "mult_adds": sum(fact.mult_adds for fact in facts),
        "receptive_field_before_head": _field_before_head(facts),
        "size_kb": round(size_kb(sum(fact.parameters for fact in facts)), 1),
        "claimed_accuracy": claim and claim.accuracy,
        "claimed_on": claim and claim.images,
        "claimed_epochs": claim and claim.epochs,
        "title": variant.title,
    }


def _field_before_head(facts: list[LayerFacts]) -> int:
    """The receptive field of the last convolution that looks at more than one pixel."""
    convolutions = [fact for fact in facts if fact.kind.endswith("Conv2D") and fact.output_shape[0] > 1]
    return convolutions[-1].receptive_field


def all_variant_facts() -> list[dict]:
    """One row for each variant, study by study."""
    variants = sorted(map(get_variant, list_variants()), key=lambda variant: variant.study)
    return [variant_facts(variant) for variant in variants]
