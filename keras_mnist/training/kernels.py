"""Batch norm, ReLU and dropout as loops over a whole activation, compiled by Numba.

An activation is a flat float32 array of rows with one value a channel. Each value z goes through

    r = max(z, 0) if relu_first    u = gain * r + offset    v = max(u, 0) if relu_last    y = v if kept, else 0

and the loops read it once where single operations would read and write it five times. Rows are taken 16 at a time with
the channels' numbers repeated 16 times beside them: whatever the number of channels, vector registers are full.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

ROWS = 16
ZERO = np.float32(0)


class Switches(NamedTuple):
    """What the loops do to each value; a value is dropped if its random number is below `threshold` of 2**32."""

    relu_first: bool
    relu_last: bool
    threshold: np.uint32
    key: np.uint32
    second_key: np.uint32


def _compiled(function):
    """Compile at the first call, and keep the result for later processes where a folder can be written."""
    # Sums may be added up in any order, which vector registers need; infinities and NaN keep their meaning.
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract", "nsz"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to write
        return numba.njit(**options)(function)


@_compiled
def _random(place, switches):
    """A random number for a place in an activation: the hash that Wellons's search found least biased, keyed twice.

    TensorFlow's Philox costs ten times as much, and this needs no memory: the gradient draws the same numbers again.

    Source: Chris Wellons, Prospecting for Hash Functions (2018), "lowbias32".
    """
    # Numba widens every product to 64 bits; the hash is one of 32.
    number = np.uint32(place) ^ switches.key
    number = np.uint32((number ^ (number >> np.uint32(16))) * np.uint32(0x7FEB352D))
    number = np.uint32((number ^ (number >> np.uint32(15))) + switches.second_key)
    number = np.uint32(number * np.uint32(0x846CA68B))
    return np.uint32(number ^ (number >> np.uint32(16)))


@_compiled
def _wide(channel_values):
    """The channels' numbers, once for each of 16 rows."""
    channels = len(channel_values)
    result = np.empty(ROWS * channels, np.float32)
    for row in range(ROWS):
        result[row * channels : (row + 1) * channels] = channel_values
    return result


@_compiled
def _add_rows(wide, totals):
    """Add sums over 16 rows to the channels' totals and start again at zero."""
    for row in range(ROWS):
        for channel in range(len(totals)):
            totals[channel] += wide[row * len(totals) + channel]
    wide[:] = 0


@_compiled
def moments(values, shift, switches, begin, totals):
    """Add up r - shift and its square for each channel to totals (2, channels)."""
    shift = _wide(shift)
    width = len(shift)
    first, second = np.zeros(width, np.float32), np.zeros(width, np.float32)
    for number in range(-(-len(values) // width)):
        piece = values[number * width : (number + 1) * width]
        for place in range(len(piece)):
            value = piece[place]
            if switches.relu_first:
                value = max(value, ZERO)
            value -= shift[place]
            first[place] += value
            second[place] += value * value
        if number % 64 == 63:  # float32 stays exact enough over so many
            _add_rows(first, totals[0])
            _add_rows(second, totals[1])
    _add_rows(first, totals[0])
    _add_rows(second, totals[1])


@_compiled
def forward(values, gain, offset, switches, begin, result):
    """Write y to `result`; the values are those from place `begin` of the activation on."""
    gain, offset = _wide(gain), _wide(offset)
    width = len(gain)
    for start in range(0, len(values), width):
        piece, out = values[start : start + width], result[start : start + width]
        for place in range(len(piece)):
            value = piece[place]
            if switches.relu_first:
                value = max(value, ZERO)
            value = gain[place] * value + offset[place]
            if switches.relu_last:
                value = max(value, ZERO)
            if switches.threshold:
                value = value if _random(begin + start + place, switches) >= switches.threshold else ZERO
            out[place] = value


@_compiled
def _passed_back(gradient, value, gain, offset, place, switches):
    """The gradient of u, from that of y and from r."""
    if switches.relu_last:
        gradient = gradient if gain * value + offset > 0 else ZERO
    if switches.threshold:
        gradient = gradient if _random(place, switches) >= switches.threshold else ZERO
    return gradient


@_compiled
def gradient_sums(gradients, values, gain, offset, mean, switches, begin, totals):
    """Add up the gradient of u, and that times r - mean, for each channel to totals (2, channels)."""
    gain, offset, mean = _wide(gain), _wide(offset), _wide(mean)
    width = len(gain)
    first, second = np.zeros(width, np.float32), np.zeros(width, np.float32)
    for number in range(-(-len(values) // width)):
        start = number * width
        piece, gradient_piece = values[start : start + width], gradients[start : start + width]
        for place in range(len(piece)):
            value, gradient = piece[place], gradient_piece[place]
            if switches.relu_first:
                value = max(value, ZERO)
            gradient = _passed_back(gradient, value, gain[place], offset[place], begin + start + place, switches)
            first[place] += gradient
            second[place] += gradient * (value - mean[place])
        if number % 64 == 63:
            _add_rows(first, totals[0])
            _add_rows(second, totals[1])
    _add_rows(first, totals[0])
    _add_rows(second, totals[1])


@_compiled
def backward(gradients, values, gain, offset, mean, constant, slope, switches, begin, result):
    """Write the gradient of z to `result`: gain * that of u + constant + slope * (r - mean)."""
    gain, offset, mean, constant, slope = _wide(gain), _wide(offset), _wide(mean), _wide(constant), _wide(slope)
    width = len(gain)
    for start in range(0, len(values), width):
        piece, gradient_piece = values[start : start + width], gradients[start : start + width]
        out = result[start : start + width]
        for place in range(len(piece)):
            before, gradient = piece[place], gradient_piece[place]
            value = max(before, ZERO) if switches.relu_first else before
            gradient = _passed_back(gradient, value, gain[place], offset[place], begin + start + place, switches)
            gradient = gain[place] * gradient + constant[place] + slope[place] * (value - mean[place])
            if switches.relu_first:
                gradient = gradient if before > 0 else ZERO
            out[place] = gradient
