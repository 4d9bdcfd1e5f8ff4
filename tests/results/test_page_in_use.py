"""What a user does on the page with mouse, finger and keys, in headless Chromium."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from keras_mnist.data.preprocess import preprocess
from tests.conftest import ROOT
from tests.results.conftest import settle
from tests.results.test_page import TOLERANCE

SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]
THREE = [(0.3, 0.25), (0.5, 0.2), (0.66, 0.3), (0.48, 0.47), (0.7, 0.64), (0.5, 0.81), (0.3, 0.74)]
FOUR_AND_TWO = (
    [(0.2, 0.2), (0.1, 0.55), (0.42, 0.55)],
    [(0.33, 0.4), (0.33, 0.8)],
    [(0.58, 0.3), (0.7, 0.2), (0.85, 0.3), (0.6, 0.75), (0.88, 0.75)],
)
PART = """
([id, part]) => {
  const canvas = document.getElementById(id);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [...data.filter((_, index) => index % 4 === part)];
}
"""


def draw(window, points):
    """With the mouse, the button held down."""
    frame = window.locator("#sheet").bounding_box()
    coordinates = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in points]
    window.mouse.move(*coordinates[0])
    window.mouse.down()
    for point in coordinates[1:]:
        window.mouse.move(*point)
    window.mouse.up()
    settle(window)


def seen(window):
    """What the page says that the network sees: (28, 28) of 0..255."""
    return np.array(window.evaluate(PART, ["seen", 0]), np.uint8).reshape(28, 28)


def as_text(image):
    return base64.b64encode(image.tobytes()).decode()


def answer(window):
    """The digit that the page predicts, and how sure it is, in its own words."""
    return window.inner_text("#digit"), window.inner_text("#sure").replace("\xa0", " ")


def probabilities_of(model, images):
    return np.asarray(model(images[..., None].astype(np.float32), training=False))


def expected_answer(model, pixels):
    probabilities = probabilities_of(model, pixels[None])[0]
    return str(np.argmax(probabilities)), float(np.max(probabilities))


def test_a_drawing_is_brought_to_mnist_s_form_and_recognised(window, some_networks):
    assert answer(window) == ("?", "Nothing drawn") and not seen(window).any()
    draw(window, THREE)
    pixels = seen(window)
    rows, columns = np.nonzero(pixels)
    centre = np.average(rows, weights=pixels[rows, columns]), np.average(columns, weights=pixels[rows, columns])
    assert pixels.max() == 255 and max(np.ptp(rows), np.ptp(columns)) == 19
    assert np.abs(np.array(centre) - 14).max() <= 0.5
    for number, model in enumerate(some_networks[1]):
        window.locator("#networks label").nth(number).click()
        settle(window)
        digit, sure = answer(window)
        expected, probability = expected_answer(model, pixels)
        assert digit == expected and f"{min(probability, 0.999):.1%}"[:-1] in sure
        assert window.locator("#layers li").count() > 5
        assert window.inner_text("#parameters") == ("14,282", "7,820")[number]
    window.locator("#networks label").first.click()


def sheet_as_read(window):
    """The drawing in half its size, with paper around it."""
    written = window.evaluate("document.getElementById('sheet').toDataURL()").partition(",")[2]
    ink = Image.open(io.BytesIO(base64.b64decode(written))).getchannel("A")
    return np.pad(np.asarray(ink.reduce(2)), 1)


@pytest.mark.slow
def test_digits_side_by_side_are_read_and_the_one_drawn_last_is_looked_into(window):
    for points in FOUR_AND_TWO:
        draw(window, points)
    digits = preprocess(sheet_as_read(window))[..., 0].astype(int)
    assert answer(window)[0] == "42" and answer(window)[1].endswith("sure of the 2")
    assert len(digits) == 2 and np.abs(seen(window) - digits[1]).max() <= 2  # where the browser's mean is rounded
    draw(window, [(0.33, 0.8), (0.33, 0.85)])
    assert answer(window)[0] == "42" and answer(window)[1].endswith("sure of the 4")
    for _ in range(2):
        window.click("#undo")
    settle(window)
    assert answer(window)[0] == "4" and answer(window)[1].endswith("sure")


def test_undo_clear_and_nothing_drawn(window):
    draw(window, SEVEN)
    seven = seen(window)
    draw(window, [(0.35, 0.5), (0.65, 0.5)])
    assert not np.array_equal(seen(window), seven)
    window.click("#undo")
    settle(window)
    assert np.array_equal(seen(window), seven)
    window.click("#clear")
    settle(window)
    assert answer(window) == ("?", "Nothing drawn") and window.is_disabled("#clear")
    window.click("#undo")
    settle(window)
    assert np.array_equal(seen(window), seven)


@pytest.mark.slow
def test_a_finger_draws_and_does_not_scroll(opened, some_networks):
    window = opened(some_networks[0], viewport={"width": 390, "height": 600}, has_touch=True, is_mobile=True)
    frame = window.locator("#sheet").bounding_box()
    touch = window.context.new_cdp_session(window)

    def send(kind, *points):
        touches = [{"x": frame["x"] + x * frame["width"], "y": frame["y"] + y * frame["height"]} for x, y in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    send("touchStart", (0.5, 0.8))
    for step in range(1, 9):
        send("touchMove", (0.5, 0.8 - 0.07 * step))
    send("touchEnd")
    settle(window)
    rows, columns = np.nonzero(seen(window))
    assert np.ptp(rows) == 19 and np.ptp(columns) < 6
    assert window.evaluate("scrollY") == 0


@pytest.mark.slow
def test_keys_draw_and_take_digits_from_the_gallery(window):
    window.focus("#sheet")
    window.keyboard.press("Space")
    for _ in range(14):
        window.keyboard.press("ArrowDown")
    window.keyboard.press("Space")
    settle(window)
    rows, columns = np.nonzero(seen(window))
    assert np.ptp(rows) == 19 and np.ptp(columns) < 6
    window.keyboard.press("Escape")
    settle(window)
    assert answer(window)[1] == "Nothing drawn"
    window.keyboard.press("4")
    settle(window)
    first = seen(window)
    window.keyboard.press("4")
    settle(window)
    assert first.any() and not np.array_equal(seen(window), first)
    window.keyboard.press("Control+z")
    settle(window)
    assert np.array_equal(seen(window), first)


@pytest.mark.slow
def test_where_it_looks_is_what_hiding_costs(window, some_networks):
    model, _ = some_networks[1]
    draw(window, SEVEN)
    pixels = seen(window)
    found = window.evaluate(
        "([text, digit]) => occlusion(networks[0], fromBase64(text), digit, () => true)", [as_text(pixels), 7]
    )
    starts = range(0, 23, 2)
    hidden = np.stack([pixels] * len(starts) ** 2)
    for number, (row, column) in enumerate((row, column) for row in starts for column in starts):
        hidden[number, row : row + 6, column : column + 6] = 0
    without = probabilities_of(model, hidden)[:, 7]
    assert abs(found["worst"] - min(without.min(), found["before"])) < TOLERANCE
    assert abs(found["before"] - probabilities_of(model, pixels[None])[0, 7]) < TOLERANCE


@pytest.mark.slow
def test_no_width_scrolls_sideways(opened, some_networks):
    window = opened(some_networks[0])
    for width in (320, 390, 820, 1280):
        window.set_viewport_size({"width": width, "height": 844})
        assert window.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_the_demo_recognises_what_is_drawn(opened):
    window = opened(ROOT / "docs" / "demo.html")
    for points, digit in ((THREE, "3"), (SEVEN, "7"), ([(0.5, 0.2), (0.5, 0.8)], "1")):
        draw(window, points)
        assert answer(window)[0] == digit
        window.click("#clear")
