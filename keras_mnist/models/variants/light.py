"""The light study: one network of progressive channels under 20,000 parameters."""

from keras_mnist.models import blocks
from keras_mnist.models.blocks import conv, conv_bn_relu, max_pool, spatial_dropout
from keras_mnist.models.registry import Claim, variant
from keras_mnist.recipe import Recipe, Schedule


@variant(
    params=19_210,
    recipe=Recipe(
        epochs=14,
        batch_size=128,  # the text says 129; the 469 steps of its log are 128
        optimizer="adam",
        learning_rate=0.001,
        l2=1e-4,  # Adam's weight_decay in PyTorch: added to the gradient
        schedule=Schedule("step", step_epochs=5, reduction_factor=0.5),
    ),
    source="MNIST Digit Classification with Lightweight CNN",
    claim=Claim(0.9943, epochs=14),
)
def light_20k(*, num_classes=10, classifier_activation="softmax", name="light_20k"):
    """Progressive channels with spatial dropout of whole maps, under 20,000 parameters.

    (28, 28, 1) -> (14, 14, 10) -> (7, 7, 18) -> (5, 5, 32) -> (3, 3, 24) -> (1, 1, 10) -> (10,)
    """
    image, x = blocks.image_input()
    x = conv_bn_relu(x, 6, name="block1_conv1", bias=True)
    x = conv_bn_relu(x, 10, name="block1_conv2", bias=True)
    x = max_pool(x, name="block1_pool")
    x = spatial_dropout(x, 0.25, name="block1_dropout")
    x = conv_bn_relu(x, 16, name="block2_conv1", bias=True)
    x = conv_bn_relu(x, 18, name="block2_conv2", bias=True)
    x = max_pool(x, name="block2_pool")
    x = spatial_dropout(x, 0.25, name="block2_dropout")
    x = conv_bn_relu(x, 32, name="block3_conv1", padding="valid", bias=True)
    x = conv_bn_relu(x, 24, name="block3_conv2", padding="valid", bias=True)
    x = blocks.average_pool(conv(x, num_classes, name="block3_conv3", padding="valid", bias=True))
    return blocks.classifier(image, x, activation=classifier_activation, name=name)
