"""Batch norm, ReLU and dropout computed together: TensorFlow operations that Numba compiles.

An activation is a float32 array of rows with one value for each channel. What becomes of a value z:

    r = max(z, 0) if relu_first    u = gain * r + offset    v = max(u, 0) if relu_last    y = v if kept, else 0

One loop does all of it, where separate layers would read and write the whole activation five times. A loop takes 16
rows at once, as one long row of 16 * channels lanes: a processor computes many lanes at once, and so it stays busy
whatever the number of channels. The numbers of the channels (mean, gain, ...) are repeated 16 times to match.

The batch is divided into shards, one for each core. The operations take some of these inputs:

    values, gradients: z, and the gradient of y, of one shard (images, ..., channels)
    statistics: mean and variance of r over the whole batch (2, channels)
    gamma, beta: the norm's weights (channels,)
    settings: relu_first, relu_last, epsilon of the norm, and the share of values dropped (4)
    seed: two numbers, new ones at each step
    position: index of the shard's first value in the batch, and rows of the whole batch (2)
    weight_gradients: gradients of beta and gamma over the whole batch (2, channels)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from keras_mnist.ops import custom_op

ROWS = 16
FAR = 30  # deviations that a mean may lie from zero before float32 loses digits that matter
ZERO = np.float32(0)


class Switches(NamedTuple):
    """What the loops do to each value; a value is dropped if its random number is below `threshold`."""

    relu_first: bool
    relu_last: bool
    threshold: np.uint32
    key: np.uint32
    second_key: np.uint32


class FusedLayers(NamedTuple):
    """What most operations make of their first inputs; dropout's factor `scale` is in gain and offset.

    The loops compute gain * r + offset, with the mean inside the offset: in float32 that is exact enough unless a mean
    is far from zero, counted in deviations. Then they are given r - mean instead of z, and an offset without it. What
    float32 takes from the mean is in `lost`.
    """

    switches: Switches
    gain: np.ndarray
    offset: np.ndarray
    mean: np.ndarray
    lost: np.ndarray
    deviation: np.ndarray
    scale: float
    begin: int
    rows: int
    far: bool
    relu_first: bool


FUSED_INPUTS = "statistics: double", "gamma: float", "beta: float", "settings: double", "seed: int64", "position: int64"


@custom_op.compiled
def _fused_layers(context):
    statistics, settings = custom_op.doubles(context, 0)[0], custom_op.doubles(context, 3)[0]
    gamma, beta = custom_op.floats(context, 1)[0], custom_op.floats(context, 2)[0]
    seed, position = custom_op.integers(context, 4), custom_op.integers(context, 5)
    scale, channels = 1 / (1 - settings[3]), len(gamma)
    exact, variance, relu_first, far = statistics[:channels], statistics[channels:], settings[0] > 0, False
    mean, lost, deviation = np.empty(channels), np.empty(channels), np.empty(channels)
    for channel in range(channels):
        mean[channel] = np.float32(exact[channel])
        lost[channel] = exact[channel] - mean[channel]
        deviation[channel] = math.sqrt(variance[channel] + settings[2])
        far |= abs(exact[channel] / deviation[channel]) > FAR
    gain, offset, subtracted = np.empty(channels), np.empty(channels), lost if far else exact
    for channel in range(channels):
        gain[channel] = scale * gamma[channel] / deviation[channel]
        offset[channel] = scale * beta[channel] - gain[channel] * subtracted[channel]
    threshold = np.uint32(round(settings[3] * 2**32))
    switches = Switches(relu_first and not far, settings[1] > 0, threshold, *_keys(seed))
    return FusedLayers(switches, gain, offset, mean, lost, deviation, scale, position[0], position[1], far, relu_first)


@custom_op.compiled
def _centred(values, mean, relu_first):
    """r - mean, of z."""
    width, result = len(mean), np.empty(len(values), np.float32)
    for start in range(0, len(values), width):
        piece, out = values[start : start + width], result[start : start + width]
        for lane in range(len(piece)):
            out[lane] = (_relu(piece[lane]) if relu_first else piece[lane]) - mean[lane]
    return result


@custom_op.inlined
def _keys(seed):
    """Two numbers that share nothing with those of the next step, whose seed differs by one.

    Source: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators (2014), with Vigna's constants.
    """
    number = (np.uint64(seed[0]) << np.uint64(32)) + np.uint64(seed[1]) + np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    number = number ^ (number >> np.uint64(31))
    return np.uint32(number), np.uint32(number >> np.uint64(32))


@custom_op.inlined
def _random(position, switches):
    """A random number for a position in an activation: the hash that Wellons's search found least biased, keyed twice.

    TensorFlow's Philox costs ten times as much, and this needs no memory: the gradient draws the same numbers again.

    Source: Chris Wellons, Prospecting for Hash Functions (2018), "lowbias32".
    """
    # Numba widens every product to 64 bits; the hash is one of 32.
    number = np.uint32(position) ^ switches.key
    number = np.uint32((number ^ (number >> np.uint32(16))) * np.uint32(0x7FEB352D))
    number = np.uint32((number ^ (number >> np.uint32(15))) + switches.second_key)
    number = np.uint32(number * np.uint32(0x846CA68B))
    return np.uint32(number ^ (number >> np.uint32(16)))


@custom_op.inlined
def _relu(value):
    """Written so that NaN stays NaN, as in plain layers: a run that diverged must be seen to."""
    return ZERO if value < ZERO else value


@custom_op.compiled
def _wide(channel_values):
    """The channels' numbers, once for each of 16 rows."""
    result = np.empty(ROWS * len(channel_values), np.float32)
    _fill(result, channel_values)
    return result


@custom_op.compiled
def _fill(wide, channel_values):
    for channel in range(len(channel_values)):
        for lane in range(channel, len(wide), len(channel_values)):
            wide[lane] = channel_values[channel]


@custom_op.compiled
def _add_rows(wide, totals):
    """Add sums over 16 rows to the channels' totals and start again at zero."""
    for channel in range(len(totals)):
        for lane in range(channel, len(wide), len(totals)):
            totals[channel] += wide[lane]
    wide[:] = 0


@custom_op.operation("values: float", "settings: double", gives="moments: double")
def moments(_, context):
    """For each channel the number of values r, their mean, and the sum of squares around it: (3, channels)."""
    values, shape = custom_op.floats(context, 0)
    relu_first = custom_op.doubles(context, 1)[0][0] > 0
    _add_moments(values, relu_first, custom_op.doubles_out(context, np.array([3, shape[-1]])))


@custom_op.compiled
def _add_moments(values, relu_first, moments):
    """Sum up blocks of rows, each around the mean of all rows before it: float32 keeps its digits where they matter.

    That mean may be far from a block's values, but a block is no longer than all that lies before it: then the
    variance of them together is so large that what the block lost does not count.
    """
    moments[:] = 0
    channels = len(moments) // 3
    width = ROWS * channels
    shift, first, second = np.zeros(width, np.float32), np.zeros(width, np.float32), np.zeros(width, np.float32)
    for channel in range(min(channels, len(values))):
        moments[channels + channel] = _relu(values[channel]) if relu_first else values[channel]
    end = 0
    while end < len(values):
        begin, end = end, min(end + width * min(max(end // width, 1), 64), len(values))
        _fill(shift, moments[channels : 2 * channels])
        for start in range(begin, end, width):
            piece = values[start : min(start + width, end)]
            for lane in range(len(piece)):
                value = piece[lane]
                if relu_first:
                    value = _relu(value)
                value -= shift[lane]
                first[lane] += value
                second[lane] += value * value
        _merge_block(first, second, shift, (end - begin) // channels, moments)


@custom_op.compiled
def _merge_block(first, second, shift, rows, moments):
    """Merge a block's sums of differences to the shift, and of their squares; start both again at zero."""
    channels = len(moments) // 3
    for channel in range(channels):
        difference = square = 0.0
        for lane in range(channel, len(first), channels):
            difference += first[lane]
            square += second[lane]
        squares = square - difference * difference / rows
        squares = 0.0 if squares < 0 else squares
        _merge(moments[channel::channels], rows, shift[channel] + difference / rows, squares)
    first[:] = 0
    second[:] = 0


@custom_op.inlined
def _merge(moments, count, mean, squares):
    """Merge the moments of further values of a channel.

    Source: Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances (1979).
    """
    difference, share = mean - moments[1], count / (moments[0] + count)
    moments[2] += squares + difference * difference * share * moments[0]
    moments[1] += difference * share
    moments[0] += count


@custom_op.operation("moments: double", gives="statistics: double")
def merge(_, context):
    """Mean and variance over the whole batch, (2, channels), from the moments of its shards, (shards, 3, channels)."""
    moments, shape = custom_op.doubles(context, 0)
    channels = shape[2]
    statistics = custom_op.doubles_out(context, np.array([2, channels]))
    for channel in range(channels):
        whole = np.zeros(3)
        for start in range(channel, len(moments), 3 * channels):
            count = moments[start]
            if count:
                _merge(whole, count, moments[start + channels], moments[start + 2 * channels])
        statistics[channel], statistics[channels + channel] = whole[1], whole[2] / whole[0]


@custom_op.operation(*FUSED_INPUTS, "values: float", gives="result: float")
def forward(_, context):
    """y, of the shape of the values."""
    layers = _fused_layers(context)
    values, shape = custom_op.floats(context, 6)
    result = custom_op.floats_out(context, shape)
    if layers.far:
        values = _centred(values, _wide(layers.mean), layers.relu_first)
    _forward(values, _wide(layers.gain), _wide(layers.offset), layers.switches, layers.begin, result)


@custom_op.inlined
def _forward(values, gain, offset, switches, begin, result):
    width = len(gain)
    for start in range(0, len(values), width):
        piece, out = values[start : start + width], result[start : start + width]
        for lane in range(len(piece)):
            value = piece[lane]
            if switches.relu_first:
                value = _relu(value)
            value = gain[lane] * value + offset[lane]
            if switches.relu_last:
                value = _relu(value)
            if switches.threshold:
                value = value if _random(begin + start + lane, switches) >= switches.threshold else ZERO
            out[lane] = value


@custom_op.inlined
def _passed_back(gradient, value, gain, offset, position, switches):
    """The gradient of u, from that of y and from what the loops compute u of."""
    if switches.relu_last:
        gradient = gradient if gain * value + offset > 0 else ZERO
    if switches.threshold:
        gradient = gradient if _random(position, switches) >= switches.threshold else ZERO
    return gradient


@custom_op.operation(*FUSED_INPUTS, "values: float", "gradients: float", gives="weight_gradients: double")
def gradient_sums(_, context):
    """The gradients of beta and gamma as far as this shard goes: (2, channels)."""
    layers = _fused_layers(context)
    values, gradients = custom_op.floats(context, 6)[0], custom_op.floats(context, 7)[0]
    channels = len(layers.mean)
    totals = custom_op.doubles_out(context, np.array([2, channels]))
    for_beta, for_gamma = totals[:channels], totals[channels:]
    mean = _wide(layers.mean)
    if layers.far:
        values = _centred(values, mean, layers.relu_first)
        mean[:] = 0
    gain, offset = _wide(layers.gain), _wide(layers.offset)
    _add_gradients(gradients, values, gain, offset, mean, layers.switches, layers.begin, for_beta, for_gamma)
    for channel in range(channels):
        for_gamma[channel] -= layers.lost[channel] * for_beta[channel]
        for_beta[channel] *= layers.scale
        for_gamma[channel] *= layers.scale / layers.deviation[channel]


@custom_op.compiled
def _add_gradients(gradients, values, gain, offset, mean, switches, begin, for_beta, for_gamma):
    """Add up the gradient of u, and that times r - mean, for each channel."""
    for_beta[:] = 0
    for_gamma[:] = 0
    width = len(gain)
    first, second = np.zeros(width, np.float32), np.zeros(width, np.float32)
    for number in range(-(-len(values) // width)):
        start = number * width
        piece, gradient_piece = values[start : start + width], gradients[start : start + width]
        for lane in range(len(piece)):
            value, gradient = piece[lane], gradient_piece[lane]
            if switches.relu_first:
                value = _relu(value)
            gradient = _passed_back(gradient, value, gain[lane], offset[lane], begin + start + lane, switches)
            first[lane] += gradient
            second[lane] += gradient * (value - mean[lane])
        if number % 64 == 63:
            _add_rows(first, for_beta)
            _add_rows(second, for_gamma)
    _add_rows(first, for_beta)
    _add_rows(second, for_gamma)


@custom_op.operation(
    *FUSED_INPUTS, "values: float", "gradients: float", "weight_gradients: double", gives="result: float"
)
def backward(_, context):
    """The gradient of z, of its shape."""
    layers = _fused_layers(context)
    values, shape = custom_op.floats(context, 6)
    gradients, weight_gradients = custom_op.floats(context, 7)[0], custom_op.doubles(context, 8)[0]
    result, channels = custom_op.floats_out(context, shape), len(layers.mean)
    for_beta, for_gamma = weight_gradients[:channels], weight_gradients[channels:]
    constant, factor = np.empty(channels), np.empty(channels)
    for channel in range(channels):
        share = -layers.gain[channel] / layers.scale / layers.rows
        factor[channel] = share * for_gamma[channel] / layers.deviation[channel]
        constant[channel] = share * for_beta[channel] - factor[channel] * layers.lost[channel]
        if not layers.far:
            constant[channel] -= factor[channel] * layers.mean[channel]
    inputs = _centred(values, _wide(layers.mean), layers.relu_first) if layers.far else values
    gain, offset = _wide(layers.gain), _wide(layers.offset)
    _backward(gradients, inputs, gain, offset, _wide(constant), _wide(factor), layers.switches, layers.begin, result)
    if layers.far and layers.relu_first:
        for index in range(len(values)):
            if values[index] <= 0:
                result[index] = ZERO


@custom_op.inlined
def _backward(gradients, values, gain, offset, constant, factor, switches, begin, result):
    """Write gain * the gradient of u + constant + factor * r."""
    width = len(gain)
    for start in range(0, len(values), width):
        piece, gradient_piece = values[start : start + width], gradients[start : start + width]
        out = result[start : start + width]
        for lane in range(len(piece)):
            before, gradient = piece[lane], gradient_piece[lane]
            value = _relu(before) if switches.relu_first else before
            gradient = _passed_back(gradient, value, gain[lane], offset[lane], begin + start + lane, switches)
            gradient = gain[lane] * gradient + constant[lane] + factor[lane] * value
            if switches.relu_first:
                gradient = gradient if before > 0 else ZERO
            out[lane] = gradient
