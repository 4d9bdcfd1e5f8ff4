"""What a user does on the page with mouse, finger and keys, in headless Chromium."""

import base64

import numpy as np
import pytest

import keras_mnist
from keras_mnist.results.evaluation import predict
from keras_mnist.results.page import write_page
from tests.conftest import ROOT
from tests.results.test_page import TOLERANCE, network_of

SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]
THREE = [(0.3, 0.25), (0.5, 0.2), (0.66, 0.3), (0.48, 0.47), (0.7, 0.64), (0.5, 0.81), (0.3, 0.74)]
PART = """
([id, part]) => {
  const canvas = document.getElementById(id);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [...data.filter((_, index) => index % 4 === part)];
}
"""


@pytest.fixture(scope="module")
def two_networks(tmp_path_factory):
    """A page with two small networks, and the networks."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    models = [network_of("bn_gap"), network_of("swift")]
    write_page([(models[0], {"variant": "bn_gap"}), (models[1], {"variant": "swift"})], path)
    return path, models


def draw(window, points):
    """With the mouse, the button held down."""
    frame = window.locator("#sheet").bounding_box()
    places = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in points]
    window.mouse.move(*places[0])
    window.mouse.down()
    for place in places[1:]:
        window.mouse.move(*place, steps=5)
    window.mouse.up()
    settle(window)


def settle(window):
    window.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def seen(window):
    """What the page says that the network sees: (28, 28) of 0..255."""
    return np.array(window.evaluate(PART, ["seen", 0]), np.uint8).reshape(28, 28)


def as_text(image):
    return base64.b64encode(image.tobytes()).decode()


def answer(window):
    """The digit that the page reads, and how sure it is, in its own words."""
    return window.inner_text("#digit"), window.inner_text("#sure").replace("\xa0", " ")


def expected_answer(model, pixels):
    probabilities = predict(model, pixels[None, :, :, None])[0]
    return str(np.argmax(probabilities)), float(np.max(probabilities))


def test_a_drawing_is_brought_to_mnist_s_form_and_read(opened, two_networks):
    path, models = two_networks
    window = opened(path)
    assert answer(window) == ("?", "Nothing drawn") and not seen(window).any()
    draw(window, THREE)
    pixels = seen(window)
    rows, columns = np.nonzero(pixels)
    centre = np.average(rows, weights=pixels[rows, columns]), np.average(columns, weights=pixels[rows, columns])
    assert pixels.max() == 255 and max(np.ptp(rows), np.ptp(columns)) == 19
    assert np.abs(np.array(centre) - 14).max() <= 0.5
    for number, model in enumerate(models):
        window.locator("#networks label").nth(number).click()
        settle(window)
        digit, sure = answer(window)
        expected, probability = expected_answer(model, pixels)
        assert digit == expected and f"{probability:.1%}"[:-1] in sure.replace("> ", "")
        assert window.locator("#layers li").count() > 5
        assert window.inner_text("#parameters") == {0: "7,550", 1: "14,282"}[number]


def test_undo_clear_and_nothing_drawn(opened, two_networks):
    window = opened(two_networks[0])
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


def test_a_finger_draws_and_does_not_scroll(opened, two_networks):
    window = opened(two_networks[0], viewport={"width": 390, "height": 600}, has_touch=True, is_mobile=True)
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


def test_keys_draw_and_take_digits_from_the_gallery(opened, two_networks):
    window = opened(two_networks[0])
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


def test_where_it_looks_is_what_hiding_costs(opened, two_networks):
    path, (model, _) = two_networks
    window = opened(path)
    draw(window, SEVEN)
    pixels = seen(window)
    found = window.evaluate(
        "([text, digit]) => occlusion(networks[0], fromBase64(text), digit, () => true)", [as_text(pixels), 7]
    )
    starts = range(0, 23, 2)
    hidden = np.stack([pixels] * len(starts) ** 2)
    for number, (row, column) in enumerate((row, column) for row in starts for column in starts):
        hidden[number, row : row + 6, column : column + 6] = 0
    without = predict(model, hidden[..., None])[:, 7]
    assert abs(found["worst"] - min(without.min(), found["before"])) < TOLERANCE
    assert abs(found["before"] - predict(model, pixels[None, :, :, None])[0, 7]) < TOLERANCE


@pytest.mark.parametrize("inverted", [False, True])
def test_its_preprocessing_is_python_s(opened, two_networks, inverted):
    if not hasattr(keras_mnist, "preprocess"):
        pytest.skip("this version has no preprocess")
    window = opened(two_networks[0])
    draw(window, THREE)
    side = window.evaluate("SHEET_SIZE")
    drawing = np.array(window.evaluate(PART, ["sheet", 3]), np.uint8).reshape(side, side)
    picture = 255 - drawing if inverted else drawing
    on_page = "(text) => [...preprocess(fromBase64(text), SHEET_SIZE, SHEET_SIZE)]"
    found = np.array(window.evaluate(on_page, as_text(picture))).reshape(28, 28)
    difference = np.abs(found - keras_mnist.preprocess(picture).reshape(28, 28).astype(int))
    assert difference.max() <= 1  # where a half is rounded


@pytest.mark.parametrize("width", [320, 390, 820, 1280])
def test_no_width_scrolls_sideways(opened, two_networks, width):
    window = opened(two_networks[0], viewport={"width": width, "height": 844})
    assert window.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("points", "digit"), [(THREE, "3"), (SEVEN, "7"), ([(0.5, 0.2), (0.5, 0.8)], "1")])
def test_the_demo_reads_what_is_drawn(opened, points, digit):
    window = opened(ROOT / "docs" / "demo.html")
    draw(window, points)
    assert answer(window)[0] == digit
