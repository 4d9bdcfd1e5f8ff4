"""The networks by name: a variant is one decorated builder, and the builder's name is the variant's."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from keras_mnist.errors import UsageError
from keras_mnist.models import trained
from keras_mnist.recipe import FAST, RECIPES, TUNED, Recipe
from keras_mnist.settings import checked
from keras_mnist.utils.arguments import shown_value
from keras_mnist.utils.lazy import keras
from keras_mnist.utils.registry import Registry

MOST_CLASSES = 1_000_000


@dataclasses.dataclass(frozen=True)
class Claim:
    """What a source document says of a variant: accuracies are fractions, each of a single run."""

    accuracy: float
    epochs: int
    images: str = "test"  # "train": measured on the 60,000 augmented training images
    train_accuracy: float | None = None
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Variant:
    """A network's builder with what is known of it; networks of our own have no document and no claim."""

    name: str
    build: Callable[..., keras.Model]
    params: int
    document: Recipe | None
    source: str
    claim: Claim | None
    assumed: tuple[str, ...] = ()
    tuned: Recipe = TUNED

    @property
    def study(self) -> str:
        """The study it comes from: the name of the file that defines it."""
        return self.build.__module__.rpartition(".")[2]

    @property
    def title(self) -> str:
        """One line that says what the network is."""
        return self.build.__doc__.strip().splitlines()[0].rstrip(".")

    def recipe(self, name: str = "tuned") -> Recipe:
        """The recipe `name`: "tuned" and "fast" are ours, "document" is its source's own.

        "tuned" is one for all variants, but for those of the frontier that have their own.

        Raises: UsageError for another name, or if there is no document.
        """
        recipes = {"tuned": self.tuned, "fast": self.tuned.with_settings(**FAST), "document": self.document}
        if not isinstance(name, str) or name not in recipes:
            raise UsageError(f"`recipe` is {name!r}, expected one of {', '.join(RECIPES)}")
        if recipes[name] is None:
            raise UsageError(f"{self.name} is a network of our own, without a document; use `recipe` tuned or fast")
        return dataclasses.replace(recipes[name], name=name)


_VARIANTS = Registry("variant")


def variant(
    *,
    params: int,
    source: str,
    recipe: Recipe | None = None,
    claim: Claim | None = None,
    assumed: tuple[str, ...] = (),
    tuned: Recipe = TUNED,
):
    """Register the decorated builder as a variant.

    Args:
        params: trainable parameters, as the source document prints them.
        source: the document, and where in it.
        recipe: the source document's recipe; None for a network of our own.
        claim: the accuracy it reports; None for a network of our own.
        assumed: what the document leaves open and was filled in here.
        tuned: our recipe, where it is another one than that of all others.

    Raises: ValueError if the name is taken.
    """

    def register(build):
        name = build.__name__
        _VARIANTS[name] = Variant(name, build, params, recipe, source, claim, assumed, tuned)
        return build

    return register


def list_variants() -> list[str]:
    """The names of all variants, sorted."""
    return sorted(_VARIANTS)


def get_variant(name: str) -> Variant:
    """The variant called `name`.

    Raises: UsageError, with close matches, if there is none.
    """
    return _VARIANTS[name]


def create_model(
    name: str, *, weights: str | None = None, num_classes: int = 10, classifier_activation: str | None = "softmax"
) -> keras.Model:
    """Build the variant `name`: raw 0..255 pixels (batch, 28, 28, 1) in, (batch, num_classes) out.

    Args:
        weights: None for random ones, or "mnist" for trained ones that come with the package. Layers that depend on
            another `num_classes` than 10 stay random, and a warning names them.
        num_classes: width of the output.
        classifier_activation: "softmax", or None for logits.

    Raises:
        UsageError: the name or another argument is unknown, or the variant comes without trained weights.
        RunError: the file of its trained weights is damaged.
    """
    variant = get_variant(name)
    if weights not in (None, trained.DATASET):
        raise UsageError(f"`weights` is {weights!r}, expected None or {trained.DATASET!r}")
    num_classes = checked("num_classes", num_classes, int, low=1, high=MOST_CLASSES)
    _require_activation(classifier_activation)
    model = variant.build(num_classes=num_classes, classifier_activation=classifier_activation)
    if weights is not None:
        trained.load(model, variant)
    return model


def _require_activation(activation) -> None:
    try:
        keras.activations.get(activation)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"`classifier_activation` is {shown_value(activation)}, expected 'softmax', or None for logits"
        ) from error
