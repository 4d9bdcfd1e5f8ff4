"""What was tried in the search for small networks."""

from __future__ import annotations

from keras_mnist.recipe import TUNED, word
from keras_mnist.studies.records import DATASET, Records
from keras_mnist.studies.report.registry import Part, region
from keras_mnist.studies.report.words import MINUS, NONE, percent, signed, table
from keras_mnist.studies.search.effects import NEEDS, effects
from keras_mnist.studies.search.found import results


@region
def frontier(records: Records) -> list[Part]:
    """Every configuration on record by its held-out loss."""
    rows = []
    for result in results(records.folder / "frontier", DATASET):
        first, loss, accuracy = result.first, result.loss, result.accuracy
        scores = ["diverged", NONE, NONE]
        if loss:
            deviation = f"{loss.deviation:.4f}" if loss.n > 1 else NONE
            scores = [f"{loss.mean:.4f}", deviation, percent(accuracy.mean)]
        size = [len(result.records), f"{first['parameters']:,}", f"{first['mult_adds']:,}", f"{result.seconds:,.0f}"]
        rows.append([*scores, *size, f"`{first['network']}`", f"`{first['settings']}`" if first["settings"] else ""])
    columns = [">held-out loss", ">deviation", ">held-out accuracy", ">n", ">parameters", ">mult-adds", ">seconds"]
    return [table([*columns, "network", "settings"], rows) if rows else "No configuration is on record yet."]


@region
def effects_of_settings(records: Records) -> list[Part]:
    """What each setting brought, where two configurations differ in nothing else."""
    rows = []
    for effect in effects(results(records.folder / "frontier", DATASET)):
        if effect.setting == "network":
            continue
        (loss_before, loss_after), (before, after) = effect.mean("held_out_loss"), effect.mean("held_out_accuracy")
        difference = f"{effect.loss_difference:+.4f}".replace("-", MINUS)
        figures = [f"{loss_before:.4f}", f"{loss_after:.4f}", difference, signed(after - before), len(effect.pairs)]
        before_and_after = zip((effect.before, effect.after), effect.pairs[0], strict=True)
        values = (_shown(effect.setting, value, record["recipe"]) for value, record in before_and_after)
        rows.append([f"`{effect.setting}`", *values, *figures, f"{effect.network['parameters']:,}"])
    columns = ["setting", "from", "to", ">loss before", ">loss after", ">difference", ">accuracy, points"]
    columns += [">n", ">parameters"]
    return [table(columns, rows) if rows else "No two configurations differ in one setting alone yet."]


def _shown(setting: str, value, recipe: dict) -> str:
    """A setting's value as a line of the list has it, with what needs it and is not the default."""
    if value is None:
        return "off"
    defaults = TUNED.flat()
    needing = (name for name, needed in NEEDS.items() if needed == setting and name in recipe)
    others = (f"{name}={word(recipe[name])}" for name in needing if recipe[name] != defaults[name])
    return ", ".join([word(value), *others])
