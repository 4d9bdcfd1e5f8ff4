import json
import resource
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.errors import RunError, UsageError
from keras_mnist.results import export as module
from keras_mnist.results import folding
from tests.results import users_models
from tests.results.test_folding import lively

READER = """
import sys
sys.modules["keras"] = None  # importing it fails from here on; TensorFlow does without
import numpy as np, tensorflow as tf
images = np.load(sys.argv[2])
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
print(serve.structured_input_signature[1]["image"])
found = serve(image=tf.constant(images))
np.savez(sys.argv[3], **{k: v.numpy() for k, v in found.items()})
"""


def test_another_process_reads_digits_without_keras(tmp_path, digits):
    model = keras_mnist.create_model("bn_gap")
    images = digits.test_images[:50]
    difference = keras_mnist.export(model, tmp_path / "bn_gap", images, {"variant": "bn_gap"})
    assert difference <= 1e-6
    np.save(tmp_path / "images.npy", images)
    arguments = [str(tmp_path / "bn_gap"), str(tmp_path / "images.npy"), str(tmp_path / "found.npz")]
    reader = subprocess.run([sys.executable, "-c", READER, *arguments], capture_output=True, text=True)
    assert reader.returncode == 0, reader.stderr
    assert "shape=(None, 28, 28, 1), dtype=tf.uint8" in reader.stdout
    found = np.load(tmp_path / "found.npz")
    expected = model(images.astype(np.float32)).numpy()
    assert set(found.files) == {"probabilities", "digit"}
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)
    np.testing.assert_array_equal(found["digit"], expected.argmax(axis=1))
    assert json.loads((tmp_path / "bn_gap" / "keras_mnist.json").read_text()) == {"variant": "bn_gap"}


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def wrong_fold(change):
    """Folding that changes one bias of one channel in the middle of the network."""

    def fold(model):
        folded = folding.fold(model)
        layers = [layer for layer in folded.layers if isinstance(layer, keras.layers.Conv2D)]
        kernel, bias = layers[len(layers) // 2].get_weights()
        bias[0] += change
        layers[len(layers) // 2].set_weights([kernel, bias])
        return folded

    return fold


@pytest.mark.parametrize(("scale", "change"), [(1, 0.5), (30, 0.1), (1000, 0.01)])
def test_an_export_that_differs_is_refused_and_the_old_one_stays(tmp_path, monkeypatch, scale, change):
    keras.utils.set_random_seed(0)
    model = with_last_weights_times(scale, keras_mnist.create_model("bn_gap"))
    keras_mnist.export(model, tmp_path / "bn_gap")
    before = files(tmp_path)
    monkeypatch.setattr(module, "fold", wrong_fold(change))
    with pytest.raises(RunError, match="the exported bn_gap differs by .*, expected at most"):
        keras_mnist.export(model, tmp_path / "bn_gap")
    assert files(tmp_path) == before
    assert {path.name for path in tmp_path.iterdir()} == {"bn_gap", ".bn_gap.lock"}


def with_last_weights_times(scale, model):
    last = [layer for layer in model.layers if layer.weights][-1]
    last.set_weights([weight * scale for weight in last.get_weights()])
    return model


@pytest.mark.parametrize("name", ["bn_gap", "evo_skip", "swift"])
@pytest.mark.parametrize("scale", [30, 300, 1e4])
def test_rounding_is_no_difference_at_any_scale_of_the_weights(tmp_path, monkeypatch, digits, name, scale):
    monkeypatch.setattr(module, "TOLERANCE", 0.0)  # so that what rounding may do decides
    keras.utils.set_random_seed(0)
    model = with_last_weights_times(scale, lively(keras_mnist.create_model(name)))
    assert keras_mnist.export(model, tmp_path / name, digits.test_images) < 0.01


CALLER = """
import sys
import tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
for shape in [(1, 28, 28), (28, 28, 1), (2, 28, 28, 3), (1, 27, 28, 1), (784,), (), (0, 28, 28)]:
    try:
        serve(image=tf.zeros(shape, tf.uint8))
    except tf.errors.InvalidArgumentError as error:
        written = "[" + ",".join(map(str, shape)) + "]"
        assert f"{written} is not compatible with expected shape [?,28,28,1]" in str(error), error
    else:
        raise SystemExit(f"{shape} was taken")
found = serve(image=tf.zeros((0, 28, 28, 1), tf.uint8))
assert found["probabilities"].shape == (0, 10) and found["digit"].shape == (0,), found
assert serve(image=tf.zeros((3, 28, 28, 1), tf.uint8))["digit"].shape == (3,)
"""


def test_images_of_another_shape_are_an_error_and_none_give_none(tmp_path):
    keras_mnist.export(keras_mnist.create_model("bn_gap"), tmp_path / "bn_gap")
    caller = subprocess.run([sys.executable, "-c", CALLER, tmp_path / "bn_gap"], capture_output=True, text=True)
    assert caller.returncode == 0, caller.stderr


def test_of_logits_the_softmax_is_exported(tmp_path, digits):
    model = lively(keras_mnist.create_model("bn", classifier_activation=None))
    keras_mnist.export(model, tmp_path / "bn")
    images = digits.test_images[:20]
    found = tf.saved_model.load(tmp_path / "bn").signatures["serving_default"](image=tf.constant(images))
    expected = keras.ops.softmax(model(images.astype(np.float32))).numpy()
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)


@pytest.mark.parametrize("build", users_models.ALL)
def test_a_user_s_model_is_exported(tmp_path, digits, build):
    model, images = build(), digits.test_images[:20]
    assert keras_mnist.export(model, tmp_path / "model", images) < 1e-3
    found = tf.saved_model.load(tmp_path / "model").signatures["serving_default"](image=tf.constant(images))
    expected = keras.tree.flatten(model.predict_on_batch(images.astype(np.float32)))[0]
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-3)


def flat_images():
    return keras.Sequential([keras.Input((784,)), keras.layers.Dense(10)])


def maps_out():
    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(10, 3)])


def two_outputs():
    image = keras.Input((28, 28, 1))
    x = keras.layers.Flatten()(image)
    return keras.Model(image, [keras.layers.Dense(10)(x), keras.layers.Dense(10)(x)])


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (flat_images, r"takes inputs \(None, 784\), expected images \(None, 28, 28, 1\)"),
        (maps_out, r"gives \(256, 26, 26, 10\) for a batch of images, expected one array"),
        (two_outputs, r"gives \(256, 10\), \(256, 10\) for a batch"),
    ],
)
def test_a_model_that_reads_no_digits_is_refused_in_one_line(tmp_path, build, words):
    with pytest.raises(UsageError, match=words) as error:
        keras_mnist.export(build(), tmp_path / "model")
    assert "\n" not in str(error.value) and not (tmp_path / "model").exists()


class Never(keras.Model):
    """Fails when it is asked: what is refused must be refused before any work."""

    def call(self, images):
        raise AssertionError("work was begun")


def a_thesis(folder):
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")


def a_thesis_in_an_export(folder):
    keras_mnist.export(users_models.sequential(), folder)
    (folder / "variables" / "thesis.txt").write_text("years of work")


def a_thesis_in_a_folder_of_an_export(folder):
    keras_mnist.export(users_models.sequential(), folder)
    (folder / "chapters" / "one").mkdir(parents=True)
    (folder / "chapters" / "one" / "thesis.txt").write_text("years of work")


def a_link_in_an_export(folder):
    keras_mnist.export(users_models.sequential(), folder)
    (folder / "thesis").symlink_to(folder.parent)


def an_export_of_others(folder):
    tf.saved_model.save(tf.Module(), folder)


def an_export_of_mnist(folder):
    keras_mnist.export(users_models.sequential(), folder, facts={"dataset": "mnist"})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (a_thesis, "holds thesis.txt"),
        (a_thesis_in_an_export, "holds variables/thesis.txt"),
        (a_thesis_in_a_folder_of_an_export, "holds chapters/one/thesis.txt"),
        (a_link_in_an_export, "holds thesis"),
        (an_export_of_others, "holds fingerprint.pb and is no export alone"),
        (an_export_of_mnist, "holds an export of mnist, this one is of digits"),
    ],
)
def test_what_is_not_ours_is_not_replaced_until_asked_to(tmp_path, make, words):
    folder = tmp_path / "chosen"
    make(folder)
    before = files(tmp_path)
    with pytest.raises(UsageError, match=f"chosen {words}.*--output.*--overwrite.*overwrite=True") as error:
        keras_mnist.export(Never(), folder, facts={"dataset": "digits"})
    assert "\n" not in str(error.value) and files(tmp_path) == before
    keras_mnist.export(users_models.sequential(), folder, facts={"dataset": "digits"}, overwrite=True)
    assert module.exported_facts(folder) == {"dataset": "digits"}
    assert not list(tmp_path.rglob("thesis*"))


def test_what_comes_into_the_folder_during_the_work_stays(tmp_path, monkeypatch):
    def compare_while_someone_writes(*_):
        a_thesis(tmp_path / "chosen")
        return 0.0

    monkeypatch.setattr(module, "compare", compare_while_someone_writes)
    with pytest.raises(UsageError, match="holds thesis.txt"):
        keras_mnist.export(users_models.sequential(), tmp_path / "chosen")
    assert files(tmp_path / "chosen") == {Path("thesis.txt"): b"years of work"}


def test_an_empty_folder_and_an_older_export_are_replaced(tmp_path):
    (tmp_path / "chosen").mkdir()
    for seed in (1, 2):
        keras_mnist.export(users_models.sequential(), tmp_path / "chosen", facts={"dataset": "digits", "seed": seed})
        assert module.exported_facts(tmp_path / "chosen")["seed"] == seed


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_is_never_replaced(tmp_path, overwrite):
    (tmp_path / "model.keras").write_text("a network")
    with pytest.raises(UsageError, match="model.keras is a file, expected a folder; choose another --output"):
        keras_mnist.export(Never(), tmp_path / "model.keras", overwrite=overwrite)
    for below in ("model.keras/export", "model.keras/exports/export"):
        with pytest.raises(UsageError, match=r"cannot write to .*model.keras.* \(.*\); choose another --output"):
            keras_mnist.export(Never(), tmp_path / below, overwrite=overwrite)
    assert (tmp_path / "model.keras").read_text() == "a network"


def test_a_folder_that_cannot_be_written_is_named_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(module.os, "access", lambda path, mode: Path(path) != tmp_path)  # root may write everywhere
    with pytest.raises(UsageError, match=r"cannot write to .* \(Permission denied\); choose another --output"):
        keras_mnist.export(Never(), tmp_path / "chosen")


def test_a_disk_that_fills_up_leaves_the_old_export_and_one_line(tmp_path):
    keras_mnist.export(users_models.sequential(), tmp_path / "chosen")
    before = files(tmp_path)
    soft, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
    try:
        with pytest.raises(RunError, match=r"cannot write .*chosen \(File too large\); make room there") as error:
            keras_mnist.export(users_models.sequential(), tmp_path / "chosen")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, most))
    assert "\n" not in str(error.value) and files(tmp_path) == before


@pytest.mark.parametrize("content", ["", "[1]", '{"dataset": "mni', None])
def test_facts_that_cannot_be_read_are_none(tmp_path, content):
    a_thesis(tmp_path / "chosen")
    (tmp_path / "chosen" / "saved_model.pb").write_text("")
    if content is not None:
        (tmp_path / "chosen" / "keras_mnist.json").write_text(content)
    assert module.exported_facts(tmp_path / "chosen") is None
    assert module.exported_facts(tmp_path / "absent") is None


def test_an_export_names_its_run(tmp_path):
    record = {"variant": "bn_gap", "dataset": "digits", "seed": 3, "test_accuracy": 0.9, "epochs": 5}
    (tmp_path / "run.json").write_text(json.dumps(record))
    facts = module.facts_beside(tmp_path / "model.keras")
    assert facts["run"] == str(tmp_path) and facts["seed"] == 3 and "epochs" not in facts
    assert module.facts_beside(tmp_path / "elsewhere" / "model.keras") is None
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(UsageError, match="run.json is no record of a run"):
        module.facts_beside(tmp_path / "model.keras")
