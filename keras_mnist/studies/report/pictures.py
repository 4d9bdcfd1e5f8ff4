"""How many digits a network predicts rightly on pictures of other kinds than MNIST's."""

from __future__ import annotations

from keras_mnist.studies.records import Records
from keras_mnist.studies.report.registry import Part, region
from keras_mnist.studies.report.words import paragraph, percent, points, table


@region
def picture_kinds(records: Records) -> list[Part]:
    """Digits predicted rightly on each kind of picture, in both halves."""
    found = records.pictures
    seen, unseen = found["kinds"]["seen"], found["kinds"]["unseen"]
    rows = [[name.replace("_", " "), *map(_share, (seen[name], unseen[name]))] for name in seen]
    sums = [_sum(half.values()) for half in (seen, unseen)]
    rows.append(["**all**", *map(_share, sums)])
    both = _sum(sums)
    said = (
        f"In all {_share(both)} ({percent(both['right'] / both['digits'])}), predicted by `{found['variant']}`, whose "
        f"run `{found['run']}` has an accuracy of {percent(found['test_accuracy'])} on mnist."
    )
    return [table(["kind of picture", ">seen half", ">unseen half"], rows), paragraph(said)]


@region
def picture_errors(records: Records) -> list[Part]:
    """What was predicted wrongly."""
    rows = [[row["half"], row["kind"], row["written"], row["read"] or "refused"] for row in records.pictures["wrong"]]
    return [table(["half", "kind", ">written", ">predicted"], rows)] if rows else ["None."]


@region
def picture_form(records: Records) -> list[Part]:
    """What MNIST itself says about its form, and what is lost on the way out of it and back."""
    form, trip = records.pictures["form"], records.pictures["round_trip"]
    centre, width = form["centre_of_mass"], form["stroke_width"]
    lost = (trip["errors_after"] - trip["errors"]) / trip["images"]
    said = [
        f"The centre of mass of the {form['images']:,} training images of mnist lies between {min(centre['least'])} "
        f"and {max(centre['most'])} along both sides, and at row {centre['mean'][0]} and column {centre['mean'][1]} "
        f"on average: at index 14, to the nearest pixel. The strokes of the first {width['images']:,} are "
        f"{percent(width['median'])} of the digit's longer side thick (median); "
        f"2 % of them have less than {percent(width['2 %'])}.",
        f"Of the {trip['images']:,} test images of mnist, `{records.pictures['variant']}` predicts {trip['errors']} "
        f"wrongly; enlarged, moved, inverted and brought back to the form, {trip['errors_after']}: {points(lost)} "
        "points are lost.",
    ]
    return [paragraph(text) for text in said]


def _share(counts: dict[str, int]) -> str:
    return f"{counts['right']} of {counts['digits']}"


def _sum(counts) -> dict[str, int]:
    counts = list(counts)
    return {name: sum(row[name] for row in counts) for name in ("digits", "right")}
