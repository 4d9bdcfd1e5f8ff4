"""docs/report.html: all sections on one page that needs nothing else."""

from __future__ import annotations

import html
import re

import matplotlib
from markdown_it import MarkdownIt

from keras_mnist.studies.records import DATASET, Records
from keras_mnist.studies.report.registry import REGIONS, TITLES, Part, Picture

RENDERER = MarkdownIt("commonmark", {"html": False}).enable("table")
DRAWN_WITH = f"matplotlib {matplotlib.__version__}"

STYLE = """
:root { color: #1d232b; background: #fff; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 1px solid #d6dae0; }
p, li { max-width: 46rem; overflow-wrap: break-word; }
nav { display: flex; flex-wrap: wrap; gap: .35rem 1.1rem; margin: 1.25rem 0; }
a { color: #0b5cad; }
code { font: .9em ui-monospace, monospace; }
td code { line-height: 1; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: separate; border-spacing: 0; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 10px; border-bottom: 1px solid #e3e6ea; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #8a8f98; vertical-align: bottom; line-height: 18px; }
td code, td:nth-child(2), td[style*=right], td strong { white-space: nowrap; }
pre { overflow-x: auto; background: #f4f5f7; padding: .75rem; }
th:first-child, td:first-child { position: sticky; left: 0; background: #fff; }
.drawings { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1.5rem; }
figure { margin: 0; max-width: 30rem; }
figcaption { font-size: .875rem; color: #4a525e; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: system-ui, sans-serif !important; }
@media (max-width: 40rem) {
  th, td { padding: 5px 6px; }
  td:first-child { max-width: 10rem; }
}
""".strip()


def page(records: Records) -> str:
    """The whole page."""
    links = " ".join(f'<a href="#{_anchor(title)}">{html.escape(title)}</a>' for title in TITLES.values())
    sections = "\n".join(_section(title, REGIONS[name](records)) for name, title in TITLES.items())
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>keras_mnist: results on MNIST</title>
<style>
{STYLE}
</style>
</head>
<body>
<h1>Very small networks on MNIST, over seeds</h1>
<p>Every figure here is made from {len(records.runs)} recorded runs by <code>keras-mnist report</code>. All accuracies
are of {DATASET}. There are three protocols. <b>Document</b>: all 60,000 training images, the callbacks watch the test
images, as the sources did; no table has these beside others. <b>Held-out</b>: every decision is made on 5,000 held-out
training images, and the test images are scored once, after the last epoch. <b>All images</b>: the same decisions, and
all 60,000 training images.</p>
<nav>{links}</nav>
{sections}
<footer><p>Drawn with {DRAWN_WITH}.</p></footer>
</body>
</html>
"""


def _anchor(title: str) -> str:
    """A section's name in links: as a heading's in Markdown."""
    return title.lower().replace(" ", "-")


def _section(title: str, parts: list[Part]) -> str:
    blocks: list[str] = []
    for number, part in enumerate(parts):
        if isinstance(part, Picture):
            follows = number and isinstance(parts[number - 1], Picture)
            last = number + 1 == len(parts) or not isinstance(parts[number + 1], Picture)
            blocks.append("" if follows else '<div class="drawings">')
            blocks.append(_figure(part) + "\n</div>" * last)
        else:
            text = RENDERER.render(part)
            blocks.append(text.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>"))
    return f'<section id="{_anchor(title)}">\n<h2>{html.escape(title)}</h2>\n' + "\n".join(blocks) + "</section>"


def _figure(picture: Picture) -> str:
    caption = RENDERER.renderInline(picture.caption)
    named = picture.svg.replace("<svg ", f'<svg aria-label="{html.escape(picture.caption)}" ', 1)
    return f"<figure>\n{named}\n<figcaption>{caption}</figcaption>\n</figure>"


def same_page(one: str, other: str) -> bool:
    """Whether two pages say the same; drawings of another version of matplotlib may differ in their details."""
    if DRAWN_WITH in one and DRAWN_WITH in other:
        return one == other
    return _without_drawings(one) == _without_drawings(other)


def _without_drawings(text: str) -> str:
    return re.sub(r"<svg.*?</svg>|Drawn with [^<]*", "", text, flags=re.DOTALL)
