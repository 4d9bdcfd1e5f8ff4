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


def _uniform(fan_in: int) -> dict:
    """Initialisers for kernel and bias; see conventions.py."""
    bound = conventions.uniform_bound(fan_in)
    return {
        "kernel_initializer": keras.initializers.RandomUniform(-bound, bound),
        "bias_initializer": keras.initializers.RandomUniform(-bound, bound),
    }


def conv(x, filters: int, kernel: int = 3, *, name: str, padding: str = "same", bias: bool = False):
    """A convolution, without an activation."""
    return keras.layers.Conv2D(
        filters, kernel, padding=padding, use_bias=bias, name=name, **_uniform(kernel * kernel * x.shape[-1])
    )(x)


def batch_norm(x, *, name: str):
    """Batch normalisation over all but the channels."""
    return keras.layers.BatchNormalization(
        momentum=conventions.BATCH_NORM_MOMENTUM, epsilon=conventions.BATCH_NORM_EPSILON, name=name
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


def residual(x, branch, *, name: str):
    """Identity skip connection: the input of a branch added to its output; both have the same shape."""
    return keras.layers.Add(name=name)([x, branch])


def average_pool(x, *, name: str = "average_pool"):
    """Global average pooling that keeps a 1x1 image: (height, width, channels) -> (1, 1, channels)."""
    return keras.layers.GlobalAveragePooling2D(keepdims=True, name=name)(x)


def linear_head(x, num_classes: int, dropout_rate: float | None = None):
    """Flatten, dropout where a rate is given, and a linear layer with bias: to (num_classes,)."""
    x = keras.layers.Flatten(name="flatten")(x)
    if dropout_rate is not None:
        x = dropout(x, dropout_rate, name="linear_dropout")
    return keras.layers.Dense(num_classes, name="linear", **_uniform(x.shape[-1]))(x)


def classifier(image, logits, *, activation: str | None, name: str):
    """The finished model: logits of any shape with one value a class, flattened, then the activation.

    The activation computes in float32 even where the layers below run in a shorter format.
    """
    if len(logits.shape) > 2:
        logits = keras.layers.Flatten(name="logits")(logits)
    outputs = keras.layers.Activation(activation, dtype="float32", name="predictions")(logits)
    return keras.Model(image, outputs, name=name)
