"""What one trained network does, as an example of an evaluation."""

from __future__ import annotations

from keras_mnist.studies.records import Records
from keras_mnist.studies.report.registry import Part, region
from keras_mnist.studies.report.words import paragraph, percent, signed, table
from keras_mnist.utils.intervals import CONFIDENCE


@region
def evaluation_example(records: Records) -> list[Part]:
    """The score in a paragraph."""
    found = records.evaluation
    low, high = found["accuracy_interval"]
    worst = min(found["classes"], key=lambda row: row["recall"])
    return [
        paragraph(
            f"`{found['network']}`, as it comes with the package, on the {found['images']:,} test images of "
            f"{found['dataset']}: accuracy {percent(found['accuracy'])} ({CONFIDENCE:.0%} interval {percent(low)} to "
            f"{percent(high)}), {found['errors']} misclassified, loss {found['loss']:.4f}, expected calibration error "
            f"{percent(found['expected_calibration_error'])} at a mean confidence of "
            f"{percent(found['mean_confidence'])}. The weakest digit is {worst['digit']}, with a recall of "
            f"{percent(worst['recall'])} and a precision of {percent(worst['precision'])}."
        )
    ]


@region
def evaluation_distortions(records: Records) -> list[Part]:
    """How much accuracy is left on distorted images."""
    found = records.evaluation
    rows = [("none", "", percent(found["accuracy"]), "")]
    for row in found["distortions"]:
        amount = f"{row['strength']} {row['unit']}" if row["unit"] else ""
        rows.append((row["distortion"], amount, percent(row["accuracy"]), signed(row["accuracy"] - found["accuracy"])))
    said = f"`{found['network']}` on the {found['images']:,} test images of {found['dataset']}; changes in points."
    return [table(["distortion", ">by", ">accuracy", ">change"], rows), paragraph(said)]
