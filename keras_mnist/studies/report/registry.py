"""The parts that documents and the page are made of: each is one function of the records, found by its name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from keras_mnist.studies.records import Records
from keras_mnist.utils.registry import Registry


@dataclasses.dataclass(frozen=True)
class Picture:
    """A drawing for the page, with the sentence that says what it shows."""

    svg: str
    caption: str


Part = str | Picture  # text in Markdown, or a drawing
REGIONS: dict[str, Callable[[Records], list[Part]]] = Registry("generated region")
TITLES: dict[str, str] = {}  # of the regions that the page has too, in its order


def region(function: Callable[[Records], list[Part]]) -> Callable[[Records], list[Part]]:
    """Register the decorated function as the region of its name, for the documents."""
    REGIONS[function.__name__] = function
    return function


def section(title: str):
    """Register the decorated function as a region that is a section of the page too."""

    def register(function):
        TITLES[function.__name__] = title
        return region(function)

    return register


def markdown_of(parts: list[Part]) -> str:
    """A region as a document has it: without the drawings."""
    return "\n\n".join(part for part in parts if isinstance(part, str))
