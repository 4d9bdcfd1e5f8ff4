import configparser
import csv
import hashlib
import json
import warnings

import keras
import numpy as np
import pytest

import keras_mnist
from keras_mnist.errors import RunError, UsageError
from keras_mnist.models import trained
from tests.conftest import ROOT, every_variant, slow_beside

IMAGES = np.random.default_rng(0).uniform(0, 255, (3, 28, 28, 1)).astype(np.float32)
SHIPPED = trained.read_manifest(trained.FOLDER)

# The layers whose shapes depend on the number of classes.
CLASSIFIERS = {
    "bn_gap": ["classifier"],
    "evo_skip": ["classifier"],
    "light_20k": ["block3_conv3"],
    "bn_dropout_gap": ["block2_conv3", "block2_conv3_bn"],
    "swift": ["linear"],
    "tiny_1k": ["linear"],
}


def test_a_network_comes_trained_or_random_or_for_logits(tiny, shipped):
    model = shipped(tiny)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = keras_mnist.create_model(tiny, weights="mnist")
        logits = keras_mnist.create_model(tiny, weights="mnist", classifier_activation=None)(IMAGES)
    np.testing.assert_array_equal(again(IMAGES), model(IMAGES))
    np.testing.assert_allclose(keras.ops.softmax(logits), model(IMAGES), atol=1e-6)
    random = keras_mnist.create_model(tiny, weights=None)
    assert not np.array_equal(random.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("name", slow_beside(("bn_gap",), CLASSIFIERS))
def test_for_other_classes_the_classifier_starts_anew_and_is_named(name, shipped):
    model = shipped(name)
    with pytest.warns(UserWarning) as said:
        other = keras_mnist.create_model(name, weights="mnist", num_classes=4)
    (warning,) = said
    names = " and ".join(CLASSIFIERS[name])
    assert (
        str(warning.message) == f"the trained weights of {name} are for 10 classes: for 4, {names} must be trained anew"
    )
    assert warning.filename == __file__ and other(IMAGES).shape == (3, 4)
    for layer, source in zip(other.layers, model.layers, strict=True):
        same = all(map(np.array_equal, layer.get_weights(), source.get_weights()))
        assert same != (layer.name in CLASSIFIERS[name]), layer.name


def cut_short(folder):
    file = folder / "tiny.weights.h5"
    file.write_bytes(file.read_bytes()[:5000])


def taken_away(folder):
    (folder / "tiny.weights.h5").unlink()


def of_another_variant(folder):
    keras_mnist.create_model("bn").save_weights(folder / "tiny.weights.h5")


def written_unreadable(folder):
    (folder / "tiny.weights.h5").write_bytes(b"no weights")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tiny"]["sha256"] = hashlib.sha256(b"no weights").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def manifest_cut_short(folder):
    (folder / "manifest.json").write_text("{")


def manifest_of_a_list(folder):
    (folder / "manifest.json").write_text("[]")


def without_checksum(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["tiny"]["sha256"]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def without_parameters(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["tiny"]["total_parameters"]
    (folder / "manifest.json").write_text(json.dumps(manifest))


DAMAGED = "tiny.weights.h5 is damaged or of another variant, expected sha256 [0-9a-f]{64}; install keras-mnist again"
DAMAGE = {
    cut_short: DAMAGED,
    taken_away: r"cannot read .*tiny.weights.h5 \(No such file or directory\); install keras-mnist again",
    of_another_variant: DAMAGED,
    written_unreadable: r"weights.h5 is of another network than tiny \(.*\); write it anew with keras-mnist weights",
    manifest_of_a_list: r"is damaged \(manifest.json is \[\], expected an object of JSON\); install keras-mnist again",
    without_checksum: r"is damaged \(sha256 of tiny is None, expected the checksum of its file\); install",
    without_parameters: r"is damaged \(total_parameters of tiny is None, expected a whole number\); install",
    manifest_cut_short: r"manifest.json is damaged \(.*\); install keras-mnist again",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_one_line(damage, tiny, shipped, weights_here):
    shipped(tiny)
    damage(weights_here)
    with pytest.raises(RunError, match=DAMAGE[damage]) as error:
        keras_mnist.create_model(tiny, weights="mnist")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["bn_dropout_gap", "bn_gap"])
def test_weights_of_another_network_are_refused(name, shipped, weights_here):
    """Keras itself would load those of bn into bn_dropout_gap, which has fewer weights."""
    shipped("bn")
    (weights_here / "bn.weights.h5").rename(weights_here / f"{name}.weights.h5")
    manifest = json.loads((weights_here / "manifest.json").read_text())
    (weights_here / "manifest.json").write_text(json.dumps({name: manifest["bn"]}))
    with pytest.raises(RunError, match=rf"is of another network than {name} \(7,\d+ parameters instead of ") as error:
        keras_mnist.create_model(name, weights="mnist")
    assert "\n" not in str(error.value)


def test_an_unknown_word_and_a_variant_without_weights_are_one_line(weights_here, shipped):
    with pytest.raises(UsageError, match="`weights` is 'imagenet', expected None or 'mnist'"):
        keras_mnist.create_model("bn", weights="imagenet")
    with pytest.raises(UsageError, match="bn comes without trained weights, expected one of none so far; train it"):
        keras_mnist.create_model("bn", weights="mnist")
    shipped("bn_gap")
    with pytest.raises(UsageError, match="bn comes without trained weights, expected one of bn_gap; train it"):
        keras_mnist.create_model("bn", weights="mnist")


@pytest.mark.parametrize("name", every_variant(quick=("bn_gap",)))
def test_what_comes_with_the_package_scores_what_its_run_scored(name, mnist):
    if name not in SHIPPED:
        pytest.skip(f"no trained weights of {name}")
    score = keras_mnist.evaluate(keras_mnist.create_model(name, weights="mnist"), mnist)
    assert (score.errors, score.accuracy) == (SHIPPED[name]["test_errors"], SHIPPED[name]["test_accuracy"])


@pytest.mark.parametrize("name", SHIPPED)
def test_the_manifest_says_what_the_record_says(name):
    facts = SHIPPED[name]
    run = ROOT / "docs" / "records" / facts["run"]
    record = json.loads((run / "run.json").read_text())
    assert facts.items() >= {key: value for key, value in record.items() if key in facts and key != "recipe"}.items()
    *_, last = csv.DictReader((run / "history.csv").read_text().splitlines())
    assert float(last["val_loss"]) == facts["held_out_loss"]


def test_the_wheel_holds_every_file_of_the_weights():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    package = ROOT / "keras_mnist"
    held = {
        path for pattern in settings["options.package_data"]["keras_mnist"].split() for path in package.glob(pattern)
    }
    files = {path for path in (package / "models" / "weights").glob("*") if not path.name.startswith(".")}
    names = [f"{name}.weights.h5" for name in SHIPPED]
    assert files <= held and sorted(path.name for path in files) == sorted([*names, "manifest.json"])
