"""What two variants or more share: layers with the conventions of this package, named by where they stand."""

from __future__ import annotations

from keras_mnist import conventions
from keras_mnist.utils.lazy import keras


def image_input():
    """Raw 0..255 pixels (28, 28, 1) and the same normalised: (image tensor, normalised tensor)."""
    image = keras.Input((28, 28, 1), name="image")
    scale = 1 / (255 * conventions.PIXEL_DEVIATION)
    offset = -conventions.PIXEL_MEAN / conventions.PIXEL_DEVIATION
    return image, keras.layers.Rescaling(scale, offset, name="normalize")(image)


def _initializer(fan_in: int):
    """How weights with so many inputs begin; see conventions.py."""
    bound = conventions.uniform_bound(fan_in)
    return keras.initializers.RandomUniform(-bound, bound)


def _uniform(fan_in: int) -> dict:
    """Initialisers for kernel and bias."""
    return {"kernel_initializer": _initializer(fan_in), "bias_initializer": _initializer(fan_in)}


def conv(x, filters: int, kernel: int = 3, *, name: str, padding: str = "same", bias: bool = False):
    """A convolution, without an activation."""
    return keras.layers.Conv2D(
        filters, kernel, padding=padding, use_bias=bias, name=name, **_uniform(kernel * kernel * x.shape[-1])
    )(x)


def batch_norm(x, *, name: str, gain: float | None = 1.0):
    """Batch normalisation over all but the channels; `gain` is where its gain begins, None for a norm without."""
    options = {"scale": False} if gain is None else {"gamma_initializer": keras.initializers.Constant(gain)}
    return keras.layers.BatchNormalization(
        momentum=conventions.BATCH_NORM_MOMENTUM,
        epsilon=conventions.BATCH_NORM_EPSILON,
        name=name,
        **(options if gain != 1 else {}),
    )(x)


def relu(x, *, name: str):
    """Rectified linear unit."""
    return keras.layers.ReLU(name=name)(x)


def dropout(x, rate: float, *, name: str):
    """Dropout of single values, a share `rate` of them."""
    return keras.layers.Dropout(rate, name=name)(x)


def spatial_dropout(x, rate: float, *, name: str):
    """Dropout of whole maps, a share `rate` of them."""
    return keras.layers.SpatialDropout2D(rate, name=name)(x)


def max_pool(x, *, name: str):
    """The largest of each 2x2 pixels."""
    return keras.layers.MaxPooling2D(2, name=name)(x)


def conv_relu(x, filters: int, kernel: int = 3, *, name: str, **options):
    """Convolution, ReLU."""
    return relu(conv(x, filters, kernel, name=name, **options), name=f"{name}_relu")


def conv_bn_relu(x, filters: int, kernel: int = 3, *, name: str, **options):
    """Convolution, batch norm, ReLU."""
    x = batch_norm(conv(x, filters, kernel, name=name, **options), name=f"{name}_bn")
    return relu(x, name=f"{name}_relu")


def separable_layer(inputs: int, filters: int, *, name: str):
    """A 3x3 convolution of each channel and a 1x1 convolution of them all as one layer, without bias, that keeps size.

    It may be called more than once, on (height, width, inputs): each time it gives (height, width, filters).
    """
    return keras.layers.SeparableConv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        depthwise_initializer=_initializer(9),
        pointwise_initializer=_initializer(inputs),
        name=name,
    )


def pointwise_first(x, filters: int, *, name: str):
    """A 1x1 convolution of all channels, then a 3x3 one of each, without biases: (height, width, filters)."""
    x = conv(x, filters, 1, name=f"{name}_point")
    return keras.layers.DepthwiseConv2D(
        3, padding="same", use_bias=False, depthwise_initializer=_initializer(9), name=name
    )(x)


def shared_residual(x, passes: int, *, name: str, pre_activation: bool = False):
    """One separable convolution applied `passes` times, each time with a norm of its own, and added to its input.

    The norms' gains begin at 0.1, so that at first a pass changes little: (height, width, channels) stays. With
    `pre_activation` the ReLU comes before the convolution, so that what is added may be negative, else after the norm.
    """
    layer = separable_layer(x.shape[-1], x.shape[-1], name=name)
    for number in range(1, passes + 1):
        norm, active = f"{name}_bn{number}", f"{name}_relu{number}"
        if pre_activation:
            branch = batch_norm(layer(relu(x, name=active)), name=norm, gain=0.1)
        else:
            branch = relu(batch_norm(layer(x), name=norm, gain=0.1), name=active)
        x = residual(x, branch, name=f"{name}_add{number}")
    return x


def separable_residuals(x, count: int, *, name: str, pre_activation: bool = False):
    """So many residual separable convolutions, each with a kernel of its own: (height, width, channels) stays."""
    for number in range(1, count + 1):
        x = shared_residual(x, 1, name=f"{name}{number}", pre_activation=pre_activation)
    return x


def residual(x, branch, *, name: str):
    """Identity skip connection: the input of a branch added to its output; both have the same shape."""
    return keras.layers.Add(name=name)([x, branch])


def average_pool(x, *, name: str = "average_pool"):
    """Global average pooling that keeps a 1x1 image: (height, width, channels) -> (1, 1, channels)."""
    return keras.layers.GlobalAveragePooling2D(keepdims=True, name=name)(x)


def weighted_pool(x, *, name: str):
    """The sum of each channel with a weight for each row and each column, that begins as the mean.

    (height, width, channels) -> (1, 1, channels)
    """
    height, width = x.shape[1:3]
    for side, window in (("rows", (height, 1)), ("columns", (1, width))):
        begin = keras.initializers.Constant(1 / max(window))
        x = keras.layers.DepthwiseConv2D(window, use_bias=False, depthwise_initializer=begin, name=f"{name}_{side}")(x)
    return x


def linear_head(x, num_classes: int, dropout_rate: float | None = None, bias: bool = True):
    """Flatten, dropout where a rate is given, and a linear layer: to (num_classes,)."""
    x = keras.layers.Flatten(name="flatten")(x)
    if dropout_rate is not None:
        x = dropout(x, dropout_rate, name="linear_dropout")
    return keras.layers.Dense(num_classes, use_bias=bias, name="linear", **_uniform(x.shape[-1]))(x)


def classifier(image, logits, *, activation: str | None, name: str):
    """The finished model: logits of any shape with one value a class, flattened, then the activation.

    The activation computes in float32 even where the layers below run in a shorter format.
    """
    if len(logits.shape) > 2:
        logits = keras.layers.Flatten(name="logits")(logits)
    outputs = keras.layers.Activation(activation, dtype="float32", name="predictions")(logits)
    return keras.Model(image, outputs, name=name)
