"""The conv_iterations study: pooling early, 1x1 convolutions, a linear head, from 26,714 to 18,422 parameters.

What the document calls its test set is the 60,000 augmented training images: its logs print x/60000. No accuracy on
the 10,000 test images is given anywhere. The structure that it sketches has a third batch norm, which its own counts of
parameters and layers exclude.
"""

from keras_mnist.models import blocks
from keras_mnist.models.blocks import conv_bn_relu, conv_relu, dropout, max_pool
from keras_mnist.models.registry import Claim, variant
from keras_mnist.recipe import Augmentation, Recipe, Schedule

SOURCE = "MNIST Digit Recognition (github.com/rraghu214/mnist_digit_recognition)"
STEP = Recipe(
    epochs=20,
    batch_size=64,
    optimizer="adam",
    learning_rate=0.002,
    schedule=Schedule("step", step_epochs=15, reduction_factor=0.1),
    augmentation=Augmentation(crop_pixels=22, crop_probability=0.1, rotation_degrees=15),
)


@variant(
    params=26_714,
    recipe=STEP.with_settings(epochs=1, learning_rate=0.001),
    source=f"{SOURCE}, iteration 1",
    claim=Claim(0.821, epochs=1, images="train", note="its notebook logs 97.02 %"),
    assumed=("learning rate 0.001",),
)
def iter1_base(*, num_classes=10, classifier_activation="softmax", name="iter1_base"):
    """Pooling after each convolution, 1x1 convolutions, a linear head.

    (28, 28, 1) -> (14, 14, 16) -> (7, 7, 32) -> (7, 7, 32) -> (1568,) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_relu(x, 16, name="block1_conv1", bias=True)
    x = max_pool(x, name="block1_pool")
    x = conv_relu(x, 32, name="block2_conv1", bias=True)
    x = max_pool(x, name="block2_pool")
    x = conv_relu(x, 16, 1, name="transition1", bias=True)
    x = conv_relu(x, 32, name="block3_conv1", bias=True)
    x = conv_relu(x, 32, 1, name="block3_conv2", bias=True)
    x = blocks.linear_head(x, num_classes)
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=24_210,
    recipe=STEP.with_settings(epochs=5),
    source=f"{SOURCE}, iteration 2",
    claim=Claim(0.9835, epochs=5, images="train"),
)
def iter2_under_25k(*, num_classes=10, classifier_activation="softmax", name="iter2_under_25k"):
    """Fewer kernels in more layers, under 25,000 parameters.

    (28, 28, 1) -> (14, 14, 8) -> (7, 7, 16) -> (7, 7, 32) -> (1568,) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_relu(x, 8, name="block1_conv1", bias=True)
    x = max_pool(x, name="block1_pool")
    x = conv_relu(x, 16, name="block2_conv1", bias=True)
    x = max_pool(x, name="block2_pool")
    x = conv_relu(x, 8, 1, name="transition1", bias=True)
    x = conv_relu(x, 16, name="block3_conv1", bias=True)
    x = conv_relu(x, 16, 1, name="block3_conv2", bias=True)
    x = conv_relu(x, 32, name="block3_conv3", bias=True)
    x = conv_relu(x, 32, 1, name="block3_conv4", bias=True)
    x = blocks.linear_head(x, num_classes)
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=18_374,
    recipe=STEP,
    source=f"{SOURCE}, iteration 3",
    claim=Claim(0.9946, epochs=20, images="train"),
)
def iter3_under_20k(*, num_classes=10, classifier_activation="softmax", name="iter3_under_20k"):
    """Fewer layers, under 20,000 parameters.

    (28, 28, 1) -> (14, 14, 8) -> (7, 7, 16) -> (7, 7, 28) -> (1372,) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_relu(x, 8, name="block1_conv1", bias=True)
    x = max_pool(x, name="block1_pool")
    x = conv_relu(x, 16, name="block2_conv1", bias=True)
    x = max_pool(x, name="block2_pool")
    x = conv_relu(x, 8, 1, name="transition1", bias=True)
    x = conv_relu(x, 32, name="block3_conv1", bias=True)
    x = conv_relu(x, 28, 1, name="block3_conv2", bias=True)
    x = blocks.linear_head(x, num_classes)
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


def _bn_body(x, last_filters):
    """The layers that iterations 4 to 6 have in common: (28, 28, 1) -> (7, 7, last_filters)."""
    x = conv_bn_relu(x, 8, name="block1_conv1", bias=True)
    x = max_pool(x, name="block1_pool")
    x = conv_bn_relu(x, 16, name="block2_conv1", bias=True)
    x = max_pool(x, name="block2_pool")
    x = conv_relu(x, 8, 1, name="transition1", bias=True)
    x = conv_relu(x, 32, name="block3_conv1", bias=True)
    return conv_relu(x, last_filters, 1, name="block3_conv2", bias=True)


@variant(
    params=20_514,
    recipe=STEP,
    source=f"{SOURCE}, iteration 4",
    claim=Claim(0.9958, epochs=20, images="train"),
)
def iter4_bn(*, num_classes=10, classifier_activation="softmax", name="iter4_bn"):
    """Batch norm after the first two convolutions.

    (28, 28, 1) -> (14, 14, 8) -> (7, 7, 16) -> (7, 7, 32) -> (1568,) -> (10,)
    """
    image, x = blocks.image_input()
    x = blocks.linear_head(_bn_body(x, 32), num_classes)
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=18_422,
    recipe=STEP,
    source=f"{SOURCE}, iteration 5",
    claim=Claim(0.9955, epochs=20, images="train"),
)
def iter5_bn_under_20k(*, num_classes=10, classifier_activation="softmax", name="iter5_bn_under_20k"):
    """Batch norm under 20,000 parameters, the document's best.

    (28, 28, 1) -> (14, 14, 8) -> (7, 7, 16) -> (7, 7, 28) -> (1372,) -> (10,)
    """
    image, x = blocks.image_input()
    x = blocks.linear_head(_bn_body(x, 28), num_classes)
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=18_422,
    recipe=STEP,
    source=f"{SOURCE}, iteration 6",
    claim=Claim(0.992, epochs=20, images="train"),
)
def iter6_fc_dropout(*, num_classes=10, classifier_activation="softmax", name="iter6_fc_dropout"):
    """Half of the values dropped before the linear head.

    (28, 28, 1) -> (14, 14, 8) -> (7, 7, 16) -> (7, 7, 28) -> (1372,) -> (10,)
    """
    image, x = blocks.image_input()
    x = blocks.linear_head(_bn_body(x, 28), num_classes, dropout_rate=0.5)
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=18_422,
    recipe=STEP,
    source=f"{SOURCE}, iteration 7",
    claim=Claim(0.9864, epochs=20, images="train"),
)
def iter7_dropout(*, num_classes=10, classifier_activation="softmax", name="iter7_dropout"):
    """Dropout after every block, growing from 0.1 to 0.5.

    (28, 28, 1) -> (14, 14, 8) -> (7, 7, 16) -> (7, 7, 28) -> (1372,) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_bn_relu(x, 8, name="block1_conv1", bias=True)
    x = max_pool(x, name="block1_pool")
    x = dropout(x, 0.1, name="block1_dropout")
    x = conv_bn_relu(x, 16, name="block2_conv1", bias=True)
    x = max_pool(x, name="block2_pool")
    x = dropout(x, 0.2, name="block2_dropout")
    x = conv_relu(x, 8, 1, name="transition1", bias=True)
    x = conv_relu(x, 32, name="block3_conv1", bias=True)
    x = dropout(x, 0.3, name="block3_dropout")
    x = conv_relu(x, 28, 1, name="block3_conv2", bias=True)
    x = blocks.linear_head(x, num_classes, dropout_rate=0.5)
    return blocks.classifier(image, x, activation=classifier_activation, name=name)
