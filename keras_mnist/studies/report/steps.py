"""The steps from one network of a study to the next: one line each, with everything that it changes."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Step:
    """From one variant to another. What changes in the network counts wherever both were trained alike; what changes
    in the recipe counts where each was trained as its document says."""

    before: str
    after: str
    network: tuple[str, ...]
    recipe: tuple[str, ...] = ()


CONSTANT_TO_PLATEAU = "the rate falls on a plateau"

STEPS = (
    Step("base_20k", "base_16k", ("fewer kernels",), ("15 epochs, not 20",)),
    Step("base_16k", "base_7k", ("fewer kernels, less than half of the parameters",)),
    Step("base_7k", "bn", ("batch norm",)),
    Step("bn", "bn_dropout", ("dropout of a tenth",)),
    Step("bn_dropout", "bn_dropout_gap", ("average pooling in place of a 7x7 kernel", "a third of the parameters")),
    Step("bn_dropout_gap", "bn_gap_plain", ("capacity restored", "a linear classifier", "norm after the ReLU")),
    Step("bn_gap_plain", "bn_gap", (), ("rotation by up to 7 degrees", CONSTANT_TO_PLATEAU, "an accuracy target")),
    Step("fc_base", "fc_dropout", ("dropout before each pooling",)),
    Step("fc_dropout", "fc_bn_dropout", ("batch norm", "more kernels in a convolution"), ("rotation, shift, scale",)),
    Step("evo_base", "evo_bn", ("batch norm", "ReLU, the first activation"), (CONSTANT_TO_PLATEAU,)),
    Step("evo_bn", "evo_skip", ("skip connections", "dropout of a twentieth", "more parameters")),
    Step("iter1_base", "iter2_under_25k", ("more layers of fewer kernels",), ("5 epochs, not 1", "twice the rate")),
    Step(
        "iter2_under_25k",
        "iter3_under_20k",
        ("fewer layers",),
        ("20 epochs, not 5", "a lower rate from epoch 16"),
    ),
    Step("iter3_under_20k", "iter4_bn", ("batch norm after two convolutions", "more kernels in the last one")),
    Step("iter4_bn", "iter5_bn_under_20k", ("fewer kernels in the last convolution",)),
    Step("iter3_under_20k", "iter5_bn_under_20k", ("batch norm after two convolutions",)),
    Step("iter5_bn_under_20k", "iter6_fc_dropout", ("dropout of half before the linear head",)),
    Step("iter6_fc_dropout", "iter7_dropout", ("dropout of 0.1 to 0.3 after every block",)),
)


@dataclasses.dataclass(frozen=True)
class RecipeStep:
    """From one recipe to another for the same network, in the held-out protocol."""

    variant: str
    before: str
    after: str
    changes: tuple[str, ...]


RECIPE_STEPS = (
    RecipeStep(
        "bn_gap",
        "document",
        "tuned",
        (
            "one cycle, not a plateau",
            "ten times the rate",
            "shift, scale and shear",
            "Nesterov, clipped gradients",
        ),
    ),
    RecipeStep("swift", "tuned", "fast", ("8 epochs, not 15", "no accuracy target")),
)
