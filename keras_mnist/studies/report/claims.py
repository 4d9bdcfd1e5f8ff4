"""What the sources claim beside what was measured here."""

from __future__ import annotations

import dataclasses
import statistics

from keras_mnist.models.registry import Claim, Variant, get_variant, list_variants
from keras_mnist.studies.records import AS_DOCUMENTED, DATASET, Record, Records
from keras_mnist.studies.report.groups import test_accuracy
from keras_mnist.studies.report.reasons import REASONS, UNKNOWN
from keras_mnist.studies.report.registry import Part, section
from keras_mnist.studies.report.words import (
    cut,
    interval,
    items,
    names,
    paragraph,
    percent,
    points,
    signed,
    spread,
    table,
)
from keras_mnist.studies.statistics import Summary, summarize

DIGITS = 4  # documents print accuracies as per cent with two decimals
FAR = 0.01  # a mean so far above its claim says more than that the claim holds


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A claim with the runs of its document's recipe; `measured` is what the document measured, one value a run."""

    variant: Variant
    measured: Summary
    last: Summary  # test accuracy after the last epoch
    in_pytorch: tuple[float, ...]  # the same as `measured`, of runs in PyTorch

    @property
    def claim(self) -> Claim:
        return self.variant.claim

    @property
    def reached(self) -> int:
        """How many runs come to the claim, rounded as documents print."""
        return sum(round(value, DIGITS) >= self.claim.accuracy for value in self.measured.values)

    @property
    def excess(self) -> float:
        """How far the mean lies above the claim."""
        return self.measured.mean - self.claim.accuracy

    @property
    def holds(self) -> bool:
        return bool(self.reached) or self.measured.covers(self.claim.accuracy)

    @property
    def words(self) -> str:
        if self.reached:
            return f"holds ({self.reached} of {self.measured.n})"
        return "holds (interval)" if self.holds else "**does not hold**"

    @property
    def reason(self) -> str:
        """Why it does not hold, as far as is known."""
        found = [REASONS[self.variant.name]] if self.variant.name in REASONS else []
        if self.variant.assumed:
            found.append(f"The document leaves open, and here was assumed: {'; '.join(self.variant.assumed)}.")
        return " ".join(found) or UNKNOWN


def verdicts(records: Records, images: str) -> list[Verdict]:
    """The claims that were measured on "test" or "train" images and have runs, study by study."""
    variants = sorted(map(get_variant, list_variants()), key=lambda variant: variant.study)
    runs = records.of(AS_DOCUMENTED)
    claimed = [variant for variant in variants if variant.claim and variant.claim.images == images]
    return [
        _verdict(variant, runs[variant.name], records.in_pytorch(variant.name))
        for variant in claimed
        if variant.name in runs
    ]


def _verdict(variant: Variant, runs: list[Record], torch_runs: list[dict]) -> Verdict:
    if variant.claim.images == "train":
        theirs = [run["augmented_train_accuracy"] for run in torch_runs]
        values = [run.facts["augmented_train_accuracy"] for run in runs]
        measured = summarize(values, runs[0].facts["train_images"])
    else:
        theirs = [max(run["test_accuracy_by_epoch"]) for run in torch_runs]
        measured = summarize([run.best_accuracy for run in runs], runs[0].facts["test_images"])
    return Verdict(variant, measured, test_accuracy(runs), tuple(theirs))


def _rows(found: list[Verdict]):
    for verdict in found:
        claim, measured = verdict.claim.accuracy, verdict.measured
        yield (
            f"`{verdict.variant.name}`",
            verdict.words,
            percent(claim),
            percent(measured.mean),
            signed(verdict.excess),
            percent(measured.best),
            measured.n,
            points(measured.deviation),
            interval(measured),
            spread(verdict.last),
        )


def _table(found: list[Verdict], last: str) -> str:
    columns = ["variant", "verdict", ">claim", ">mean", ">mean − claim", ">best of n", ">n", ">deviation"]
    return table([*columns, ">95 % interval", f">{last}"], _rows(found))


def _held(found: list[Verdict]) -> str:
    """How many claims hold, how many of these only by the interval, and which are far exceeded."""
    held = [verdict for verdict in found if verdict.holds]
    by_interval = sum(not verdict.reached for verdict in held)
    only = f", {by_interval} of them only by the interval" * bool(by_interval)
    far = [f"`{verdict.variant.name}` ({signed(verdict.excess)})" for verdict in held if verdict.excess > FAR]
    exceeded = f" Far exceeded, by more than {FAR * 100:g} point on average: {', '.join(far)}." if far else ""
    return f"{len(held)} of {len(found)} measured claims hold{only}.{exceeded}"


def _failures(found: list[Verdict]) -> list[str]:
    """The claims that do not hold, with their likely reasons; those with the same one together."""
    by_reason: dict[str, list[str]] = {}
    for verdict in found:
        if not verdict.holds:
            gap = points(verdict.claim.accuracy - verdict.measured.best)
            far = (
                f"`{verdict.variant.name}` ({gap} points above the best of {verdict.measured.n}{_in_pytorch(verdict)})"
            )
            by_reason.setdefault(verdict.reason, []).append(far)
    lines = [f"{', '.join(claims)}. {reason}" for reason, claims in by_reason.items()]
    return ["Likely reasons of those that do not hold:", items(lines)] if lines else []


def _in_pytorch(verdict: Verdict) -> str:
    """What the same recipe gives in PyTorch, and whether our runs fall short of that as well."""
    theirs = verdict.in_pytorch
    if not theirs:
        return ""
    mean = statistics.fmean(theirs)
    runs = f"the mean of {len(theirs)} runs, {percent(max(theirs))} the best" if len(theirs) > 1 else "one run"
    short = ", which ours fall short of for a reason not known" * (mean > verdict.measured.interval[1])
    return f"; the same recipe in PyTorch comes to {percent(mean)}, {runs}{short}"


@section("Claims against measurements")
def claims(records: Records) -> list[Part]:
    """Every claim whose document's recipe was trained as its source did."""
    on_test, on_train = verdicts(records, "test"), verdicts(records, "train")
    found = on_test + on_train
    if not found:
        return ["No run of the document protocol is recorded yet."]
    parts = [
        paragraph(
            f"{_held(found)} Document protocol on {DATASET}: all 60,000 training images, the test images watched after "
            "each epoch, as the sources did. A claim is the best epoch of one run of its author. It holds where the "
            "best epoch of at least one of our n runs reaches it, or the 95 % interval of their mean covers it; the "
            "verdict says which. Deviations and differences are in percentage points; intervals are Student's t over "
            "seeds, and Wilson's, over images, where there is one run."
            f"{cut(verdict.measured for verdict in found)} The mean is that of best epochs, and best of n is what a "
            "source would have quoted; the last column has the test accuracy after the last epoch."
        )
    ]
    if on_test:
        parts.append(_table(on_test, "last epoch"))
    if on_train:
        parts.append(
            paragraph(
                "The conv_iterations study never touched the test images: what its document calls its test set are the "
                "60,000 augmented training images. So the mean and the best of n are of those, after the last epoch, "
                "with distortions that training had not shown. The accuracy on the test images is ours alone."
            )
        )
        parts.append(_table(on_train, "test images"))
    parts += _failures(found)
    noted = [f"`{v.variant.name}`: {v.claim.note}." for v in found if v.claim.note]
    parts += ["Of the documents themselves:", items(noted)] if noted else []
    claimed = {name for name in list_variants() if get_variant(name).claim}
    missing = sorted(claimed - {verdict.variant.name for verdict in found})
    return [*parts, paragraph(f"Not measured yet: {names(missing)}.")] if missing else parts
