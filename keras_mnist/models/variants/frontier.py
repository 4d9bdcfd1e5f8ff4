"""The frontier: networks of our own, chosen on held-out training images (docs/tuning.md, docs/frontier.md)."""

from keras_mnist.models import blocks
from keras_mnist.models.blocks import batch_norm, conv, max_pool, relu
from keras_mnist.models.registry import variant
from keras_mnist.recipe import TUNED

# Small batches and a teacher, and all epochs, as in the search.
TINY = TUNED.with_settings(batch_size=64, teacher="swift", teacher_share=0.9, target_accuracy=None)
DISTORTED = TINY.with_settings(elastic_alpha=20, elastic_sigma=4)
# The teacher of tiny_8k and its pupil: convolutions of all channels, whose gradients need no clipping.
WIDE = TUNED.with_settings(
    epochs=20, batch_size=64, global_clipnorm=0, elastic_alpha=10, elastic_sigma=4, target_accuracy=None
)
TAUGHT = DISTORTED.with_settings(teacher="wide_30k", global_clipnorm=0)


@variant(params=14_282, source="this repository, docs/performance.md")
def swift(*, num_classes=10, classifier_activation="softmax", name="swift"):
    """The fastest to 99.4 % on MNIST on a CPU: pooled before the norm, so that little is left to normalise.

    (28, 28, 1) -> (13, 13, 16) -> (11, 11, 16) -> (4, 4, 24) -> (2, 2, 32) -> (128,) -> (10,)
    """
    image, x = blocks.image_input()
    x = _pooled(conv(x, 16, name="block1_conv1", padding="valid"), block=1, gain=1.0)
    x = blocks.conv_bn_relu(x, 16, name="block2_conv1", padding="valid")
    x = _pooled(conv(x, 24, name="block2_conv2", padding="valid"), block=2, gain=1.0)
    x = blocks.conv_bn_relu(x, 32, name="block3_conv1", padding="valid")
    x = blocks.linear_head(x, num_classes)
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(params=29_136, source="this repository, docs/frontier.md", tuned=WIDE)
def wide_30k(*, num_classes=10, classifier_activation="softmax", name="wide_30k"):
    """The teacher of tiny_8k: a published network of 7,496 parameters, with twice as many channels.

    (28, 28, 1) -> (12, 12, 32) -> (6, 6, 40) -> (1, 1, 32) -> (10,)
    """
    image, x = _unpadded((16, 32), 16, (24, 32, 40))
    x = blocks.conv_bn_relu(blocks.average_pool(x), 32, 1, name="block2_point2")
    logits = blocks.linear_head(x, num_classes, bias=False)
    return blocks.classifier(image, logits, activation=classifier_activation, name=name)


@variant(params=7_760, source="this repository, docs/frontier.md", tuned=TAUGHT)
def tiny_8k(*, num_classes=10, classifier_activation="softmax", name="tiny_8k"):
    """Under 8,000 parameters: five 3x3 convolutions of all channels, two before pooling, and a weighted pooling.

    (28, 28, 1) -> (12, 12, 16) -> (6, 6, 22) -> (1, 1, 22) -> (10,)
    """
    image, x = _unpadded((8, 16), 8, (12, 16, 22))
    return _classifier(image, x, num_classes, classifier_activation, name)


@variant(params=3_772, source="this repository, docs/frontier.md", tuned=DISTORTED)
def tiny_4k(*, num_classes=10, classifier_activation="softmax", name="tiny_4k"):
    """Under 4,000 parameters: five residual separable convolutions, most of them at 7x7, and a weighted pooling.

    (28, 28, 1) -> (14, 14, 12) -> (7, 7, 22) -> (1, 1, 22) -> (10,)
    """
    image, x = _widened(12, 2, 22)
    return _classifier(image, x, num_classes, classifier_activation, name)


@variant(params=1_973, source="this repository, docs/frontier.md", tuned=TINY)
def tiny_2k(*, num_classes=10, classifier_activation="softmax", name="tiny_2k"):
    """Under 2,000 parameters: tiny_4k with fewer channels, and one residual convolution more.

    (28, 28, 1) -> (14, 14, 8) -> (7, 7, 13) -> (1, 1, 13) -> (10,)
    """
    image, x = _widened(8, 3, 13)
    return _classifier(image, x, num_classes, classifier_activation, name)


@variant(params=990, source="this repository, docs/frontier.md", tuned=TINY.with_settings(epochs=30, plain_epochs=12))
def tiny_1k(*, num_classes=10, classifier_activation="softmax", name="tiny_1k"):
    """Under 1,000 parameters: two separable convolutions, applied six times and twice, and a weighted pooling.

    (28, 28, 1) -> (14, 14, 11) -> (7, 7, 11) -> (1, 1, 11) -> (10,)
    """
    image, x = _stem(11)
    x = blocks.shared_residual(x, 6, name="block1_shared", pre_activation=True)
    x = max_pool(x, name="block2_pool")
    x = blocks.shared_residual(x, 2, name="block2_shared", pre_activation=True)
    return _classifier(image, x, num_classes, classifier_activation, name)


def _stem(filters: int):
    """The image, and its first convolution, pooled: (14, 14, filters)."""
    image, x = blocks.image_input()
    return image, _pooled(conv(x, filters, name="block1_conv1"), block=1)


def _unpadded(first: tuple[int, ...], fewer: int, second: tuple[int, ...]):
    """The image, two convolutions, pooling, a 1x1 one to fewer channels and three more: (6, 6, second[-1])."""
    image, x = blocks.image_input()
    x = max_pool(_valid(x, first, block=1), name="block1_pool")
    x = blocks.conv_bn_relu(x, fewer, 1, name="block2_point1")
    return image, _valid(x, second, block=2)


def _valid(x, filters: tuple[int, ...], block: int):
    """One convolution after the other, without padding: each makes height and width two pixels smaller."""
    for number, count in enumerate(filters, start=1):
        x = blocks.conv_bn_relu(x, count, name=f"block{block}_conv{number}", padding="valid")
    return x


def _widened(filters: int, residuals: int, wider: int):
    """The image, so many residual convolutions at 14x14, and three of more channels at 7x7: (7, 7, wider)."""
    image, x = _stem(filters)
    x = blocks.separable_residuals(x, residuals, name="block1_residual", pre_activation=True)
    x = _pooled(blocks.separable_layer(filters, wider, name="block2_widen")(x), block=2)
    return image, blocks.separable_residuals(x, 3, name="block2_residual", pre_activation=True)


def _pooled(x, block: int, gain: float | None = None):
    """The largest of each 2x2 pixels, a norm and ReLU; a norm without a gain leaves it to the next kernel."""
    x = max_pool(x, name=f"block{block}_pool")
    return relu(batch_norm(x, name=f"block{block}_bn", gain=gain), name=f"block{block}_relu")


def _classifier(image, x, num_classes: int, activation, name: str):
    """The weighted pooling of each channel, and a linear layer without bias."""
    logits = blocks.linear_head(blocks.weighted_pool(x, name="weighted_pool"), num_classes, bias=False)
    return blocks.classifier(image, logits, activation=activation, name=name)
