"""A picture of answers: each original, what the network sees of it, and what it says, side by side."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from keras_mnist.data.preprocess import Reading
from keras_mnist.errors import UsageError
from keras_mnist.utils.files import require_file_name, write_whole

MOST = 40  # digits that are shown
CELL, GAP, TEXT = 224, 24, 300  # pixels: a square cell, the space between cells, the width of the answer
PAPER, INK, QUIET, FAINT, ACCENT = "#ffffff", "#1b1f24", "#667080", "#e6e9ee", "#1f5fbf"


DRAWN_BY = "keras_mnist"  # a mark in each file: what does not have it is the user's own


def require_ours(path: Path) -> None:
    """Raise UsageError unless a picture of answers can be written there, in place of an older one or of none."""
    require_file_name(path, ".png", "show")
    if path.exists() and not _drawn_by_us(path):
        raise UsageError(f"{path} is there already and shows no answers; choose another `show`, or move it elsewhere")


def _drawn_by_us(path: Path) -> bool:
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.info.get("Software") == DRAWN_BY
    except OSError:  # no PNG
        return False


def show_answers(readings: dict[str, Reading | UsageError], probabilities: np.ndarray, path: Path) -> None:
    """Draw the digits that were read into a PNG file, one row for each of the first MOST.

    Args:
        probabilities: (n, 10), one row for each digit in the order of the readings.
    """
    read = [(name, reading) for name, reading in readings.items() if isinstance(reading, Reading)]
    digits = [(name, reading, index) for name, reading in read for index in range(len(reading.images))]
    shown = digits[:MOST]
    left_out = f"and {len(digits) - MOST:,} more" if len(digits) > MOST else ""
    columns = 1 if len(shown) <= 4 else 2
    rows = -(-len(shown) // columns)
    width, height = 2 * (CELL + GAP) + TEXT + 2 * GAP, CELL + 2 * GAP
    page = Image.new("RGB", (columns * width, max(rows, 1) * height + GAP * bool(left_out)), PAPER)
    for index, (digit, row) in enumerate(zip(shown, probabilities, strict=False)):
        corner = index // rows * width + GAP, index % rows * height + GAP
        _draw_digit(page, corner, *digit, row)
    _write(page, (GAP, page.height - GAP), left_out, 14, QUIET)
    content = io.BytesIO()
    mark = PngImagePlugin.PngInfo()
    mark.add_text("Software", DRAWN_BY)
    page.save(content, "PNG", optimize=True, pnginfo=mark)
    write_whole(path, content.getvalue())


def _draw_digit(page, corner, name: str, reading: Reading, index: int, row: np.ndarray) -> None:
    """The three cells of one digit."""
    left, top = corner
    _draw_original(page, corner, reading, index)
    seen = Image.fromarray(reading.images[index, ..., 0]).resize((CELL, CELL), Image.Resampling.NEAREST)
    page.paste(seen, (left + CELL + GAP, top))
    _draw_answer(page, (left + 2 * (CELL + GAP), top), row, Path(name).name, ", ".join(reading.notes))


def _draw_original(page, corner, reading: Reading, index: int) -> None:
    """The picture within its cell, with a frame around the digit where it holds several."""
    preview = reading.preview
    scale = CELL / max(preview.size)
    size = [max(1, round(side * scale)) for side in preview.size]
    left, top = (start + (CELL - side) // 2 for start, side in zip(corner, size, strict=True))
    draw = ImageDraw.Draw(page)
    draw.rectangle((*corner, corner[0] + CELL - 1, corner[1] + CELL - 1), fill=FAINT)
    page.paste(preview.convert("RGB").resize(size, Image.Resampling.BICUBIC), (left, top))
    # A white picture would have no edge on this page.
    draw.rectangle((*corner, corner[0] + CELL - 1, corner[1] + CELL - 1), outline=FAINT, width=2)
    if len(reading.images) > 1:
        above, before, below, after = (edge * scale for edge in reading.boxes[index])
        frame = left + before - 4, top + above - 4, left + after + 3, top + below + 3
        draw.rounded_rectangle(frame, radius=5, outline=ACCENT, width=3)


def _draw_answer(page, corner, row: np.ndarray, name: str, notes: str) -> None:
    """The digit, how sure the network is, and a bar for each of the ten."""
    left, top = corner
    digit = int(np.argmax(row))
    _write(page, (left, top - 12), str(digit), 96, INK)
    _write(page, (left + 76, top + 18), f"{row[digit]:.1%}", 30, INK)
    _write(page, (left + 76, top + 58), "sure", 15, QUIET)
    draw, bottom, tall, step = ImageDraw.Draw(page), top + 160, 60, TEXT // 10
    for other, probability in enumerate(row):
        begin, colour = left + other * step, ACCENT if other == digit else QUIET
        draw.rectangle((begin, bottom - tall, begin + step - 8, bottom), fill=FAINT)
        if (filled := round(tall * float(probability))) > 0:
            draw.rectangle((begin, bottom - filled, begin + step - 8, bottom), fill=colour)
        _write(page, (begin + step // 2 - 8, bottom + 4), str(other), 14, colour)
    _write(page, (left, top + CELL - 32), name, 13, INK)
    _write(page, (left, top + CELL - 15), notes or "taken as it is", 12, QUIET)


def _write(page, point, text: str, size: int, colour: str) -> None:
    """A line of text, cut where the space for it ends."""
    font = ImageFont.load_default(size)
    while font.getlength(text) > TEXT:
        text = text[: -2 - text.endswith("…")] + "…"
    ImageDraw.Draw(page).text(point, text, fill=colour, font=font)
