"""The ladder study: from a 20,000-parameter skeleton to 7,550 parameters, one step at a time.

In base_* to bn_dropout_gap normalisation comes before the ReLU, in bn_gap_plain and bn_gap after it.
"""

import dataclasses

from keras_mnist.models import blocks
from keras_mnist.models.blocks import conv, conv_bn_relu, conv_relu, dropout, max_pool
from keras_mnist.models.registry import Claim, variant
from keras_mnist.recipe import Augmentation, Recipe, Schedule, Target

SOURCE = "Designing a CNN for digit classification on MNIST data using PyTorch (github.com/mkthoma/era_v1, session 7)"
PLAIN = Recipe(epochs=15, batch_size=128, optimizer="sgd", learning_rate=0.01, momentum=0.9)


@variant(
    params=19_990,
    recipe=PLAIN.with_settings(epochs=20),
    source=f"{SOURCE}, model1",
    claim=Claim(0.9891, epochs=20, train_accuracy=0.9927),
)
def base_20k(*, num_classes=10, classifier_activation="softmax", name="base_20k"):
    """Skeleton of plain convolutions with a 7x7-kernel head.

    (28, 28, 1) -> (22, 22, 30) -> (11, 11, 10) -> (7, 7, 10) -> (1, 1, 10) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_relu(x, 10, name="block1_conv1", padding="valid")
    x = conv_relu(x, 20, name="block1_conv2", padding="valid")
    x = conv_relu(x, 30, name="block1_conv3", padding="valid")
    x = max_pool(x, name="transition1_pool")
    x = conv_relu(x, 10, 1, name="transition1")
    x = conv_relu(x, 20, name="block2_conv1", padding="valid")
    x = conv_relu(x, 30, name="block2_conv2", padding="valid")
    x = conv_relu(x, 10, 1, name="block2_conv3")
    x = conv(x, num_classes, 7, name="classifier", padding="valid")
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=16_040,
    recipe=PLAIN,
    source=f"{SOURCE}, model2",
    claim=Claim(0.9867, epochs=15, train_accuracy=0.9898),
)
def base_16k(*, num_classes=10, classifier_activation="softmax", name="base_16k"):
    """The skeleton with fewer kernels.

    (28, 28, 1) -> (22, 22, 20) -> (11, 11, 10) -> (7, 7, 15) -> (1, 1, 10) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_relu(x, 10, name="block1_conv1", padding="valid")
    x = conv_relu(x, 15, name="block1_conv2", padding="valid")
    x = conv_relu(x, 20, name="block1_conv3", padding="valid")
    x = max_pool(x, name="transition1_pool")
    x = conv_relu(x, 10, 1, name="transition1")
    x = conv_relu(x, 15, name="block2_conv1", padding="valid")
    x = conv_relu(x, 20, name="block2_conv2", padding="valid")
    x = conv_relu(x, 15, 1, name="block2_conv3")
    x = conv(x, num_classes, 7, name="classifier", padding="valid")
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=7_092,
    recipe=PLAIN,
    source=f"{SOURCE}, model3",
    claim=Claim(0.9838, epochs=15, train_accuracy=0.9883),
)
def base_7k(*, num_classes=10, classifier_activation="softmax", name="base_7k"):
    """The skeleton under 8,000 parameters.

    (28, 28, 1) -> (22, 22, 10) -> (11, 11, 4) -> (7, 7, 10) -> (1, 1, 10) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_relu(x, 4, name="block1_conv1", padding="valid")
    x = conv_relu(x, 8, name="block1_conv2", padding="valid")
    x = conv_relu(x, 10, name="block1_conv3", padding="valid")
    x = max_pool(x, name="transition1_pool")
    x = conv_relu(x, 4, 1, name="transition1")
    x = conv_relu(x, 8, name="block2_conv1", padding="valid")
    x = conv_relu(x, 10, name="block2_conv2", padding="valid")
    x = conv_relu(x, 10, 1, name="block2_conv3")
    x = conv(x, num_classes, 7, name="classifier", padding="valid")
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=7_200,
    recipe=PLAIN,
    source=f"{SOURCE}, model4",
    claim=Claim(0.9923, epochs=15, train_accuracy=0.9949),
)
def bn(*, num_classes=10, classifier_activation="softmax", name="bn"):
    """base_7k with batch norm.

    (28, 28, 1) -> (22, 22, 10) -> (11, 11, 4) -> (7, 7, 10) -> (1, 1, 10) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_bn_relu(x, 4, name="block1_conv1", padding="valid")
    x = conv_bn_relu(x, 8, name="block1_conv2", padding="valid")
    x = conv_bn_relu(x, 10, name="block1_conv3", padding="valid")
    x = max_pool(x, name="transition1_pool")
    x = conv_bn_relu(x, 4, 1, name="transition1")
    x = conv_bn_relu(x, 8, name="block2_conv1", padding="valid")
    x = conv_bn_relu(x, 10, name="block2_conv2", padding="valid")
    x = conv_bn_relu(x, 10, 1, name="block2_conv3")
    x = conv(x, num_classes, 7, name="classifier", padding="valid")
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


def conv_bn_dropout_relu(x, filters, kernel=3, *, name, padding="valid"):
    """Convolution, batch norm, dropout of a tenth, ReLU."""
    x = blocks.batch_norm(conv(x, filters, kernel, name=name, padding=padding), name=f"{name}_bn")
    return blocks.relu(dropout(x, 0.1, name=f"{name}_dropout"), name=f"{name}_relu")


def _bn_dropout_body(x, last_filters):
    """The seven convolutions that bn_dropout and bn_dropout_gap share: (28, 28, 1) -> (7, 7, last_filters)."""
    x = conv_bn_dropout_relu(x, 4, name="block1_conv1")
    x = conv_bn_dropout_relu(x, 8, name="block1_conv2")
    x = conv_bn_dropout_relu(x, 10, name="block1_conv3")
    x = max_pool(x, name="transition1_pool")
    x = conv_bn_relu(x, 4, 1, name="transition1")
    x = conv_bn_dropout_relu(x, 8, name="block2_conv1")
    x = conv_bn_dropout_relu(x, 10, name="block2_conv2")
    return conv_bn_dropout_relu(x, last_filters, 1, name="block2_conv3")


@variant(
    params=7_200,
    recipe=PLAIN,
    source=f"{SOURCE}, model5",
    claim=Claim(0.9914, epochs=15, train_accuracy=0.9864),
)
def bn_dropout(*, num_classes=10, classifier_activation="softmax", name="bn_dropout"):
    """Batch norm and dropout with a 7x7-kernel head.

    (28, 28, 1) -> (22, 22, 10) -> (11, 11, 4) -> (7, 7, 10) -> (1, 1, 10) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv(_bn_dropout_body(x, 10), num_classes, 7, name="classifier", padding="valid")
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=2_300,
    recipe=PLAIN,
    source=f"{SOURCE}, model6",
    claim=Claim(0.9573, epochs=15, train_accuracy=0.9624),
)
def bn_dropout_gap(*, num_classes=10, classifier_activation="softmax", name="bn_dropout_gap"):
    """Global average pooling in place of the 7x7-kernel head.

    The logits are averages of ReLU outputs.

    (28, 28, 1) -> (22, 22, 10) -> (11, 11, 4) -> (7, 7, 10) -> (1, 1, 10) -> (10,)
    """
    image, x = blocks.image_input()
    x = blocks.average_pool(_bn_dropout_body(x, num_classes))
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


def conv_relu_bn_dropout(x, filters, *, name, padding="valid"):
    """3x3 convolution, ReLU, batch norm, dropout of a tenth."""
    x = blocks.batch_norm(conv_relu(x, filters, name=name, padding=padding), name=f"{name}_bn")
    return dropout(x, 0.1, name=f"{name}_dropout")


@variant(
    params=7_550,
    recipe=PLAIN,
    source=f"{SOURCE}, model7",
    claim=Claim(0.9935, epochs=15, train_accuracy=0.9894),
)
def bn_gap_plain(*, num_classes=10, classifier_activation="softmax", name="bn_gap_plain"):
    """Global average pooling with the capacity restored, trained without augmentation.

    The 1x1 transition and the classifier have neither activation nor norm.

    (28, 28, 1) -> (24, 24, 16) -> (12, 12, 10) -> (6, 6, 16) -> (1, 1, 16) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_relu_bn_dropout(x, 10, name="block1_conv1")
    x = conv_relu_bn_dropout(x, 16, name="block1_conv2")
    x = conv(x, 10, 1, name="transition1")
    x = max_pool(x, name="transition1_pool")
    x = conv_relu_bn_dropout(x, 10, name="block2_conv1")
    x = conv_relu_bn_dropout(x, 10, name="block2_conv2")
    x = conv_relu_bn_dropout(x, 16, name="block2_conv3")
    x = conv_relu_bn_dropout(x, 16, name="block2_conv4", padding="same")
    x = conv(blocks.average_pool(x), num_classes, 1, name="classifier")
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=7_550,
    recipe=dataclasses.replace(
        PLAIN,
        augmentation=Augmentation(rotation_degrees=7),
        schedule=Schedule("plateau", reduction_factor=0.1, patience=2),  # PyTorch's patience 1
        target=Target(0.994, 2),
    ),
    source=f"{SOURCE}, model8",
    claim=Claim(0.9940, epochs=15, train_accuracy=0.9882),
)
def bn_gap(*, num_classes=10, classifier_activation="softmax", name="bn_gap"):
    """Batch norm, dropout and global average pooling in 7,550 parameters, with rotation and a plateau schedule.

    (28, 28, 1) -> (24, 24, 16) -> (12, 12, 10) -> (6, 6, 16) -> (1, 1, 16) -> (10,)
    """
    return bn_gap_plain(num_classes=num_classes, classifier_activation=classifier_activation, name=name)
