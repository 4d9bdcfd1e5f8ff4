"""From ink to digits: what belongs together, what is dirt, and how thick the strokes are."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from keras_mnist.data.ink import EVERYWHERE, Ink
from keras_mnist.errors import UsageError

MOST_PIECES = 60  # long ones, which digits may be
DIGIT_SHARE = 0.4  # a digit is at least this share of the longest piece of ink
PIECE_SHARE, PIECE_GAP = 0.03, 0.12  # a piece of a digit is this long, and this near to it, as shares of its length
REACH = 2  # pixels
EDGE_SHARE = 0.3  # what lies along the picture's edge for this share of its shorter side is no digit
DIRT_SHARE = 0.25  # unless all else is shorter than this share of it
OVERLAP = 0.4  # pieces above each other by this share of the narrower are one digit


def digits_of(ink: Ink) -> tuple[list[np.ndarray], list[str]]:
    """The strength of each digit's ink alone, (rows, columns) of 0..1, from left to right, and what was left out.

    Raises: UsageError if there are too many.
    """
    labels, _ = ndimage.label(ink.mask, EVERYWHERE)
    groups, specks = _groups(_extents(labels), _along_the_edge(labels))
    # Each pixel belongs to the piece nearest to it, and counts if that is near: the soft edges of strokes.
    distance, nearest = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    owner = np.where(distance <= REACH, labels[tuple(nearest)], 0)
    digits = [np.where(np.isin(owner, group), ink.strength, 0) for group in groups]
    # A pale digit beside a dark one is as good as alone.
    digits = [strength / strength.max() for strength in digits]
    return digits, [f"{specks} specks left out" if specks > 1 else "1 speck left out"] if specks else []


def _extents(labels: np.ndarray) -> np.ndarray:
    """The box of each piece: (n, 4) of top, left, bottom, right."""
    boxes = ndimage.find_objects(labels)
    return np.array([[rows.start, columns.start, rows.stop, columns.stop] for rows, columns in boxes])


def _along_the_edge(labels: np.ndarray) -> np.ndarray:
    """Which pieces lie along the edge of the picture, as a table does beside the paper: (n,) bool."""
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.bincount(edge, minlength=labels.max() + 1)[1:] > EDGE_SHARE * min(labels.shape)


def _groups(extents: np.ndarray, dirt: np.ndarray) -> tuple[list[list[int]], int]:
    """The numbers of the pieces of each digit, from left to right, and how many pieces belong to none."""
    lengths = np.max(extents[:, 2:] - extents[:, :2], axis=1)
    if lengths[~dirt].max(initial=0) < DIRT_SHARE * lengths.max():  # then it is no dirt: a digit that fills the picture
        dirt = np.zeros_like(dirt)
    longest = lengths[~dirt].max()
    main = np.flatnonzero(~dirt & (lengths >= DIGIT_SHARE * longest))
    if len(main) > MOST_PIECES:
        raise UsageError(
            f"{len(main):,} strokes, as of a page of text, expected one digit or some in a row; cut them out"
        )
    groups: list[list[int]] = []
    for index in main[np.argsort(extents[main, 1] + extents[main, 3], kind="stable")]:
        of = next((group for group in groups if _one_digit(_union(extents[group]), extents[index])), None)
        if of is None:
            groups.append([index])
        else:
            of.append(index)
    small = np.flatnonzero(~dirt & (lengths < DIGIT_SHARE * longest) & (lengths >= PIECE_SHARE * longest))
    joined = sum(_joined(index, groups, extents) for index in small[np.argsort(-lengths[small], kind="stable")])
    return [[index + 1 for index in group] for group in groups], len(extents) - len(main) - joined


def _joined(index: int, groups: list[list[int]], extents: np.ndarray) -> bool:
    """Add a small piece to the digit that it belongs to: whether there is one."""
    gaps = [_gap(extents[group], extents[index]) for group in groups]
    nearest = groups[int(np.argmin(gaps))]
    size, length = (_length(box) for box in (_union(extents[nearest]), extents[index]))
    # The smaller a piece is, the nearer it has to be.
    belongs = min(gaps) <= PIECE_GAP * min(size, 4 * length)
    if belongs:
        nearest.append(index)
    return bool(belongs)


def _length(box: np.ndarray) -> int:
    return max(box[2:] - box[:2])


def _union(extents: np.ndarray) -> np.ndarray:
    return np.concatenate([extents[:, :2].min(axis=0), extents[:, 2:].max(axis=0)])


def _gap(pieces: np.ndarray, other: np.ndarray) -> float:
    """The distance of a box from the nearest of others, (n, 4)."""
    apart = np.maximum(pieces[:, :2] - other[2:], other[:2] - pieces[:, 2:])
    return float(np.hypot(*np.maximum(apart, 0).T).min())


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
