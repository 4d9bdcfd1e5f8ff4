"""Finding ink in a picture: what is drawn on what, in any light, dark on bright or bright on dark."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from keras_mnist.errors import UsageError

EVEN_PAPER = 4.0  # grey levels by which even paper may vary along the edge of a picture
FAINTEST = 12.0  # grey levels between paper and the faintest ink
FAINT_SHARE = 0.2  # of the darkest ink, below which there is none on even paper
NOISE_FACTOR = 8.0  # ink stands out from the noise by so many deviations
STROKE_SHARE = 0.3  # a stroke in uneven light is thinner than this share of the picture's shorter side
EVERYWHERE = np.ones((3, 3), bool)  # pixels that touch at a corner belong together


@dataclasses.dataclass(frozen=True)
class Ink:
    """How much ink lies on each pixel, (rows, columns) of 0..1, where there surely is some, and what was found."""

    strength: np.ndarray
    mask: np.ndarray
    notes: list[str]


def find_ink(grey: np.ndarray) -> Ink:
    """The ink of a picture (rows, columns) of 0..255.

    Raises: UsageError if nothing is drawn on it.
    """
    even = _even_paper(grey)
    contrast, notes = _on_uneven_paper(grey) if even is None else _on_even_paper(grey, even)
    floor = max(FAINTEST, NOISE_FACTOR * _noise(contrast))
    visible = contrast[contrast > floor]
    if visible.size < 4:
        raise UsageError("nothing drawn, expected a digit that stands out from its paper")
    if even is not None:
        full = np.percentile(visible, 99)
        return Ink(np.clip(contrast / full, 0, 1), contrast > max(floor, FAINT_SHARE * full), notes)
    mask = contrast > max(floor, otsu(visible))
    paper = contrast[~ndimage.binary_dilation(mask, EVERYWHERE, iterations=3)]
    full = np.percentile(contrast[mask], 90)
    # What the paper reaches, such as its lines, is no ink.
    low = min(np.percentile(paper, 99), full / 2) if paper.size else 0.0
    return Ink(np.clip((contrast - low) / (full - low), 0, 1), mask, notes)


def _even_paper(grey: np.ndarray) -> float | None:
    """The grey level of paper that is alike along the edge of the picture; None if it is not."""
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = float(np.median(edge))
    return paper if np.mean(np.abs(edge - paper) <= EVEN_PAPER) > 0.9 else None


def _on_even_paper(grey: np.ndarray, paper: float) -> tuple[np.ndarray, list[str]]:
    """By how many grey levels each pixel differs from its paper, towards the ink, and what was found."""
    contrast = grey - paper
    if -contrast.min() > contrast.max():
        return np.maximum(-contrast, 0), ["inverted"]
    return np.maximum(contrast, 0), []


def _on_uneven_paper(grey: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The same where paper is what remains of the picture without its strokes."""
    size = 2 * round(STROKE_SHARE * min(grey.shape) / 2) + 1
    if not _is_bright_paper(grey):
        return grey - ndimage.grey_opening(grey, (size, size)), ["light evened out"]
    paper = np.maximum(ndimage.grey_closing(grey, (size, size)), 1)
    # A share of the light that falls there: ink in a shadow is as dark as any.
    return 255 * (1 - grey / paper), ["inverted", "light evened out"]


def _is_bright_paper(grey: np.ndarray) -> bool:
    """Whether what differs from its surroundings is darker than they are."""
    step = max(1, min(grey.shape) // 32)
    few = ndimage.uniform_filter(grey, step)[step // 2 :: step, step // 2 :: step]
    around = ndimage.median_filter(few, size=[side // 2 + 1 for side in few.shape])
    return np.sum((few - around) ** 3) < 0


def _noise(contrast: np.ndarray) -> float:
    """The deviation of a pixel from its neighbour, of which most are paper."""
    differences = np.abs(np.diff(contrast, axis=1))
    return 1.4826 * float(np.median(differences)) / 2**0.5 if differences.size else 0.0


def otsu(values: np.ndarray) -> float:
    """The threshold that parts values into two classes, each as alike within itself as can be (Otsu, 1979)."""
    counts, edges = np.histogram(values, 256)
    middles = (edges[1:] + edges[:-1]) / 2
    below, total = np.cumsum(counts), np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (total / below - (total[-1] - total) / above) ** 2
    return float(edges[1:][np.nanargmax(between[:-1])]) if len(np.unique(values)) > 1 else float(values.flat[0]) - 1
