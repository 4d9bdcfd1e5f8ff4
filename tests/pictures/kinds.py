"""Kinds of pictures: each function draws one picture of some digits and gives it with how its file is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.pictures.papers import Draft, camera, grain, grey, paint, picture, sheet, slope
from tests.pictures.strokes import draw_strokes, write_digit

KINDS: dict[str, Callable[[Draft], tuple[Image.Image, str]]] = {}
FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def kind(function):
    """Register a kind of pictures under its function's name."""
    KINDS[function.__name__] = function
    return function


@kind
def ballpoint(draft):
    """A ballpoint pen on white paper, scanned."""
    size = draft.page()
    ink = draft.of((20, 30, 110), (10, 10, 10), (30, 60, 160))
    return picture(paint(sheet(size, WHITE), ink, draft.cover(size, (0.035, 0.06)))).quantize(16), "png"


@kind
def felt_pen(draft):
    """A thick felt pen in a colour on cream paper."""
    size = draft.page()
    ink = draft.of((200, 30, 40), (20, 120, 60), (240, 120, 20), (120, 30, 140))
    return picture(paint(sheet(size, (250, 244, 225)), ink, draft.cover(size, (0.1, 0.17)))).quantize(16), "gif"


@kind
def pencil(draft):
    """A pencil: thin, grey, broken by the paper's grain."""
    size = draft.page()
    cover = draft.cover(size, (0.04, 0.07))
    cover = cover * np.clip(0.72 + 0.22 * grain(draft.generator, cover.shape, 0.7), 0.25, 1)
    paper = sheet(size, (238, 236, 230)) + 1.5 * grain(draft.generator, cover.shape, 1)[..., None]
    return picture(paint(paper, (110, 110, 115), cover)).convert("L"), "webp"


@kind
def chalk(draft):
    """Chalk on a blackboard that was wiped."""
    size = draft.page()
    cover = draft.cover(size, (0.07, 0.12))
    cover = cover * np.clip(0.75 + 0.3 * grain(draft.generator, cover.shape, 0.8), 0, 1)
    board = sheet(size, draft.of((38, 60, 50), (45, 45, 48))) + 6 * grain(draft.generator, cover.shape, 12)[..., None]
    return camera(paint(board, (235, 235, 228), cover), draft.generator, np.ones(cover.shape), blur=0.6), "jpg"


@kind
def screen(draft):
    """Drawn with a mouse on a dark screen, with hard edges."""
    size = draft.page(60, 280)
    cover = (draft.cover(size, (0.06, 0.14)) > 0.5).astype(np.float64)
    values = paint(sheet(size, draft.of(BLACK, (30, 30, 46))), draft.of(WHITE, (255, 220, 90), (120, 220, 255)), cover)
    return picture(values).quantize(4), "png"


@kind
def transparent(draft):
    """Strokes on a transparent layer, dark or bright."""
    size = draft.page()
    cover = draft.cover(size, (0.06, 0.12))
    ink = draft.of(BLACK, WHITE, (30, 60, 160))
    layers = np.dstack([np.full((*cover.shape, 3), ink), np.rint(cover * 15) * 17])
    return Image.fromarray(layers.astype(np.uint8), "RGBA"), "png"


@kind
def shadow(draft):
    """A photograph with the hard shadow of a hand or a telephone across the page."""
    size = draft.page()
    values = paint(sheet(size, (225, 220, 210)), (30, 35, 70), draft.cover(size, (0.05, 0.09)))
    angle, reach = draft.generator.uniform(0, 2 * np.pi), draft.generator.uniform(-0.4, 0.4)
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    edge = np.clip((x * np.cos(angle) + y * np.sin(angle) - reach) / 0.12 + 0.5, 0, 1)
    return camera(values, draft.generator, 0.5 + 0.5 * edge), "jpg"


@kind
def lamp(draft):
    """A photograph in the light of a lamp from one side, turned by the camera's own mark."""
    size = draft.page()
    values = paint(sheet(size, (240, 225, 190)), draft.of((25, 25, 30), (40, 50, 120)), draft.cover(size, (0.05, 0.1)))
    light = slope(size, draft.generator, 0.35)
    return camera(values, draft.generator, light, blur=1.0), draft.of("upright.jpg", "turned.jpg", "turned.jpg")


@kind
def ruled(draft):
    """A photograph of ruled paper, held a little askew."""
    size = draft.page()
    step, tilt = draft.generator.uniform(0.13, 0.22) * size[1], draft.generator.uniform(-0.05, 0.05)
    values = sheet(size, (244, 243, 238))
    y, x = np.mgrid[: size[1], : size[0]]
    lines = np.clip(1.4 - np.abs((y + tilt * x + step / 3) % step - step / 2), 0, 1)
    values = paint(values, (150, 175, 215), 0.8 * lines)
    values = paint(values, draft.of((25, 30, 90), (20, 20, 22)), draft.cover(size, (0.06, 0.1)))
    return camera(values, draft.generator, slope(size, draft.generator, 0.75), blur=0.6, noise=1.5), "jpg"


@kind
def squared(draft):
    """Squared paper, scanned."""
    size = draft.page()
    step = draft.generator.uniform(0.09, 0.14) * max(size)
    y, x = np.mgrid[: size[1], : size[0]]
    lines = np.maximum(*(np.clip(1.0 - np.abs(along % step - step / 2), 0, 1) for along in (x, y)))
    values = paint(sheet(size, (250, 250, 250)), (165, 190, 205), lines)
    values = paint(values, draft.of((20, 25, 100), (15, 15, 15)), draft.cover(size, (0.05, 0.1)))
    return picture(values).quantize(32), "png"


@kind
def specks(draft):
    """A copier's dust: dark specks around the digit."""
    size = draft.page()
    cover = draft.cover(size, (0.05, 0.1))
    page = Image.new("L", size)
    draw = ImageDraw.Draw(page)
    for _ in range(draft.generator.integers(15, 40)):
        x, y, radius = draft.generator.uniform((0, 0, 0.3), (*size, 1.6))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(draft.generator.integers(120, 256)))
    cover = np.maximum(cover, np.asarray(page) / 255)
    return grey(paint(sheet(size, (252, 252, 252)), (15, 15, 15), cover)), "tif"


@kind
def small(draft):
    """A small digit somewhere on a large page."""
    size = draft.page(300, 420)
    return grey(paint(sheet(size, WHITE), (20, 20, 20), draft.cover(size, (0.06, 0.12), share=(0.1, 0.16)))), "png"


@kind
def icon(draft):
    """A few dozen pixels in all."""
    size = draft.page(24, 44)
    return grey(paint(sheet(size, WHITE), BLACK, draft.cover(size, (0.07, 0.13), share=(0.55, 0.85)))), "bmp"


@kind
def printed(draft):
    """Print, dark on light or light on dark."""
    size = draft.page()
    page = Image.new("L", size)
    font = ImageFont.truetype(FONTS / draft.font, round(draft.generator.uniform(0.5, 0.85) * min(size)))
    ImageDraw.Draw(page).text((size[0] / 2, size[1] / 2), str(draft.digits[0]), fill=255, font=font, anchor="mm")
    paper, ink = draft.of((WHITE, BLACK), ((25, 60, 120), (250, 250, 250)))
    return picture(paint(sheet(size, paper), ink, np.asarray(page) / 255)).quantize(16), "png"


@kind
def row(draft):
    """Several digits side by side."""
    rng, height = draft.generator, 60
    strokes, left, width = [], 20.0, rng.uniform(0.06, 0.11) * height
    for digit in draft.digits:
        written = [stroke * height * rng.uniform(0.93, 1.07) for stroke in write_digit(digit, draft.hand, rng)]
        low, high = (edge(np.vstack(written)[:, 0]) for edge in (np.min, np.max))
        strokes += [stroke + (left - low, 55 + rng.uniform(-6, 6)) for stroke in written]
        left += high - low + width + rng.uniform(6, 18)
    size = (round(left + 20), 110)
    values = paint(sheet(size, (235, 232, 225)), (25, 30, 60), draw_strokes(size, strokes, width, rng))
    return camera(values, rng, slope(size, rng, 0.7), blur=0.6, noise=1.5), "jpg"
