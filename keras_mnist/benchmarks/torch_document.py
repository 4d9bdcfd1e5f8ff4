"""A document's recipe in PyTorch, as its source trains it: what a claim owes to the framework it was made with.

Weights begin as PyTorch begins them, and images are distorted one by one with Pillow, as torchvision does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import keras
import numpy as np
import torch
from PIL import Image
from torch import nn

from keras_mnist.benchmarks.torch_baseline import normalized
from keras_mnist.data.digit_set import DigitSet
from keras_mnist.errors import UsageError
from keras_mnist.models.analysis import layer_calls
from keras_mnist.models.registry import Variant
from keras_mnist.recipe import Recipe
from keras_mnist.utils.environment import source_commit

# Settings that are known here. The sources trained all epochs, whatever accuracy was reached before.
KNOWN = {"epochs", "batch_size", "optimizer", "learning_rate", "momentum", "l2", "target_accuracy", "target_epochs"}
KNOWN |= {"schedule", "step_epochs", "reduction_factor", "patience", "min_delta"}
KNOWN |= {"crop_pixels", "crop_probability", "rotation_degrees"}


def network(variant: Variant) -> nn.Sequential:
    """A variant's layers in PyTorch: (images, 1, 28, 28), normalised, to logits (images, 10).

    Raises: UsageError if it is no chain of layers that are known here.
    """
    calls = layer_calls(variant.build())
    if any(len(call.sources) > 1 for call in calls.values()):
        raise UsageError(f"{variant.name} has skip connections, expected a variant whose layers follow each other")
    return nn.Sequential(*(module for call in calls.values() for module in _modules(call.layer)))


def _modules(layer: keras.layers.Layer) -> Iterator[nn.Module]:
    match layer:
        case keras.layers.InputLayer() | keras.layers.Rescaling() | keras.layers.Activation():
            pass  # images are normalised as they are shown, and the loss takes logits
        case keras.layers.Conv2D(strides=(1, 1), dilation_rate=(1, 1), groups=1):
            _, _, inputs, filters = layer.kernel.shape
            yield nn.Conv2d(inputs, filters, layer.kernel_size, padding=layer.padding, bias=layer.use_bias)
        case keras.layers.BatchNormalization(scale=True, center=True):
            yield nn.BatchNorm2d(layer.beta.shape[0])
        case keras.layers.ReLU():
            yield nn.ReLU()
        case keras.layers.SpatialDropout2D():
            yield nn.Dropout2d(layer.rate)
        case keras.layers.Dropout():
            yield nn.Dropout(layer.rate)
        case keras.layers.MaxPooling2D():
            yield nn.MaxPool2d(layer.pool_size)
        case keras.layers.GlobalAveragePooling2D():
            yield nn.AdaptiveAvgPool2d(1)
        case keras.layers.Flatten():
            yield nn.Flatten()
        case keras.layers.Dense():
            yield nn.Linear(*layer.kernel.shape, bias=layer.use_bias)
        case _:
            raise _unlike(layer)
    match getattr(layer, "activation", None):
        case keras.activations.relu:
            yield nn.ReLU()
        case None | keras.activations.linear | keras.activations.softmax:
            pass
        case _:
            raise _unlike(layer)


def _unlike(layer: keras.layers.Layer) -> UsageError:
    return UsageError(
        f"{layer.name} is a {type(layer).__name__} unlike those of the course studies, expected one of theirs"
    )


class _Distorted(torch.utils.data.Dataset):
    """RandomApply(CenterCrop), Resize, RandomRotation, ToTensor and Normalize, one image at a time."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, recipe: Recipe):
        self.images, self.labels, self.settings = images[..., 0], labels, recipe.augmentation

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image, settings = Image.fromarray(self.images[index]), self.settings
        if settings.crop_pixels and random.random() < settings.crop_probability:
            border = (28 - settings.crop_pixels) // 2
            square = border, border, border + settings.crop_pixels, border + settings.crop_pixels
            image = image.crop(square).resize((28, 28), Image.BILINEAR)
        if settings.rotation_degrees:
            image = image.rotate(random.uniform(-settings.rotation_degrees, settings.rotation_degrees))
        return _tensor(np.array(image)[None])[0], int(self.labels[index])


def _tensor(images: np.ndarray) -> torch.Tensor:
    """(images, 28, 28) uint8 as (images, 1, 28, 28), normalised."""
    return normalized(torch.from_numpy(images).float().div_(255).unsqueeze(1))


def document_recipe(variant: Variant) -> Recipe:
    """The recipe of a variant's document.

    Raises: UsageError if it has none, or one with settings that are not known here.
    """
    recipe, plain = variant.recipe("document"), Recipe().flat()
    other = [name for name, value in recipe.flat().items() if name not in KNOWN and value != plain[name]]
    other += ["schedule"] * (recipe.schedule.schedule not in ("constant", "step", "plateau"))
    if other:
        raise UsageError(
            f"the document of {variant.name} sets {', '.join(other)}, expected a recipe that distorts by crop and "
            "rotation alone, with a learning rate that is constant, or falls in steps or on a plateau"
        )
    return recipe


def train(variant: Variant, seed: int, digits: DigitSet) -> dict:
    """Train a variant by its document on all training images: the record of the run.

    Raises: UsageError if it has no document, or something that is not known here.
    """
    recipe = document_recipe(variant)
    random.seed(seed)
    torch.manual_seed(seed)
    started, trained = time.perf_counter(), network(variant)
    shown = _shown(digits, recipe)
    batches = torch.utils.data.DataLoader(shown, batch_size=recipe.batch_size, shuffle=True)
    optimizer = _optimizer(trained, recipe)
    lower_rate = _schedule(optimizer, recipe)
    test = [(_tensor(digits.test_images[..., 0]), torch.from_numpy(digits.test_labels).long())]
    accuracies = []
    for _ in range(recipe.epochs):
        trained.train()
        for images, labels in batches:
            optimizer.zero_grad()
            nn.functional.cross_entropy(trained(images), labels).backward()
            optimizer.step()
        right, loss = scores(trained, test)
        accuracies.append(right)
        lower_rate(loss)
    record = {"variant": variant.name, "seed": seed, "dataset": digits.name, "test_accuracy_by_epoch": accuracies}
    if variant.claim and variant.claim.images == "train":
        record["augmented_train_accuracy"], _ = scores(trained, batches)
    seconds = round(time.perf_counter() - started, 1)
    return record | {"seconds": seconds, "torch": torch.__version__, "source_commit": source_commit()}


def _shown(digits: DigitSet, recipe: Recipe) -> torch.utils.data.Dataset:
    if recipe.augmentation.crop_pixels or recipe.augmentation.rotation_degrees:
        return _Distorted(digits.train_images, digits.train_labels, recipe)
    labels = torch.from_numpy(digits.train_labels).long()
    return torch.utils.data.TensorDataset(_tensor(digits.train_images[..., 0]), labels)


def _optimizer(trained: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    weights, settings = trained.parameters(), {"lr": recipe.learning_rate, "weight_decay": recipe.l2}
    if recipe.optimizer == "adam":
        return torch.optim.Adam(weights, **settings)
    return torch.optim.SGD(weights, momentum=recipe.momentum, **settings)


def _schedule(optimizer: torch.optim.Optimizer, recipe: Recipe) -> Callable[[float], None]:
    """What lowers the learning rate after an epoch, given its test loss."""
    settings = recipe.schedule
    if settings.schedule == "plateau":
        # PyTorch waits for one epoch more than its patience, Keras does not.
        rate = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer,
            factor=settings.reduction_factor,
            patience=settings.patience - 1,
            threshold=settings.min_delta,
            threshold_mode="abs",
        )
        return rate.step
    epochs = settings.step_epochs if settings.schedule == "step" else recipe.epochs
    rate = torch.optim.lr_scheduler.StepLR(optimizer, epochs, settings.reduction_factor)
    return lambda loss: rate.step()


@torch.no_grad()
def scores(trained: nn.Module, batches) -> tuple[float, float]:
    """Share of the images of some (images, labels) that are predicted correctly, and their mean loss."""
    trained.eval()
    found = [(trained(images), labels) for images, labels in batches]
    logits, labels = (torch.cat(parts) for parts in zip(*found, strict=True))
    right = (logits.argmax(1) == labels).double().mean()
    return float(right), nn.functional.cross_entropy(logits, labels).item()
