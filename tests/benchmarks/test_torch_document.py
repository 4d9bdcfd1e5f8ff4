import dataclasses

import keras
import numpy as np
import pytest

import keras_mnist
from keras_mnist.errors import UsageError
from keras_mnist.training.trainer import Trainer
from tests.conftest import network, slow_beside

# A norm before its ReLU, a linear layer, dropout of maps, and a ReLU inside its convolution.
QUICK = ("bn", "iter6_fc_dropout", "light_20k", "evo_base")
DOCUMENTED = [name for name in keras_mnist.list_variants() if keras_mnist.get_variant(name).document]
CHAINS = [name for name in DOCUMENTED if name != "evo_skip"]


@pytest.fixture
def torch_document(torch):
    from keras_mnist.benchmarks import torch_document

    return torch_document


def give_weights(torch, theirs, ours):
    """Copy a Keras network's weights into the PyTorch network of the same layers; flattened maps keep their order."""
    values = iter(weight.numpy() for layer in ours.layers for weight in layer.weights if "seed" not in weight.path)
    for module in theirs:
        for name in ("weight", "bias", "running_mean", "running_var"):
            if getattr(module, name, None) is None:
                continue
            value = next(values)
            if name == "weight" and value.ndim == 4:
                value = value.transpose(3, 2, 0, 1)
            if name == "weight" and value.ndim == 2:
                channels = next(m.out_channels for m in reversed(list(theirs)) if isinstance(m, torch.nn.Conv2d))
                value = value.reshape(-1, channels, value.shape[1]).transpose(2, 1, 0).reshape(value.shape[1], -1)
            with torch.no_grad():
                getattr(module, name).copy_(torch.from_numpy(value.copy()))
    assert not list(values)


@pytest.mark.parametrize("name", slow_beside(QUICK, CHAINS))
def test_with_the_same_weights_it_computes_what_keras_does(torch, torch_document, name):
    ours = network(name)
    theirs = torch_document.network(keras_mnist.get_variant(name)).eval()
    assert sum(weights.numel() for weights in theirs.parameters()) == keras_mnist.get_variant(name).params
    give_weights(torch, theirs, ours)
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28), np.uint8)
    with torch.no_grad():
        found = torch.softmax(theirs(torch_document._tensor(images)), 1).numpy()
    np.testing.assert_allclose(found, ours.predict(images[..., None].astype(np.float32), verbose=0), atol=2e-6)


# Their documents draw nothing while they train: no dropout, and no distortion that is drawn.
STEADY = ("bn", "base_7k", "base_16k", "base_20k", "iter1_base", "iter3_under_20k", "iter4_bn", "iter5_bn_under_20k")


@pytest.mark.parametrize("name", slow_beside(("bn",), STEADY))
def test_with_the_same_weights_and_images_it_trains_as_the_trainer_does(torch, torch_document, digits, name):
    keras.utils.set_random_seed(0)
    variant = keras_mnist.get_variant(name)
    recipe = torch_document.document_recipe(variant)
    ours, theirs = variant.build(), torch_document.network(variant).train()
    give_weights(torch, theirs, ours)
    trainer = Trainer(ours, recipe, 100, optimizations=("fused_layers", "shards"))
    optimizer = torch_document._optimizer(theirs, recipe)
    images, labels = digits.train_images[:100], digits.train_labels[:100].astype(int)
    found, expected = np.empty(12), np.empty(12)
    for step in range(12):  # of the same images, so that the loss falls
        optimizer.zero_grad()
        logits = theirs(torch_document._tensor(images[..., 0]))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))
        loss.backward()
        optimizer.step()
        found[step] = trainer.train_step(images.astype(np.float32), np.eye(10, dtype=np.float32)[labels])
        expected[step] = loss.item()
    assert np.abs(found - expected).max() < (found[0] - found[-1]) / 20, [*zip(found, expected, strict=True)]


@pytest.mark.slow  # PyTorch's optimizers take seconds to import
def test_a_run_learns_and_the_same_seed_gives_the_same_run(torch_document, small_digits):
    variant = keras_mnist.get_variant("iter4_bn")
    first, again, other = (torch_document.train(variant, seed, small_digits) for seed in (1, 1, 2))
    same = "test_accuracy_by_epoch", "augmented_train_accuracy"
    assert [first[name] for name in same] == [again[name] for name in same] != [other[name] for name in same]
    assert len(first["test_accuracy_by_epoch"]) == variant.document.epochs
    assert first["augmented_train_accuracy"] > 0.3, first


def test_the_rate_falls_on_a_plateau_after_as_many_epochs_as_with_keras(torch, torch_document):
    recipe = keras_mnist.get_variant("fc_dropout").recipe("document")
    losses = [0.5, 0.4, 0.45, 0.39, *[0.4] * 9, 0.3, 0.31, 0.32, 0.33]
    layer = torch.nn.Linear(1, 1)
    optimizer = torch_document._optimizer(layer, recipe)
    lower_rate = torch_document._schedule(optimizer, recipe)
    ours = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    ours.compile(keras.optimizers.SGD(recipe.learning_rate))
    settings = recipe.schedule
    callback = keras.callbacks.ReduceLROnPlateau(
        factor=settings.reduction_factor, patience=settings.patience, min_delta=settings.min_delta, min_lr=0
    )
    callback.set_model(ours)
    callback.on_train_begin()
    found, expected = [], []
    for epoch, loss in enumerate(losses):
        lower_rate(loss)
        callback.on_epoch_end(epoch, {"val_loss": loss})
        found.append(optimizer.param_groups[0]["lr"])
        expected.append(float(ours.optimizer.learning_rate))
    assert len({*found}) > 2
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fc_bn_dropout", "the document of fc_bn_dropout sets translate_pixels, scale, expected"),
        ("evo_base", "the document of evo_base sets label_smoothing, translate_pixels, scale, shear_degrees, elastic"),
        ("swift", "without a document"),
    ],
)
def test_a_recipe_that_is_not_known_is_refused(torch_document, name, words):
    with pytest.raises(UsageError, match=words):
        torch_document.document_recipe(keras_mnist.get_variant(name))


def test_skip_connections_are_refused(torch_document):
    with pytest.raises(UsageError, match="evo_skip has skip connections"):
        torch_document.network(keras_mnist.get_variant("evo_skip"))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (lambda: keras.layers.Conv2D(2, 3, strides=2), "is a Conv2D unlike those of the course studies"),
        (lambda: keras.layers.Conv2D(2, 3, activation="tanh"), "is a Conv2D unlike"),
        (lambda: keras.layers.BatchNormalization(scale=False), "is a BatchNormalization unlike"),
        (lambda: keras.layers.DepthwiseConv2D(3), "is a DepthwiseConv2D unlike"),
    ],
)
def test_a_layer_that_would_become_another_is_refused(torch_document, layer, words):
    def build():
        return keras.Sequential([keras.Input((28, 28, 1)), layer(), keras.layers.Flatten(), keras.layers.Dense(10)])

    variant = dataclasses.replace(keras_mnist.get_variant("bn"), build=build)
    with pytest.raises(UsageError, match=words):
        torch_document.network(variant)


@pytest.mark.slow  # PyTorch's optimizers take seconds to import
def test_a_document_without_a_claim_is_trained_too(torch_document, small_digits):
    variant = keras_mnist.get_variant("iter1_base")
    record = torch_document.train(dataclasses.replace(variant, claim=None), 0, small_digits)
    assert len(record["test_accuracy_by_epoch"]) == variant.document.epochs and "augmented_train_accuracy" not in record
