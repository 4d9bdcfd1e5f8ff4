"""The look that the package's pages for users share: light and dark, readable on a phone."""

from __future__ import annotations

import importlib.resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

THEME = importlib.resources.files("keras_mnist.results") / "theme.css"


def style(parts: Traversable) -> str:
    """The style of a page: the theme, then what its own page.css adds."""
    return "\n".join(file.read_text(encoding="utf-8") for file in (THEME, parts / "page.css"))
