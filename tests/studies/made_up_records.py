"""Records of runs that were never trained, in the layout of real ones, to try the report with."""

import csv
import json

import numpy as np

from keras_mnist.models.registry import get_variant, list_variants
from keras_mnist.studies.report.missing import RANKED, RANKED_ON_ALL_IMAGES
from keras_mnist.studies.run import Run

IMAGES = 10_000
DOCUMENT = "document,validation=test"


def write_run(folder, variant, recipe, seed, accuracy, **rest):
    """One run on MNIST, where its folder says so: "document,rotation_degrees=0"; `rest` as in `write_record`."""
    base, *changes = recipe.split(",")
    settings = dict(change.split("=") for change in changes)
    validation = settings.pop("validation", "held-out")
    settings = {name: json.loads(value) for name, value in settings.items()}
    changed = get_variant(variant).recipe(base).with_settings(**settings)
    run = Run(get_variant(variant), changed, "mnist", validation, seed)
    write_record(folder / run.folder, run, accuracy, **rest)


def write_record(home, run, accuracy, *, epochs=6, best=None, loss=None, **facts):
    """The three files of a run: `accuracy` after its last epoch on the test images, `best` in the epoch before.

    loss: on the watched images after the last epoch.
    facts: what run.json is to hold instead.
    """
    watched = "val_" * (run.validation != "none")
    random = np.random.default_rng([len(run.variant.name), run.seed, round(accuracy * IMAGES)])
    home.mkdir(parents=True)
    rising = [max(1 - (1 - accuracy) * (1 + 8 / (epoch + 1) ** 2), 0) for epoch in range(epochs)]
    rising[-2:] = [best or accuracy, accuracy]
    rows = [
        {
            "epoch": k + 1,
            "loss": 1 - a,
            "accuracy": a,
            f"{watched}loss": 1 - a,
            f"{watched}accuracy": a,
            "learning_rate": 0.1,
            "seconds": 20.0 + run.seed,
        }
        for k, a in enumerate(rising)
    ]
    rows[-1][f"{watched}loss"] = 1 - accuracy if loss is None else loss
    write_csv(home / "history.csv", list(rows[0]), rows)
    errors = round((1 - accuracy) * IMAGES)
    hard = sorted(random.choice(min(200 + 4 * errors, IMAGES), errors, replace=False).tolist())
    wrong = [{"index": i, "label": i % 10, "prediction": (i + 1 + run.seed % 2) % 10, "probability": 0.6} for i in hard]
    write_csv(home / "test_errors.csv", ["index", "label", "prediction", "probability"], wrong)
    (home / "run.json").write_text(json.dumps(facts_of(run, accuracy, epochs) | facts))


def facts_of(run, accuracy, epochs):
    """What run.json holds."""
    facts = run.arguments() | {
        "trainable_parameters": run.variant.params,
        "total_parameters": run.variant.params,
        "epochs_run": epochs,
        "train_images": 55_000 if run.validation == "held-out" else 60_000,
        "train_accuracy": 0.996,
        "test_images": IMAGES,
        "test_accuracy": accuracy,
        "test_errors": round((1 - accuracy) * IMAGES),
        "seconds": epochs * (20.0 + run.seed),
        "seconds_per_epoch": 20.0 + run.seed,
        "processor": "a processor",
        "threads": 1,
        "shards": 1,
        "versions": {"python": "3.11", "tensorflow": "2.21.0", "keras": "3.15.1"},
        "source_commit": "0123456789abcdef0123456789abcdef01234567",
    }
    if run.variant.claim and run.variant.claim.images == "train":
        facts["augmented_train_accuracy"] = accuracy - 0.001
    return facts


def write_csv(path, columns, rows):
    """A table with these columns."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_study(folder, *, document=5, tuned=3, ten=RANKED):
    """A whole study: every variant in both protocols, some with ten seeds."""
    for number, variant in enumerate(list_variants()):
        claim = get_variant(variant).claim
        middle = max(claim.accuracy, 0.975) - 0.001 * (number % 3) if claim else 0.995
        spread = np.random.default_rng(number).normal(0, 0.0006, (2, 10))
        for seed in range(document if claim else 0):
            last = round(middle + spread[0, seed], 4)
            write_run(folder, variant, DOCUMENT, seed, last, best=round(last + 0.0004, 4), epochs=15)
        for seed in range(10 if variant in ten else tuned):
            write_run(folder, variant, "tuned", seed, round(middle + 0.0008 + spread[1, seed], 4), epochs=15 - seed % 3)
    for variant in RANKED_ON_ALL_IMAGES:
        for seed in range(10):
            write_run(folder, variant, "tuned,validation=none", seed, round(0.9954 + seed / 1e4, 4))
    for seed in range(10):
        write_run(folder, "bn_gap", "document", seed, round(0.9925 + np.random.default_rng(seed).normal(0, 0.001), 4))
