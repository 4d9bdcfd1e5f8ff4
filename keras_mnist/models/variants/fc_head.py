"""The fc_head study: under 8,000 parameters with a linear head, from an overfitting base to image transformations.

The document prints the results of its experiments 2 and 3 swapped: 98.43/99.44 % stands under experiment 2 with a
remark about image transformations, 99.43/99.23 % under experiment 3 with one about dropout, and its log of the run
with transformations ends at 98.41/99.44 %. The claims here are the un-swapped ones.
"""

import dataclasses

from keras_mnist.models import blocks
from keras_mnist.models.blocks import conv, conv_bn_relu, conv_relu, dropout, max_pool
from keras_mnist.models.registry import Claim, variant
from keras_mnist.recipe import Augmentation, Recipe, Schedule

SOURCE = "MNIST Digit Classification with CNN (99.4 % with less than 8k parameters within 15 epochs)"
# Batch 1024 and the rates are in its log: 0.01 up to epoch 11, 0.001 from epoch 12, right after the first two epochs
# without a lower test loss.
PLATEAU = Recipe(
    epochs=15,
    batch_size=1024,
    optimizer="adam",  # assumed
    learning_rate=0.01,
    schedule=Schedule("plateau", reduction_factor=0.1, patience=2),  # PyTorch's patience 1
)
DROPOUT = 0.1  # assumed


@variant(
    params=7_034,
    recipe=PLATEAU,
    source=f"{SOURCE}, experiment 1",
    claim=Claim(0.9917, epochs=15, train_accuracy=0.9992),
    assumed=("Adam",),
)
def fc_base(*, num_classes=10, classifier_activation="softmax", name="fc_base"):
    """Convolutions and a linear head, no regularisation.

    (28, 28, 1) -> (28, 28, 8) -> (14, 14, 4) -> (14, 14, 16) -> (7, 7, 4) -> (196,) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_relu(x, 8, name="block1_conv1")
    x = conv_relu(x, 8, name="block1_conv2")
    x = conv_relu(x, 8, name="block1_conv3")
    x = max_pool(x, name="block1_pool")
    x = conv(x, 4, 1, name="transition1")
    x = conv_relu(x, 8, name="block2_conv1")
    x = conv_relu(x, 16, name="block2_conv2")
    x = conv_relu(x, 16, name="block2_conv3")
    x = max_pool(x, name="block2_pool")
    x = conv(x, 4, 1, name="transition2")
    x = blocks.linear_head(x, num_classes)
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=7_034,
    recipe=PLATEAU,
    source=f"{SOURCE}, experiment 2",
    claim=Claim(
        0.9923,
        epochs=15,
        train_accuracy=0.9943,
        note="the document prints it under experiment 3, swapped with the 99.44 % of that experiment; its remark on "
        "dropout tells them apart",
    ),
    assumed=("Adam", "dropout rate 0.1"),
)
def fc_dropout(*, num_classes=10, classifier_activation="softmax", name="fc_dropout"):
    """fc_base with dropout before each pooling.

    (28, 28, 1) -> (28, 28, 8) -> (14, 14, 4) -> (14, 14, 16) -> (7, 7, 4) -> (196,) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_relu(x, 8, name="block1_conv1")
    x = conv_relu(x, 8, name="block1_conv2")
    x = conv_relu(x, 8, name="block1_conv3")
    x = dropout(x, DROPOUT, name="block1_dropout")
    x = max_pool(x, name="block1_pool")
    x = conv(x, 4, 1, name="transition1")
    x = conv_relu(x, 8, name="block2_conv1")
    x = conv_relu(x, 16, name="block2_conv2")
    x = conv_relu(x, 16, name="block2_conv3")
    x = dropout(x, DROPOUT, name="block2_dropout")
    x = max_pool(x, name="block2_pool")
    x = conv(x, 4, 1, name="transition2")
    x = blocks.linear_head(x, num_classes)
    return blocks.classifier(image, x, activation=classifier_activation, name=name)


@variant(
    params=7_786,
    recipe=dataclasses.replace(
        PLATEAU,
        augmentation=Augmentation(rotation_degrees=7, translate_pixels=2.8, scale=0.1),  # assumed
    ),
    source=f"{SOURCE}, experiment 3",
    claim=Claim(
        0.9944,
        epochs=15,
        train_accuracy=0.9843,
        note="the document prints it under experiment 2, swapped with the 99.23 % of that experiment; its log of the "
        "run with image transformations tells them apart",
    ),
    assumed=("Adam", "dropout rate 0.1", "rotation 7 degrees, shift and scale by a tenth"),
)
def fc_bn_dropout(*, num_classes=10, classifier_activation="softmax", name="fc_bn_dropout"):
    """Batch norm, dropout and image transformations with a linear head.

    (28, 28, 1) -> (28, 28, 16) -> (14, 14, 4) -> (14, 14, 16) -> (7, 7, 4) -> (196,) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_bn_relu(x, 8, name="block1_conv1")
    x = conv_bn_relu(x, 8, name="block1_conv2")
    x = conv_bn_relu(x, 16, name="block1_conv3")
    x = dropout(x, DROPOUT, name="block1_dropout")
    x = max_pool(x, name="block1_pool")
    x = conv(x, 4, 1, name="transition1")
    x = conv_bn_relu(x, 8, name="block2_conv1")
    x = conv_bn_relu(x, 16, name="block2_conv2")
    x = conv_bn_relu(x, 16, name="block2_conv3")
    x = dropout(x, DROPOUT, name="block2_dropout")
    x = max_pool(x, name="block2_pool")
    x = conv(x, 4, 1, name="transition2")
    x = blocks.linear_head(x, num_classes)
    return blocks.classifier(image, x, activation=classifier_activation, name=name)
