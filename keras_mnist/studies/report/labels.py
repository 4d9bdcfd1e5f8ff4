"""Names beside points of a drawing, where there is room."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from keras_mnist.results.drawing import GREY

# Where a name may stand, seen from its point: beside it first, then farther away, with a thin line between the two.
DISTANCES = (5, 16, 30, 46, 64)  # points
DIRECTIONS = ((1, 0.6), (-1, 0.6), (1, -0.6), (-1, -0.6), (1, 0), (-1, 0), (0, 1), (0, -1))
OFFSETS = [(distance * across, distance * up) for distance in DISTANCES for across, up in DIRECTIONS]
MARK = 4  # pixels from a point's middle to its edge, with a little air
LINE = {"arrowstyle": "-", "linewidth": 0.5, "color": GREY, "shrinkA": 0, "shrinkB": 3}


def name_points(axes: Axes, points: list[tuple[str, float, float]], obstacles: list[tuple[float, float]]) -> list[Bbox]:
    """Name as many points as find room, the first ones first; where the names stand, in pixels.

    Args:
        points: name, x and y of each.
        obstacles: x and y of everything that no name may lie on.
    """
    axes.figure.draw_without_rendering()  # fixes where the axes lie
    marks = [_around(*axes.transData.transform(point)) for point in obstacles]
    named: list[Bbox] = []
    for name, *point in points:
        for offset in OFFSETS:
            text = _text(axes, name, point, offset)
            box = text.get_window_extent()
            if _inside(axes.bbox, box) and not any(box.overlaps(other) for other in [*marks, *named]):
                named.append(box)
                if max(map(abs, offset)) > DISTANCES[0]:
                    axes.annotate("", point, offset, textcoords="offset points", arrowprops=LINE)
                    marks += _along(axes.transData.transform(point), box)
                break
            text.remove()
    return named


def _text(axes: Axes, name: str, point: list[float], offset: tuple[float, float]) -> Annotation:
    across, up = offset
    side = "left" if across > 0 else "right" if across < 0 else "center"
    height = "bottom" if up > 0 else "top" if up < 0 else "center"
    return axes.annotate(name, point, offset, textcoords="offset points", fontsize=7, ha=side, va=height)


def _along(point, box: Bbox) -> list[Bbox]:
    """What the line from a point to its name takes up."""
    x, y = point
    end_x, end_y = min(max(x, box.x0), box.x1), min(max(y, box.y0), box.y1)
    return [_around(x + (end_x - x) * k / 8, y + (end_y - y) * k / 8) for k in range(8)]


def _around(x: float, y: float) -> Bbox:
    return Bbox.from_extents(x - MARK, y - MARK, x + MARK, y + MARK)


def _inside(outer: Bbox, inner: Bbox) -> bool:
    return outer.x0 <= inner.x0 and inner.x1 <= outer.x1 and outer.y0 <= inner.y0 and inner.y1 <= outer.y1
