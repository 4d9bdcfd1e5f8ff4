"""Networks in one line, from the image to the digit: "conv 10, separable 16, pool, shared 16 x3, average, dense".

A part is a word, its channels where it has a choice of them, "x" and a number of passes, and options:

    conv 10              3x3 convolution, norm, ReLU
    point 10             1x1 convolution, norm, ReLU
    separable 16         3x3 convolution of each channel, 1x1 convolution of all, norm, ReLU
    pointwise_first 16   the same two in the other order
    shared 16 x3         one separable convolution applied three times, each time with a norm of its own, added to its
                         input; it keeps the channels
    residual 16 x3       the same with three convolutions
    pool                 the largest of each 2x2 pixels
    average              the mean of each channel
    weighted             a sum of each channel, with a weight for each row and each column, that begins as the mean
    dense                the linear layer to the ten digits

Convolutions keep the image's size, and norms have offsets alone; the option "valid" (conv) leaves the edge out, "gain"
(conv, point, separable, pointwise_first) gives the norm a gain, "pooled" (the same four) pools before the norm, where
less is left to normalise, "preactivated" (shared, residual) has the ReLU before the convolution, so that what is
added may be negative, and "unbiased" is a dense layer without a bias.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from keras_mnist.errors import UsageError
from keras_mnist.models import blocks
from keras_mnist.models.analysis import trainable_parameters
from keras_mnist.models.registry import Variant
from keras_mnist.utils.lazy import keras


class Part(NamedTuple):
    """One part of a notation, and the name that its layers get."""

    kind: str
    channels: int | None
    passes: int | None
    options: tuple[str, ...]
    name: str

    @property
    def gain(self) -> float | None:
        """Where the norm's gain begins; None for a norm without."""
        return 1.0 if "gain" in self.options else None

    @property
    def pre_activation(self) -> bool:
        """Whether its ReLU comes before its convolution."""
        return "preactivated" in self.options

    @property
    def pools(self) -> bool:
        """Whether the image is halved by it."""
        return self.kind == "pool" or "pooled" in self.options


def _conv(x, part: Part, kernel: int = 3):
    padding = "valid" if "valid" in part.options else "same"
    x = blocks.conv(x, part.channels, kernel, name=part.name, padding=padding)
    return _norm_relu(x, part)


def _norm_relu(x, part: Part):
    if part.pools:
        x = blocks.max_pool(x, name=f"{part.name}_pool")
    return blocks.relu(blocks.batch_norm(x, name=f"{part.name}_bn", gain=part.gain), name=f"{part.name}_relu")


def _separable(x, part: Part):
    return _norm_relu(blocks.separable_layer(x.shape[-1], part.channels, name=part.name)(x), part)


def _pointwise_first(x, part: Part):
    return _norm_relu(blocks.pointwise_first(x, part.channels, name=part.name), part)


def _shared(x, part: Part):
    return blocks.shared_residual(_of(x, part), part.passes or 1, name=part.name, pre_activation=part.pre_activation)


def _residual(x, part: Part):
    x, name = _of(x, part), f"{part.name}_"
    return blocks.separable_residuals(x, part.passes or 1, name=name, pre_activation=part.pre_activation)


def _of(x, part: Part):
    """The input of a part that keeps its channels."""
    if x.shape[-1] != part.channels:
        raise UsageError(
            f"{part.kind} {part.channels} follows {x.shape[-1]} channels, expected as many; add a separable"
        )
    return x


class Kind(NamedTuple):
    """What a word stands for: what it makes of a tensor, whether it names channels and passes, and its options."""

    build: object
    channels: bool = False
    passes: bool = False
    options: tuple[str, ...] = ()


KINDS = {
    "conv": Kind(_conv, channels=True, options=("valid", "gain", "pooled")),
    "point": Kind(functools.partial(_conv, kernel=1), channels=True, options=("gain", "pooled")),
    "separable": Kind(_separable, channels=True, options=("gain", "pooled")),
    "pointwise_first": Kind(_pointwise_first, channels=True, options=("gain", "pooled")),
    "shared": Kind(_shared, channels=True, passes=True, options=("preactivated",)),
    "residual": Kind(_residual, channels=True, passes=True, options=("preactivated",)),
    "pool": Kind(lambda x, part: blocks.max_pool(x, name=part.name)),
    "average": Kind(lambda x, part: blocks.average_pool(x, name=part.name)),
    "weighted": Kind(lambda x, part: blocks.weighted_pool(x, name=part.name)),
}
PART = re.compile(r"(?P<kind>[a-z_]+)( (?P<channels>[1-9]\d*))?( x(?P<passes>[1-9]\d*))?(?P<options>( [a-z]+)*)")


def parse(notation: str) -> list[Part]:
    """The parts of a notation but its last word, the dense layer's.

    Raises: UsageError that names the part that is not understood.
    """
    parts, block, counts = [], 1, {}
    *texts, last = [" ".join(text.split()) for text in notation.split(",")]
    if last not in ("dense", "dense unbiased"):
        raise UsageError(f"the notation ends with {last!r}, expected dense, or dense unbiased")
    for text in texts:
        found = PART.fullmatch(text)
        kind = KINDS.get(found["kind"]) if found else None
        options = tuple(found["options"].split()) if found else ()
        fits = kind and bool(found["channels"]) == kind.channels and (kind.passes or not found["passes"])
        if not fits or not set(options) <= set(kind.options) or len(set(options)) < len(options):
            raise UsageError(
                f"{text!r} is no part of a network, expected one such as 'conv 8' or 'shared 16 x3'; "
                f"known are {', '.join(KINDS)} and dense"
            )
        counts[block, found["kind"]] = number = counts.get((block, found["kind"]), 0) + 1
        name = f"block{block}_{found['kind'].replace('_', '')}{number}"
        channels, passes = (int(found[group]) if found[group] else None for group in ("channels", "passes"))
        parts.append(Part(found["kind"], channels, passes, options, name))
        block += parts[-1].pools
    return parts


def build(notation: str, *, num_classes: int = 10, classifier_activation: str | None = "softmax") -> keras.Model:
    """The network of a notation: raw pixels (28, 28, 1) -> (num_classes,).

    Raises: UsageError if it is no notation, or its parts do not fit together.
    """
    parts = parse(notation)
    image, x = blocks.image_input()
    for part in parts:
        try:
            x = KINDS[part.kind].build(x, part)
        except UsageError:
            raise
        except ValueError as error:  # Keras's, of an image that became too small
            size = f"{x.shape[1]}x{x.shape[2]}"
            raise UsageError(
                f"{part.kind} does not fit an image of {size}, expected a larger one; pool less"
            ) from error
    logits = blocks.linear_head(x, num_classes, bias=not notation.endswith("unbiased"))
    return blocks.classifier(image, logits, activation=classifier_activation, name="candidate")


def variant(notation: str) -> Variant:
    """A notation as what a training run takes."""
    builder = functools.partial(build, notation)
    return Variant(
        "candidate", builder, trainable_parameters(builder()), None, "this repository, docs/frontier.md", None
    )
