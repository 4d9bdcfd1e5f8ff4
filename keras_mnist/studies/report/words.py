"""Figures and tables as Markdown."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Iterable

from keras_mnist.studies.records import DATASET, RECORDS, without_validation
from keras_mnist.studies.statistics import Summary
from keras_mnist.utils.words import flags_of

NONE, MINUS = "–", "−"
# Beside seconds of single runs.
SHARED = "Runs shared their machines with other work, so only `docs/performance.md` measures speed."


def table(columns: Iterable[str], rows: Iterable[Iterable]) -> str:
    """A table; columns whose heading begins with ">" are of figures, to the right."""
    columns = list(columns)
    rules = ["---:" if heading.startswith(">") else "---" for heading in columns]
    lines = [[heading.removeprefix(">") for heading in columns], *([str(cell) for cell in row] for row in rows)]
    heading, *body = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([heading, f"|{'|'.join(rules)}|", *body])


def paragraph(text: str) -> str:
    """Text in lines of at most 120 characters; those of a list's item are indented."""
    return textwrap.fill(text, 120, subsequent_indent="  " * text.startswith("- "), break_on_hyphens=False)


def items(texts: Iterable[str]) -> str:
    """A list."""
    return "\n".join(paragraph(f"- {text}") for text in texts)


def names(found: Iterable[str]) -> str:
    """Names of code, in a row."""
    return ", ".join(f"`{name}`" for name in found)


def percent(share: float) -> str:
    return f"{share:.2%}"


def points(share: float | None) -> str:
    """A difference of shares in percentage points."""
    return NONE if share is None else signed(share).removeprefix("+")


def signed(share: float) -> str:
    """A difference in points with its sign; a difference that rounds to nothing has none."""
    text = f"{share * 100:+.2f}"
    return text.replace("-", MINUS) if float(text) else "0.00"


def interval(summary: Summary) -> str:
    """The 95 % interval of an accuracy in per cent; that of a single run says so."""
    if summary.interval is None:
        return NONE
    low, high = summary.interval
    return f"{low * 100:.2f} to {high * 100:.2f}{' (one run)' * (summary.n == 1)}"


def difference_interval(summary: Summary) -> str:
    """The 95 % interval of a mean difference in points."""
    if summary.interval is None:
        return NONE
    low, high = summary.interval
    return f"{signed(low)} to {signed(high)}"


def cut(summaries: Iterable[Summary]) -> str:
    """A sentence on intervals of accuracies that `summarize` cut off; nothing where there are none."""
    found = any(0.0 in summary.interval or 1.0 in summary.interval for summary in summaries if summary.n > 1)
    return " An interval that Student's t would carry past 100 % (or 0 %) ends there." if found else ""


def spread(summary: Summary) -> str:
    """A mean with its deviation in one cell."""
    return percent(summary.mean) + f" ± {points(summary.deviation)}" * (summary.n > 1)


def seconds(values: Iterable[float]) -> str:
    """The median, which a run that other work slowed does not move."""
    return f"{statistics.median(values):,.0f}"


def training_command(recipe: str, some: tuple[str, ...] | None, seeds: int) -> str:
    """The command that trains seeds of some networks, or of all, and leaves out what is recorded."""
    base, validation = without_validation(recipe)
    flags = {"variants": ",".join(some or ["all"]), "recipe": base}
    flags |= {"validation": validation} if validation else {}
    flags |= {"seeds": seeds, "dataset": DATASET, "records": RECORDS}
    return " ".join(["keras-mnist study", *flags_of(flags)])
