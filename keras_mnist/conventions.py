"""Where frameworks differ, and which side this package takes: the one place for it.

The five source documents were trained in PyTorch. A network of a few thousand parameters that trains for a few
hundred steps feels these differences, so each is decided here on purpose and used by every builder and recipe.

Taken from PyTorch:

- Batch norm's moving average: 0.9 of the old value (PyTorch calls it momentum 0.1; Keras's default is 0.99). It matters
  in fc_head, whose epochs have 59 steps: at 0.99 the statistics lag a whole epoch behind.
- Batch norm's epsilon: 1e-5 (Keras: 1e-3). Channels that are dark almost everywhere have variances below 1e-3.
- First weights and biases: uniform within 1/sqrt(fan-in) (Keras: Glorot uniform and zeros). It matters in networks
  without batch norm: base_*, fc_base, fc_dropout, evo_base, iter1 to iter3.
- Adam's epsilon: 1e-8 (Keras: 1e-7). It matters for weights that are rarely active, late in training.
- Weight decay of Adam: L2, added to the gradient of every parameter (Keras: decoupled, or a term of the loss). Only
  light_20k has it.
- Plateau threshold: 0 (PyTorch: a ten-thousandth of the loss; Keras: an absolute 1e-4). At losses near 0.02 an absolute
  1e-4 calls half a per cent of progress none; the relative one is as good as 0.

Kept as in Keras:

- Plateau patience counts the epochs after which the rate drops: PyTorch's patience 1 is written 2 here.
- SGD's velocity includes the learning rate. It differs from PyTorch in the few steps after a reduction alone, while old
  velocity decays.
- Batch norm's moving variance is the biased one: a factor of n/(n-1) with n above 1,000, which matters nowhere.
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
