"""Accuracy over the size of a network."""

from __future__ import annotations

from matplotlib.axes import Axes

from keras_mnist.models.registry import get_variant, list_variants
from keras_mnist.results.drawing import drawing
from keras_mnist.studies.records import DATASET, Records
from keras_mnist.studies.report.drawing import SMALL, accuracy_axis, colours, legend
from keras_mnist.studies.report.groups import DRAWN, test_accuracy
from keras_mnist.studies.report.networks import network_facts
from keras_mnist.studies.report.published import PUBLISHED, published_table
from keras_mnist.studies.report.registry import Part, Picture, section
from keras_mnist.studies.report.words import names, paragraph
from keras_mnist.studies.statistics import Summary

SIZES = {"parameters": "trainable parameters", "mult_adds": "mult-adds of one image"}


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

    def draw(axes: Axes):
        for study in studies:
            members = [name for name in found if get_variant(name).study == study]
            x = [network_facts()[name][size] for name in members]
            axes.plot(x, [_error(found[name].mean) for name in members], "o", ms=4, color=colour[study], label=study)
        for name, summary in found.items():
            if summary.interval:
                x, ends = network_facts()[name][size], [_error(end) for end in summary.interval]
                axes.plot([x, x], ends, color=colour[get_variant(name).study], linewidth=1.2, alpha=0.6)
        best = front(found, size)
        x, y = [network_facts()[name][size] for name in best], [_error(found[name].mean) for name in best]
        axes.step(x, y, where="post", color="#8a8f98", linewidth=0.8, zorder=0)
        sizes = [network_facts()[name][size] for name in found]
        if size == "parameters":
            theirs = [one.parameters for one in PUBLISHED]
            errors = [_error(one.accuracy) for one in PUBLISHED]
            axes.plot(theirs, errors, "D", ms=4, mfc="none", color="#6b7078", label="published by others")
            sizes += theirs
        axes.set_xscale("log")
        _size_ticks(axes, sizes)
        accuracy_axis(axes, _error(min(summary.mean for summary in found.values())) / 100)
        axes.set_xlabel(SIZES[size])
        _name(axes, list(zip(best, x, y, strict=True)))
        legend(axes)

    return draw


def _size_ticks(axes: Axes, sizes: list[int]) -> None:
    ticks = [t for t in (500, 1e3, 2e3, 5e3, 1e4, 2e4, 4e5, 1e6, 2e6, 4e6) if min(sizes) * 0.6 <= t <= max(sizes) * 1.5]
    axes.set_xticks(ticks, [f"{tick / 1e6:g} M" if tick >= 1e5 else f"{tick:,.0f}" for tick in ticks])
    axes.set_xlim(min(sizes) * 0.5, max(sizes) * 1.3)
    axes.minorticks_off()


def _name(axes: Axes, points: list[tuple[str, float, float]]) -> None:
    """Name the points, from the most accurate on; not one whose name would lie on another's."""
    named: list[tuple[float, float]] = []
    for name, x, y in reversed(points):
        across, up = (axes.transScale + axes.transLimits).transform((x, y))
        if all(abs(across - other) > 0.45 or abs(up - above) > 0.06 for other, above in named):
            named.append((across, up))
            side, shift = ("left", 4) if across < 0.5 else ("right", -4)
            axes.annotate(name, (x, y), (shift, 3), textcoords="offset points", fontsize=SMALL, ha=side)


def _error(accuracy: float) -> float:
    return max(100 * (1 - accuracy), 0.01)


@section("Accuracy over size")
def over_size(records: Records) -> list[Part]:
    """Accuracy over parameters and over mult-adds; a pair of drawings for each protocol."""
    parts: list[Part] = [
        paragraph(
            f"Test accuracy on {DATASET} after the last epoch: means with 95 % intervals, on an axis that is spaced by "
            "the error. The line joins the networks that none of the same size or smaller surpasses; those whose names "
            "have room are named. Hollow: what others have published of networks under 8,000 parameters; the table "
            "says how each was measured."
        )
    ]
    for words, recipe in DRAWN:
        found = {name: test_accuracy(runs) for name, runs in records.of(recipe).items()}
        for size, label in SIZES.items():
            if found:
                caption = f"{words}: accuracy over {label}, n = {_counts(found)}."
                parts.append(Picture(drawing(_draw(found, size), 3.8), caption))
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
