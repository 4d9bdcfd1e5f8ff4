"""The steps from one network of a study to the next: one line each, with everything that it changes, by topic."""

from __future__ import annotations

import dataclasses

from keras_mnist.studies.records import AS_DOCUMENTED, TUNED

# In the report's order; a step that changes several things stands under its main one.
DROPOUT, BATCH_NORM, POOLING, CAPACITY = "dropout", "batch norm", "pooling", "capacity"
AUGMENTATION, SCHEDULE, SKIP_CONNECTIONS = "augmentation", "schedule", "skip connections"
TOPICS = (DROPOUT, BATCH_NORM, POOLING, CAPACITY, AUGMENTATION, SCHEDULE, SKIP_CONNECTIONS)


@dataclasses.dataclass(frozen=True)
class Step:
    """From one variant to another, the main change first. What changes in the network counts wherever both were trained
    alike; what changes in the recipe counts where each was trained as its document says."""

    topic: str
    before: str
    after: str
    network: tuple[str, ...]
    recipe: tuple[str, ...] = ()


ROTATION = "rotation by up to 7 degrees"
CONSTANT_TO_PLATEAU = "the rate falls on a plateau"
ACCURACY_TARGET = "an accuracy target"  # changes nothing where it ends no run

STEPS = (
    Step(CAPACITY, "base_20k", "base_16k", ("fewer kernels",), ("15 epochs, not 20",)),
    Step(CAPACITY, "base_16k", "base_7k", ("fewer kernels, less than half of the parameters",)),
    Step(BATCH_NORM, "base_7k", "bn", ("batch norm",)),
    Step(DROPOUT, "bn", "bn_dropout", ("dropout of a tenth",)),
    Step(
        POOLING,
        "bn_dropout",
        "bn_dropout_gap",
        ("average pooling in place of a 7x7 kernel", "a third of the parameters"),
    ),
    Step(
        CAPACITY,
        "bn_dropout_gap",
        "bn_gap_plain",
        ("capacity restored", "a linear classifier", "norm after the ReLU"),
    ),
    Step(AUGMENTATION, "bn_gap_plain", "bn_gap", (), (ROTATION, CONSTANT_TO_PLATEAU, ACCURACY_TARGET)),
    Step(DROPOUT, "fc_base", "fc_dropout", ("dropout before each pooling",)),
    Step(
        BATCH_NORM,
        "fc_dropout",
        "fc_bn_dropout",
        ("batch norm", "more kernels in a convolution"),
        ("rotation, shift, scale",),
    ),
    Step(BATCH_NORM, "evo_base", "evo_bn", ("batch norm", "ReLU, the first activation"), (CONSTANT_TO_PLATEAU,)),
    Step(
        SKIP_CONNECTIONS,
        "evo_bn",
        "evo_skip",
        ("skip connections", "dropout of a twentieth", "more parameters"),
    ),
    Step(
        CAPACITY,
        "iter1_base",
        "iter2_under_25k",
        ("more layers of fewer kernels",),
        ("5 epochs, not 1", "twice the rate"),
    ),
    Step(
        CAPACITY,
        "iter2_under_25k",
        "iter3_under_20k",
        ("fewer layers",),
        ("20 epochs, not 5", "a lower rate from epoch 16"),
    ),
    Step(
        BATCH_NORM,
        "iter3_under_20k",
        "iter4_bn",
        ("batch norm after two convolutions", "more kernels in the last one"),
    ),
    Step(CAPACITY, "iter4_bn", "iter5_bn_under_20k", ("fewer kernels in the last convolution",)),
    Step(BATCH_NORM, "iter3_under_20k", "iter5_bn_under_20k", ("batch norm after two convolutions",)),
    Step(DROPOUT, "iter5_bn_under_20k", "iter6_fc_dropout", ("dropout of half before the linear head",)),
    Step(DROPOUT, "iter6_fc_dropout", "iter7_dropout", ("dropout of 0.1 to 0.3 after every block",)),
)


@dataclasses.dataclass(frozen=True)
class RecipeStep:
    """From one recipe to another for the same layers: each side is a variant and its recipe, as folders name it."""

    topic: str
    before: tuple[str, str]
    after: tuple[str, str]
    changes: tuple[str, ...]


WITHOUT_ROTATION = "document,rotation_degrees=0,validation=test"

# What the document changes at once between bn_gap_plain and bn_gap, one by one.
DOCUMENT_RECIPE_STEPS = (
    RecipeStep(AUGMENTATION, ("bn_gap", WITHOUT_ROTATION), ("bn_gap", AS_DOCUMENTED), (ROTATION,)),
    RecipeStep(
        SCHEDULE,
        ("bn_gap_plain", AS_DOCUMENTED),
        ("bn_gap", WITHOUT_ROTATION),
        (CONSTANT_TO_PLATEAU, ACCURACY_TARGET),
    ),
)
HELD_OUT_RECIPE_STEPS = (
    RecipeStep(
        SCHEDULE,
        ("bn_gap", "document"),
        ("bn_gap", TUNED),
        (
            "one cycle, not a plateau",
            "ten times the rate",
            "shift, scale and shear",
            "Nesterov, clipped gradients",
        ),
    ),
    RecipeStep(
        SCHEDULE,
        ("swift", TUNED),
        ("swift", "fast"),
        ("3 epochs, not 15", "half the batch size", "smoothed labels", "no accuracy target"),
    ),
)
