"""Records of runs that were never trained, in the layout of real ones, to try the report with."""

import csv
import json

import numpy as np

from keras_mnist.models.registry import get_variant, list_variants

IMAGES = 10_000
DOCUMENT = "document,validation=test"


def write_run(folder, variant, recipe, seed, accuracy, *, epochs=6, train_accuracy=0.996, best=None):
    """One run: `accuracy` after its last epoch on the test images, `best` in the epoch before."""
    random = np.random.default_rng([len(variant), seed, round(accuracy * IMAGES)])
    watches_test = recipe.endswith("validation=test")
    path = folder / "mnist" / variant / recipe / f"seed{seed}"
    path.mkdir(parents=True)
    rising = [1 - (1 - accuracy) * (1 + 8 / (epoch + 1) ** 2) for epoch in range(epochs)]
    rising[-2:] = [best or accuracy, accuracy]
    rows = [
        {
            "epoch": k + 1,
            "loss": 1 - a,
            "accuracy": a,
            "val_loss": 1 - a,
            "val_accuracy": a,
            "learning_rate": 0.1,
            "seconds": 20.0 + seed,
        }
        for k, a in enumerate(rising)
    ]
    _write_csv(path / "history.csv", rows)
    errors = round((1 - accuracy) * IMAGES)
    hard = sorted(random.choice(200 + 4 * errors, errors, replace=False).tolist())
    wrong = [{"index": i, "label": i % 10, "prediction": (i + 1 + seed % 2) % 10, "probability": 0.6} for i in hard]
    _write_csv(path / "test_errors.csv", wrong)
    facts = {
        "variant": variant,
        "dataset": "mnist",
        "seed": seed,
        "validation": "test" if watches_test else "held-out",
        "recipe": get_variant(variant).recipe(recipe.partition(",")[0]).flat(),
        "trainable_parameters": get_variant(variant).params,
        "epochs_run": epochs,
        "train_images": 60_000 if watches_test else 55_000,
        "train_accuracy": train_accuracy,
        "test_images": IMAGES,
        "test_accuracy": accuracy,
        "test_errors": errors,
        "seconds": sum(row["seconds"] for row in rows),
        "processor": "a processor",
        "threads": 1,
        "shards": 1,
        "versions": {"python": "3.11", "tensorflow": "2.21.0", "keras": "3.15.1"},
        "source_commit": "0123456789abcdef0123456789abcdef01234567",
    }
    claim = get_variant(variant).claim
    if claim and claim.images == "train":
        facts["augmented_train_accuracy"] = accuracy - 0.001
    (path / "run.json").write_text(json.dumps(facts))


def _write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_study(folder, *, document=5, tuned=3, ten=("bn_gap", "swift")):
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
    for seed in range(10):
        write_run(folder, "bn_gap", "document", seed, round(0.9925 + np.random.default_rng(seed).normal(0, 0.001), 4))
