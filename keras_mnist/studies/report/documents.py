"""What is made from records: the page, results.csv, and the generated regions of README.md and docs/*.md.

In a document such a region stands between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from keras_mnist.errors import UsageError
from keras_mnist.studies.records import RECORDS, Records
from keras_mnist.studies.report.page import page, same_page
from keras_mnist.studies.report.registry import REGIONS, markdown_of
from keras_mnist.studies.report.results_csv import results_csv

CSV, PAGE = Path("docs", "results.csv"), Path("docs", "report.html")
BEGIN, END = re.compile(r"<!-- generated: (\w+) -->"), "<!-- end -->"
REGION = re.compile(rf"{BEGIN.pattern}.*?{END}", re.DOTALL)


def outdated(root: Path) -> dict[Path, str]:
    """The files of a checkout that are not what the records give, each with its new text.

    Raises: UsageError if there are no records, if a region has no function, or no end.
    """
    if not (root / RECORDS).is_dir():
        raise UsageError(f"{root.resolve()} has no {RECORDS}, expected a checkout of keras_mnist; change to its folder")
    records = Records(root / RECORDS)
    found = {path: new for path, old, new in _documents(root, records) if new != old}
    for path, new, same in ((root / CSV, results_csv(records), str.__eq__), (root / PAGE, page(records), same_page)):
        if not path.is_file() or not same(path.read_text(), new):
            found[path] = new
    return found


def _documents(root: Path, records: Records) -> Iterator[tuple[Path, str, str]]:
    """Each document's path, text, and text as it should be."""
    for path in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        text = path.read_text()
        if REGION.findall(text) != BEGIN.findall(text):
            raise UsageError(f"{path} has a generated region without its `{END}`")
        yield path, text, REGION.sub(lambda match: _region(match[1], records), text)


def _region(name: str, records: Records) -> str:
    return f"<!-- generated: {name} -->\n\n{markdown_of(REGIONS[name](records))}\n\n{END}"
