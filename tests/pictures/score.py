"""Write docs/records/pictures.json: how many digits are predicted rightly, and what was measured on MNIST itself.

KERAS_MNIST_ARCHIVES=... python -m tests.pictures.score, for the trained bn_gap of the package; or with the path of a
run's model.keras. Takes minutes: 10,000 images are altered and predicted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from keras_mnist.data.picture_files import open_array
from keras_mnist.data.preprocess import cropped, read_digits, read_files
from keras_mnist.data.sources import load_data
from keras_mnist.data.strokes import stroke_width
from keras_mnist.models import trained
from keras_mnist.models.loading import load_model
from keras_mnist.models.registry import create_model
from keras_mnist.results.evaluation import predict
from keras_mnist.results.predictions import answers
from keras_mnist.utils.files import write_whole
from tests.conftest import ROOT
from tests.pictures.make import FOLDER, HALVES

RECORD = ROOT / "docs" / "records" / "pictures.json"
VARIANT = "bn_gap"
MEASURED = 6000  # images whose strokes are measured
ENLARGEMENTS = (None, Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)


def score(model) -> list[dict]:
    """Each picture with the digits on it and those that were predicted; "" where it was refused."""
    readings = read_files([FOLDER])
    predicted: dict[str, str] = dict.fromkeys(readings, "")
    for answer in answers(model, readings)[0]:
        predicted[answer.picture] += "" if answer.refused else str(answer.digit)
    paths = {name: Path(name).relative_to(FOLDER) for name in readings}
    return [
        {"half": path.parts[0], "kind": path.parts[1], "written": path.stem, "read": predicted[name]}
        for name, path in paths.items()
    ]


def by_kind(found: list[dict]) -> dict[str, dict[str, dict[str, int]]]:
    """For each half and kind the digits written and those predicted rightly: none in a row taken as more or fewer."""
    table = {half: {} for half in HALVES}
    for row in found:
        counts = table[row["half"]].setdefault(row["kind"], {"digits": 0, "right": 0})
        counts["digits"] += len(row["written"])
        if len(row["written"]) == len(row["read"]):
            counts["right"] += sum(map(str.__eq__, row["written"], row["read"]))
    return table


def altered(images: np.ndarray) -> Iterator[np.ndarray]:
    """Images (n, 28, 28, 1) enlarged in one of four ways, somewhere on a larger page, dark on bright."""
    generator = np.random.default_rng(0)
    for index, image in enumerate(images[..., 0]):
        times, way = int(generator.integers(2, 7)), ENLARGEMENTS[index % 4]
        drawn = Image.fromarray(image)
        if way is not None:
            drawn = drawn.resize((28 * times, 28 * times), way)
        page = Image.new("L", tuple(side + int(generator.integers(80)) for side in drawn.size))
        page.paste(
            drawn,
            tuple(int(generator.integers(room - side + 1)) for room, side in zip(page.size, drawn.size, strict=True)),
        )
        yield 255 - np.asarray(page)


def round_trip(model, images: np.ndarray, labels: np.ndarray) -> dict[str, int]:
    """Misclassified images as they are, and altered and brought back to MNIST's form."""
    brought_back = np.stack([read_digits(open_array(page)).images[0] for page in altered(images)])
    errors = [int(np.sum(predict(model, some).argmax(axis=1) != labels)) for some in (images, brought_back)]
    return {"images": len(images), "errors": errors[0], "errors_after": errors[1]}


def form(images: np.ndarray) -> dict:
    """Where the training images (n, 28, 28, 1) have their centre of mass, and how thick their strokes are."""
    centres = np.array([ndimage.center_of_mass(image) for image in images[..., 0]])
    widths = [stroke_width(cropped(image / 255)) for image in images[:MEASURED, ..., 0]]
    thinnest, median = np.percentile(widths, [2, 50])
    names = {"mean": centres.mean(axis=0), "least": centres.min(axis=0), "most": centres.max(axis=0)}
    return {
        "images": len(images),
        "centre_of_mass": {name: [round(float(number), 3) for number in value] for name, value in names.items()},
        "stroke_width": {"images": len(widths), "2 %": round(float(thinnest), 4), "median": round(float(median), 4)},
    }


def main() -> None:
    if sys.argv[1:]:
        path = Path(sys.argv[1])
        model, facts = load_model(path), json.loads(path.with_name("run.json").read_text())
        run = "/".join(path.parts[-5:-1])
    else:
        model, facts = create_model(VARIANT, weights="mnist"), trained.facts(VARIANT)
        run = facts["run"]
    digits, found = load_data("mnist"), score(model)
    record = {
        "variant": VARIANT,
        "run": run,
        "test_accuracy": facts["test_accuracy"],
        "kinds": by_kind(found),
        "wrong": [row for row in found if row["written"] != row["read"]],
        "round_trip": round_trip(model, digits.test_images, digits.test_labels),
        "form": form(digits.train_images),
    }
    write_whole(RECORD, json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
