"""Models as users write them, each with something that folding must leave alone or take apart with care."""

import keras
from keras import layers, ops

IMAGE = (28, 28, 1)


def head(x, image):
    """Small maps to ten probabilities; the outputs stay soft enough to show a difference."""
    x = layers.GlobalAveragePooling2D()(x) if len(x.shape) == 4 else x
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def start():
    image = keras.Input(IMAGE)
    return image, layers.Rescaling(1 / 255)(image)


def norms_between_activations():
    image, x = start()
    x = layers.Conv2D(8, 3, activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D(3)(x)
    x = layers.Conv2D(8, 3, activation="tanh", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(16, activation="relu")(x)
    return head(layers.BatchNormalization()(x), image)


def norm_after_activation():
    """The norm after the first convolution belongs to the second alone, which does not pad."""
    image, x = start()
    x = layers.Conv2D(8, 3, activation="relu")(x)
    x = layers.BatchNormalization()(x)
    return head(layers.Conv2D(8, 3, activation="relu")(x), image)


def norms_without_gain_or_centre():
    image, x = start()
    for options in ({"scale": False}, {"center": False}, {"scale": False, "center": False}):
        x = layers.Conv2D(8, 3, strides=2)(x)
        x = layers.ReLU()(layers.BatchNormalization(**options)(x))
    return head(x, image)


def nested():
    inner = keras.Sequential(
        [keras.Input((13, 13, 8)), layers.Conv2D(8, 3), layers.BatchNormalization(), layers.ReLU()]
    )
    image, x = start()
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2)(x))
    return head(inner(x), image)


def layers_called_twice():
    convolution, norm = layers.Conv2D(8, 3, padding="same"), layers.BatchNormalization()
    image, x = start()
    x = norm(convolution(layers.Conv2D(8, 3)(x)))
    x = norm(convolution(layers.ReLU()(x)))
    return head(layers.BatchNormalization()(layers.Conv2D(8, 3)(x)), image)


def layers_of_several_passes():
    """Convolutions that are called more than once, each time with a norm of their own, and separable ones."""
    image, x = start()
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(6, 3, strides=2, use_bias=False)(x)))
    x = layers.BatchNormalization(scale=False)(layers.SeparableConv2D(8, 3, depth_multiplier=2, use_bias=False)(x))
    x = layers.ReLU()(x)
    separable = layers.SeparableConv2D(8, 3, padding="same", use_bias=False)
    dense = layers.Conv2D(8, 3, padding="same")
    for layer in (separable, separable, dense, dense, separable):
        branch = layers.BatchNormalization(gamma_initializer=keras.initializers.Constant(0.1))(layer(x))
        x = layers.Add()([x, layers.ReLU()(branch)])
    x = layers.DepthwiseConv2D((3, 2), strides=2, padding="same", depth_multiplier=2, activation="tanh")(x)
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3)(layers.ReLU()(x)))
    return head(x, image)


def shared_by_branches():
    image, x = start()
    x = layers.Conv2D(8, 3)(x)
    one = layers.ReLU()(layers.BatchNormalization()(x))
    other = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(x))
    return head(layers.Concatenate()([layers.Add()([one, other]), x]), image)


def operations():
    image = keras.Input(IMAGE)
    x = layers.Conv2D(8, 3)(image / 255 - 0.5)
    x = ops.relu(layers.BatchNormalization()(x)) * 2
    return head(ops.concatenate([x, ops.square(x)], axis=-1), image)


def depthwise_and_separable():
    image, x = start()
    x = layers.BatchNormalization()(layers.Conv2D(6, 3, strides=2)(x))
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, depth_multiplier=2)(x))
    x = layers.BatchNormalization()(layers.SeparableConv2D(8, 3)(x))
    return head(layers.BatchNormalization()(layers.Conv2DTranspose(8, 3)(x)), image)


def dilated_strided_and_grouped():
    image, x = start()
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, dilation_rate=2)(x))
    x = layers.BatchNormalization()(layers.Conv2D(8, 1, strides=2, padding="same")(x))
    x = layers.BatchNormalization()(layers.ReLU()(x))
    return head(layers.BatchNormalization()(layers.Conv2D(12, 3, groups=4)(x)), image)


def norm_of_rows():
    image, x = start()
    return head(layers.BatchNormalization(axis=1)(layers.Conv2D(26, 3)(x)), image)


def dense_on_maps():
    image, x = start()
    x = layers.Dense(8)(layers.Rescaling([2.0], [-1.0])(x))
    x = layers.Dense(8)(layers.BatchNormalization()(layers.Dropout(0.5)(x)))
    x = layers.GlobalAveragePooling2D(keepdims=True)(layers.Rescaling([0.5] * 8, [1.0] * 8)(x))
    return head(layers.Flatten()(layers.Dense(8)(x)), image)


def with_weights_of_other_kinds():
    image, x = start()
    x = layers.Conv2D(8, 3, strides=2)(x)
    x = layers.PReLU(alpha_initializer="random_normal", shared_axes=[1, 2])(layers.BatchNormalization()(x))
    x = layers.LayerNormalization(gamma_initializer="random_normal")(x)
    x = layers.SpatialDropout2D(0.5)(layers.GaussianNoise(1.0)(layers.UnitNormalization()(x)))
    return head(x, image)


def mixed_precision():
    image = keras.Input(IMAGE)
    x = layers.Rescaling(1 / 255, dtype="mixed_bfloat16")(image)
    x = layers.Conv2D(8, 3, dtype="mixed_bfloat16")(x)
    x = layers.BatchNormalization(dtype="mixed_bfloat16")(x)
    x = layers.BatchNormalization()(layers.Conv2D(8, 3)(x))
    return head(x, image)


def whole_numbers_in():
    image = keras.Input(IMAGE, dtype="uint8")
    x = layers.Conv2D(8, 3)(layers.Rescaling(1 / 255, -0.5)(image))
    return head(layers.BatchNormalization()(x), image)


def masked():
    image, x = start()
    x = layers.Masking()(layers.Reshape((28, 28))(x))
    x = layers.Dense(8)(layers.BatchNormalization()(x))
    return head(layers.GlobalAveragePooling1D()(x), image)


def no_channel():
    image = keras.Input((28, 28))
    return head(layers.BatchNormalization()(layers.Conv2D(8, 3)(layers.Reshape(IMAGE)(image))), image)


def named_as_layers_of_folding():
    image = keras.Input(IMAGE, name="image")
    x = layers.Rescaling(1 / 255, name="conv2d")(image)
    x = layers.Conv2D(8, 3, name="rescaling")(x)
    x = layers.BatchNormalization(name="batch")(layers.ReLU(name="rescaling_1")(x))
    return head(layers.Conv2D(8, 3, padding="same", name="rescaling_2")(x), image)


class Derived(layers.Conv2D):
    def call(self, inputs):
        return ops.abs(super().call(inputs))


def derived_layer():
    image, x = start()
    return head(layers.BatchNormalization()(Derived(8, 3)(x)), image)


class Own(layers.Layer):
    """A layer that cannot be made again from what it tells of itself."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, inputs, training=None):
        return self.inner(inputs) * (5.0 if training else 1.0)


def layer_of_their_own():
    image, x = start()
    x = layers.BatchNormalization()(Own(layers.Conv2D(8, 3))(x))
    return head(layers.Lambda(lambda x: x * 2)(x), image)


def sequential():
    return keras.Sequential(
        [
            keras.Input(IMAGE),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.layer = sequential()

    def call(self, images):
        return self.layer(images)


def subclassed():
    return Subclassed()


class FunctionalWithCall(keras.Model):
    def call(self, inputs, training=None, mask=None):
        return ops.softmax(-super().call(inputs, training=training))


def functional_with_a_call_of_its_own():
    plain = norm_after_activation()
    return FunctionalWithCall(plain.inputs, plain.outputs)


def named_input_and_output():
    image = keras.Input(IMAGE, name="image")
    return keras.Model({"image": image}, {"digit": sequential()(image)})


ALL = [
    norms_between_activations,
    norm_after_activation,
    norms_without_gain_or_centre,
    nested,
    layers_called_twice,
    layers_of_several_passes,
    shared_by_branches,
    operations,
    depthwise_and_separable,
    dilated_strided_and_grouped,
    norm_of_rows,
    dense_on_maps,
    with_weights_of_other_kinds,
    mixed_precision,
    whole_numbers_in,
    masked,
    no_channel,
    named_as_layers_of_folding,
    derived_layer,
    layer_of_their_own,
    sequential,
    subclassed,
    functional_with_a_call_of_its_own,
    named_input_and_output,
]
