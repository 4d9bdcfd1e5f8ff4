"""Digits as people write them: the strokes of two hands, and a pen that draws them."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy.interpolate import make_interp_spline

# Points that a pen passes, x to the right and y down, in a box of 1 by 1; a corner ends one stroke and begins the next.
ROUND_HAND = {
    0: [
        [(0.5, 0), (0.17, 0.14), (0.05, 0.5), (0.18, 0.87), (0.5, 1), (0.83, 0.86), (0.95, 0.5), (0.8, 0.13), (0.5, 0)]
    ],
    1: [[(0.52, 0), (0.5, 0.5), (0.49, 1)]],
    2: [
        [(0.1, 0.22), (0.28, 0.04), (0.55, 0), (0.82, 0.12), (0.84, 0.34), (0.6, 0.63), (0.3, 0.85), (0.08, 0.98)],
        [(0.08, 0.98), (0.5, 0.97), (0.95, 0.96)],
    ],
    3: [
        [(0.1, 0.1), (0.45, 0), (0.78, 0.1), (0.8, 0.3), (0.6, 0.44), (0.35, 0.48)],
        [(0.35, 0.48), (0.7, 0.52), (0.9, 0.7), (0.78, 0.92), (0.42, 1), (0.06, 0.9)],
    ],
    4: [[(0.3, 0.02), (0.2, 0.3), (0.08, 0.58)], [(0.08, 0.58), (0.5, 0.6), (0.96, 0.57)], [(0.68, 0.2), (0.66, 1)]],
    5: [
        [(0.9, 0.02), (0.55, 0.03), (0.24, 0.04)],
        [(0.24, 0.04), (0.19, 0.25), (0.16, 0.45)],
        [(0.16, 0.45), (0.5, 0.38), (0.82, 0.52), (0.86, 0.76), (0.62, 0.97), (0.3, 1), (0.06, 0.9)],
    ],
    6: [
        [
            (0.75, 0),
            (0.4, 0.2),
            (0.15, 0.55),
            (0.18, 0.85),
            (0.48, 1),
            (0.8, 0.88),
            (0.84, 0.65),
            (0.6, 0.5),
            (0.32, 0.56),
        ]
        + [(0.17, 0.74)]
    ],
    7: [[(0.06, 0.06), (0.5, 0.04), (0.93, 0.03)], [(0.93, 0.03), (0.66, 0.4), (0.5, 0.7), (0.4, 1)]],
    8: [
        [
            (0.82, 0.1),
            (0.5, 0),
            (0.2, 0.12),
            (0.25, 0.35),
            (0.55, 0.5),
            (0.84, 0.7),
            (0.74, 0.93),
            (0.45, 1),
            (0.16, 0.9),
        ]
        + [(0.15, 0.7), (0.45, 0.5), (0.75, 0.32), (0.82, 0.1)]
    ],
    9: [
        [(0.84, 0.2), (0.55, 0), (0.2, 0.1), (0.13, 0.35), (0.4, 0.5), (0.7, 0.42), (0.84, 0.2)],
        [(0.84, 0.2), (0.8, 0.6), (0.74, 1)],
    ],
}
ANGULAR_HAND = {
    0: [
        [
            (0.6, 0.01),
            (0.25, 0.08),
            (0.06, 0.45),
            (0.14, 0.9),
            (0.45, 1),
            (0.8, 0.8),
            (0.93, 0.4),
            (0.82, 0.1),
            (0.52, 0.02),
        ]
    ],
    1: [[(0.25, 0.27), (0.42, 0.14), (0.58, 0)], [(0.58, 0), (0.56, 0.5), (0.55, 1)]],
    2: [
        [(0.08, 0.18), (0.35, 0.01), (0.7, 0.04), (0.86, 0.24), (0.72, 0.52), (0.42, 0.85), (0.18, 0.99), (0.1, 0.88)]
        + [(0.3, 0.83), (0.6, 0.96), (0.95, 0.92)]
    ],
    3: [
        [(0.1, 0.03), (0.5, 0.02), (0.86, 0.02)],
        [(0.86, 0.02), (0.6, 0.22), (0.42, 0.42)],
        [(0.42, 0.42), (0.78, 0.48), (0.9, 0.72), (0.7, 0.95), (0.35, 1), (0.08, 0.88)],
    ],
    4: [
        [(0.66, 0), (0.35, 0.36), (0.05, 0.68)],
        [(0.05, 0.68), (0.5, 0.68), (0.97, 0.67)],
        [(0.66, 0), (0.65, 0.5), (0.65, 1)],
    ],
    5: [
        [(0.3, 0.05), (0.22, 0.26), (0.18, 0.42)],
        [(0.18, 0.42), (0.55, 0.4), (0.84, 0.58), (0.8, 0.84), (0.5, 1), (0.1, 0.95)],
        [(0.3, 0.05), (0.6, 0.06), (0.92, 0.01)],
    ],
    6: [
        [
            (0.6, 0),
            (0.32, 0.25),
            (0.14, 0.6),
            (0.24, 0.92),
            (0.55, 1),
            (0.86, 0.86),
            (0.8, 0.62),
            (0.5, 0.54),
            (0.16, 0.74),
        ]
    ],
    7: [
        [(0.05, 0.14), (0.07, 0.02)],
        [(0.07, 0.02), (0.5, 0.04), (0.92, 0.02)],
        [(0.92, 0.02), (0.68, 0.45), (0.46, 1)],
        [(0.36, 0.52), (0.62, 0.5), (0.88, 0.49)],
    ],
    8: [
        [(0.5, 0.47), (0.22, 0.32), (0.24, 0.1), (0.52, 0), (0.8, 0.12), (0.76, 0.34), (0.5, 0.47)],
        [(0.5, 0.47), (0.14, 0.66), (0.16, 0.9), (0.5, 1), (0.86, 0.9), (0.84, 0.64), (0.5, 0.47)],
    ],
    9: [
        [(0.86, 0.08), (0.5, 0), (0.16, 0.16), (0.14, 0.4), (0.42, 0.52), (0.74, 0.4), (0.86, 0.08)],
        [(0.86, 0.08), (0.88, 0.5), (0.78, 0.82), (0.5, 1), (0.2, 0.93)],
    ],
}
FINE = 3  # strokes are drawn so many times larger and averaged: smooth edges


def write_digit(digit: int, hand: dict, generator: np.random.Generator) -> list[np.ndarray]:
    """One digit in a hand, never twice alike: the points (n, 2) of each stroke, about a height of 1 around (0, 0)."""
    slant, turn = generator.normal(0.08, 0.08), np.radians(generator.normal(0, 3))
    width = generator.uniform(0.6, 0.75) * (0.8 if digit == 1 else 1)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shape = turned @ np.array([[width, -slant], [0, 1]])
    moved: dict[tuple, np.ndarray] = {}  # so that strokes which meet go on meeting
    strokes = []
    for points in hand[digit]:
        for point in points:
            moved.setdefault(point, np.array(point) - 0.5 + generator.normal(0, 0.022, 2))
        strokes.append(_smooth(np.array([moved[point] for point in points])) @ shape.T)
    return strokes


def _smooth(points: np.ndarray) -> np.ndarray:
    """A curve through the points."""
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    curve = make_interp_spline(lengths, points, k=min(3, len(points) - 1))
    return curve(np.linspace(0, lengths[-1], 90))


def draw_strokes(size: tuple[int, int], strokes: list[np.ndarray], width: float, generator) -> np.ndarray:
    """What a round pen of a width leaves on a page of (columns, rows) pixels: cover (rows, columns) of 0..1.

    The pressure of the hand varies the width a little.
    """
    page = Image.new("L", (size[0] * FINE, size[1] * FINE))
    draw = ImageDraw.Draw(page)
    for stroke in strokes:
        pressure = 1 + 0.12 * np.sin(np.linspace(0, 3, len(stroke)) + generator.uniform(0, 6))
        fine = stroke * FINE
        for (x0, y0), (x1, y1), diameter in zip(
            fine, np.vstack([fine[1:], fine[-1:]]), pressure * width * FINE, strict=True
        ):
            draw.line((x0, y0, x1, y1), fill=255, width=max(1, round(diameter)))
            radius = diameter / 2
            draw.ellipse((x0 - radius, y0 - radius, x0 + radius, y0 + radius), fill=255)
    return np.asarray(page.reduce(FINE), np.float64) / 255
