"""From ink to digits: what belongs together, what is dirt, and how thick the strokes are."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from keras_mnist.data.ink import EVERYWHERE, Ink

DIGIT_SHARE = 0.4  # a digit is at least this share of the longest piece of ink
PIECE_SHARE, PIECE_GAP = 0.03, 0.12  # a piece of a digit is this long, and this near to it, as shares of its length
OVERLAP = 0.4  # pieces above each other by this share of the narrower are one digit


def digits_of(ink: Ink) -> tuple[list[np.ndarray], list[str]]:
    """The strength of each digit's ink alone, (rows, columns) of 0..1, from left to right, and what was left out."""
    labels, count = ndimage.label(ink.mask, EVERYWHERE)
    boxes = ndimage.find_objects(labels)
    groups, specks = _groups(boxes, ink.mask.shape)
    reach = 2
    # Each pixel belongs to the piece nearest to it, and counts if that is near.
    distance, nearest = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    owner = np.where(distance <= reach, labels[tuple(nearest)], 0)
    digits = [np.where(np.isin(owner, group), ink.strength, 0) for group in groups]
    return digits, [f"{specks} specks left out" if specks > 1 else "1 speck left out"] if specks else []


def _groups(boxes: list[tuple[slice, slice]], shape) -> tuple[list[list[int]], int]:
    """The numbers of the pieces of each digit, from left to right, and how many pieces belong to none."""
    extents = np.array([[box[0].start, box[1].start, box[0].stop, box[1].stop] for box in boxes])
    lengths = np.max(extents[:, 2:] - extents[:, :2], axis=1)
    inside = np.all((extents[:, :2] > 0) & (extents[:, 2:] < np.array(shape)), axis=1)
    longest = lengths[inside].max() if inside.any() else lengths.max()
    if longest < 0.25 * lengths.max():
        longest, inside = lengths.max(), np.ones(len(boxes), bool)
    main = np.flatnonzero((lengths >= DIGIT_SHARE * longest) & inside)
    groups: list[list[int]] = []
    for index in main[np.argsort(extents[main, 1] + extents[main, 3])]:
        for group in groups:
            if _one_digit(_union(extents[group]), extents[index]):
                group.append(index)
                break
        else:
            groups.append([index])
    rest = [index for index in np.argsort(-lengths) if index not in main]
    specks = 0
    for index in rest:
        gaps = [min(_gap(extents[piece], extents[index]) for piece in group) for group in groups]
        best = int(np.argmin(gaps))
        box = _union(extents[groups[best]])
        size = max(box[2:] - box[:2])
        if lengths[index] >= PIECE_SHARE * size and gaps[best] <= PIECE_GAP * size * min(1, 4 * lengths[index] / size):
            groups[best].append(index)
        else:
            specks += 1
    return [[index + 1 for index in group] for group in groups], specks


def _union(extents: np.ndarray) -> np.ndarray:
    return np.concatenate([extents[:, :2].min(axis=0), extents[:, 2:].max(axis=0)])


def _gap(one: np.ndarray, other: np.ndarray) -> float:
    """The distance between two boxes."""
    apart = np.maximum(0, np.maximum(one[:2] - other[2:], other[:2] - one[2:]))
    return float(np.hypot(*apart))


def _one_digit(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two long pieces are above each other, or follow each other in a slanting line."""
    rows, columns = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    height, width = np.minimum(one[2:] - one[:2], other[2:] - other[:2])
    return columns >= OVERLAP * width or (rows < OVERLAP * height and -columns < OVERLAP * height)


def stroke_width(strength: np.ndarray) -> float:
    """The width of a digit's strokes as a share of its longer side; the strength (rows, columns) is cropped to it."""
    times = max(1, round(160 / max(strength.shape)))
    fine = ndimage.zoom(strength, times, order=1, grid_mode=True, mode="grid-constant") if times > 1 else strength
    inside = ndimage.distance_transform_edt(np.pad(fine > 0.5, 1))
    inside = inside[inside > 0]
    # Across a stroke the distance to its edge grows from 0 to half the width: a quarter of it on average.
    return (4 * inside.mean() - 1) / max(fine.shape) if inside.size else 0.0


def thicker(strength: np.ndarray, pixels: float) -> np.ndarray:
    """A digit's ink with strokes that reach further by so many pixels on all sides, in a larger array."""
    far = ndimage.distance_transform_edt(np.pad(strength, int(np.ceil(pixels)) + 1) <= 0.5)
    return np.clip(pixels + 1 - far, 0, 1)
