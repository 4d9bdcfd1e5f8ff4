"""Where frameworks differ, and which side this package takes: the one place for it.

The five source documents were trained in PyTorch. A network of a few thousand parameters that trains for a few
hundred steps feels these differences, so each is decided here on purpose and used by every builder and recipe.

| what | PyTorch | Keras's default | here | where it matters |
|---|---|---|---|---|
| batch norm's moving average | momentum 0.1 | 0.99 | 0.9, which is PyTorch's 0.1 | fc_head runs 59 steps an \
epoch: at 0.99 the statistics lag a whole epoch behind |
| batch norm's epsilon | 1e-5 | 1e-3 | 1e-5 | channels that are dark almost everywhere have variances below 1e-3 |
| first weights | uniform, bound 1/sqrt(fan-in) | Glorot uniform | PyTorch's | networks without batch norm: \
base_*, fc_base, evo_base, iter1 to iter3 |
| first biases | uniform, bound 1/sqrt(fan-in) | zeros | PyTorch's | conv_iterations, light_20k, linear heads |
| Adam's epsilon | 1e-8 | 1e-7 | 1e-8 | second moments of rarely active weights late in training |
| weight decay of Adam | L2 added to the gradient of every parameter | decoupled, or a loss term | PyTorch's | \
light_20k only |
| plateau threshold | 1e-4, relative | 1e-4, absolute | 0, absolute | losses near 0.02: an absolute 1e-4 calls \
half a per cent of progress no progress, the relative one is as good as 0 |
| plateau patience | reduces after patience + 1 bad epochs | after patience | Keras's count: PyTorch's 1 is 2 here \
| every plateau recipe |
| momentum of SGD | learning rate outside the velocity | inside | Keras's | only in the few steps after a \
reduction, while old velocity decays |
| batch norm's moving variance | unbiased | biased | Keras's | factor n/(n-1) with n above 6,000: nowhere |
"""

BATCH_NORM_MOMENTUM = 0.9
BATCH_NORM_EPSILON = 1e-5
ADAM_EPSILON = 1e-8
PLATEAU_MIN_DELTA = 0.0

# The constants that the source documents normalise with, as fractions of full brightness.
PIXEL_MEAN = 0.1307
PIXEL_DEVIATION = 0.3081


def uniform_bound(fan_in: int) -> float:
    """The bound of PyTorch's default uniform initialisation of a convolution or linear layer with `fan_in` inputs.

    Source: torch.nn.Conv2d and torch.nn.Linear (kaiming_uniform with a = sqrt(5) comes to 1/sqrt(fan-in)).
    """
    return fan_in**-0.5
