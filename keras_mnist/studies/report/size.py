"""Accuracy over the size of a network."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes

from keras_mnist.models.registry import get_variant, list_variants
from keras_mnist.results.drawing import DARK_GREY, GREY, drawing
from keras_mnist.studies.records import DATASET, Records
from keras_mnist.studies.report.drawing import accuracy_axis, colours, error, legend, spaced
from keras_mnist.studies.report.groups import DRAWN, test_accuracy
from keras_mnist.studies.report.labels import name_points
from keras_mnist.studies.report.networks import network_facts
from keras_mnist.studies.report.published import PUBLISHED, published_table
from keras_mnist.studies.report.registry import Part, Picture, section
from keras_mnist.studies.report.words import names, paragraph, percent, spread
from keras_mnist.studies.statistics import Summary

SIZES = {"parameters": "trainable parameters", "mult_adds": "mult-adds of one image"}
SIZE_TICKS = (2e3, 2e4, 5e3, 500, 1e6, 2e6, 4e5, 4e6)  # the first of two that would overlap stays
ROOM = {"parameters": (0.1, 0.35), "mult_adds": (0.5, 0.1)}  # for names, on both sides: shares of what is drawn


def front(found: dict[str, Summary], size: str) -> list[str]:
    """The variants that none of the same size or smaller surpasses, from the smallest on."""
    chosen: list[str] = []
    for name in sorted(found, key=lambda name: (network_facts()[name][size], -found[name].mean)):
        if not chosen or found[name].mean > found[chosen[-1]].mean:
            chosen.append(name)
    return chosen


def _draw(found: dict[str, Summary], size: str):
    every = sorted({get_variant(name).study for name in list_variants()})  # the same colours in every drawing
    colour = dict(zip(every, colours(), strict=False))
    studies = [study for study in every if study in {get_variant(name).study for name in found}]

    def place(name: str) -> tuple[float, float]:
        return network_facts()[name][size], error(found[name].mean)

    def draw(axes: Axes):
        for study in studies:
            axes.plot([], [], "o", ms=4, color=colour[study], label=study)
        bars = []
        for name, summary in found.items():
            style = {"color": colour[get_variant(name).study], "gid": f"title:{_title(name, summary)}"}
            axes.plot(*place(name), "o", ms=4, **style)
            if summary.interval:
                ends = [error(end) for end in summary.interval]
                axes.plot([place(name)[0]] * 2, ends, linewidth=1.2, alpha=0.45, color=style["color"])
                bars += [(place(name)[0], end) for end in np.geomspace(*ends, 20)]
        best = front(found, size)
        axes.step(*zip(*map(place, best), strict=True), where="post", color=GREY, linewidth=0.8, zorder=0)
        theirs = PUBLISHED if size == "parameters" else ()
        marks = [*map(place, found), *((one.parameters, error(one.accuracy)) for one in theirs)]
        for one, mark in zip(theirs, marks[len(found) :], strict=True):
            gid = f"title:{one.source}: {percent(one.accuracy)}"
            label = "published by others" if one is theirs[0] else None
            axes.plot(*mark, "D", ms=4, mfc="none", color=DARK_GREY, label=label, gid=gid)
        _size_axis(axes, [x for x, _ in marks], size)
        # The means decide: the interval of two or three runs may reach far beyond them, and is cut by the axis.
        accuracies = [summary.mean for summary in found.values()] + [one.accuracy for one in theirs]
        accuracy_axis(axes, min(accuracies), max(accuracies))
        legend(axes)
        name_points(axes, [(name, *place(name)) for name in reversed(best)], [*marks, *bars])

    return draw


def _title(name: str, summary: Summary) -> str:
    """What a browser shows where the pointer rests on a point."""
    return f"{name}: {spread(summary)}, n = {summary.n}"


def _size_axis(axes: Axes, sizes: list[int], size: str) -> None:
    axes.set_xscale("log")
    least, most = math.log(min(sizes)), math.log(max(sizes))
    before, after = (share * max(most - least, 1) for share in ROOM[size])
    axes.set_xlim(math.exp(least - before), math.exp(most + after))
    ticks = spaced(SIZE_TICKS, *axes.get_xlim(), 0.15)
    axes.set_xticks(ticks, [f"{tick / 1e6:g} M" if tick >= 1e5 else f"{tick:,.0f}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(SIZES[size])


@section("Accuracy over size")
def over_size(records: Records) -> list[Part]:
    """Accuracy over parameters and over mult-adds; a pair of drawings for each protocol."""
    parts: list[Part] = [
        paragraph(
            f"Test accuracy on {DATASET} after the last epoch: means with 95 % intervals, which the axis, spaced by "
            "the error, cuts off where they are long. The line joins the networks that none of the same size or "
            "smaller surpasses; these are named where there is room, and the pointer on any point names it. Hollow: "
            "what others have published of networks under 8,000 parameters; the table says how each was measured."
        )
    ]
    for words, recipe in DRAWN:
        found = {name: test_accuracy(runs) for name, runs in records.of(recipe).items()}
        for size, label in SIZES.items():
            if found:
                caption = f"{words}: accuracy over {label}, n = {_counts(found)}."
                parts.append(Picture(drawing(_draw(found, size), 4.3), caption))
        if found:
            by_parameters, by_mult_adds = (names(front(found, size)) for size in SIZES)
            parts.append(
                paragraph(
                    f"{words.replace('tuned`', 'tuned` recipe')}: on the front by parameters are {by_parameters}; by "
                    f"mult-adds, {by_mult_adds}."
                )
            )
    return [*parts, published_table()] if len(parts) > 1 else ["No run is recorded yet."]


def _counts(found: dict[str, Summary]) -> str:
    counts = sorted({summary.n for summary in found.values()})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
