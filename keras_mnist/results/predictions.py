"""What a network answers to pictures, digit by digit."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

import keras
import numpy as np
from rich.table import Table

from keras_mnist.data.digit_set import CLASSES
from keras_mnist.data.preprocess import Reading
from keras_mnist.errors import UsageError
from keras_mnist.results.evaluation import predict
from keras_mnist.results.tables import numbers_table


@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer to one digit of a picture, or why the picture was refused."""

    picture: str
    position: int | None = None  # of the digit in its row, from the left, from 1
    digit: int | None = None
    probability: float | None = None
    runner_up: int | None = None
    runner_up_probability: float | None = None
    notes: str = ""  # what was done to the picture
    refused: str = ""


FIELDS = [field.name for field in dataclasses.fields(Answer)]


def answers(model: keras.Model, readings: dict[str, Reading | UsageError]) -> tuple[list[Answer], np.ndarray]:
    """An answer for each digit and each refused picture, and the probabilities (n, 10) of the digits in their order.

    Raises: UsageError if the network gives anything but ten values for an image.
    """
    read = [reading.images for reading in readings.values() if isinstance(reading, Reading)]
    probabilities = predict(model, np.concatenate(read)) if read else np.empty((0, CLASSES))
    if probabilities.shape[1] != CLASSES:
        raise UsageError(f"{model.name} gives {probabilities.shape[1]} values for an image, expected {CLASSES}")
    rows = iter(probabilities)
    found = []
    for name, reading in readings.items():
        if isinstance(reading, Reading):
            notes = ", ".join(reading.notes)
            found += [_answer(name, position, next(rows), notes) for position in range(1, len(reading.images) + 1)]
        else:
            found.append(Answer(name, refused=str(reading)))
    return found, probabilities


def _answer(name: str, position: int, row: np.ndarray, notes: str) -> Answer:
    second, first = (int(digit) for digit in np.argsort(row)[-2:])
    return Answer(name, position, first, round(float(row[first]), 4), second, round(float(row[second]), 4), notes)


def answers_table(network: str, found: list[Answer]) -> Table:
    """One row for each digit or refused picture."""
    rows = []
    for answer in found:
        if answer.refused:
            rows.append([answer.picture, "–", "", "", answer.refused])
            continue
        name = answer.picture if answer.position == 1 else f"  digit {answer.position}"
        runner_up = f"{answer.runner_up} ({answer.runner_up_probability:.1%})"
        notes = answer.notes if answer.position == 1 else ""
        rows.append([name, str(answer.digit), f"{answer.probability:.1%}", runner_up, notes])
    columns = ["picture", "digit", "probability", "runner-up", "done to it"]
    table = numbers_table(f"predicted by {network}", columns, rows)
    table.columns[-1].justify = "left"
    for column in (table.columns[0], table.columns[-1]):
        column.no_wrap, column.overflow = False, "fold"
    return table


def answers_csv(found: list[Answer]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(dataclasses.asdict, found))
    return text.getvalue()


def answers_json(found: list[Answer]) -> str:
    return json.dumps([dataclasses.asdict(answer) for answer in found], indent=2) + "\n"
