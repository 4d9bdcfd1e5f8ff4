import errno
import functools
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.errors import RunError, UsageError
from keras_mnist.results import export as module
from keras_mnist.results import folding
from keras_mnist.results.evaluation import raw_outputs
from keras_mnist.results.export import comparison, formats
from keras_mnist.results.export.facts import exported_facts, facts_beside
from tests.conftest import slow_beside
from tests.results import users_models
from tests.results.test_folding import lively

OTHERS = ("evo_skip", "swift")  # with skip connections; with its norms before ReLU
READER = """
import sys
sys.modules["keras"] = None  # importing it fails from here on; TensorFlow does without
import numpy as np, tensorflow as tf
images = np.load(sys.argv[2])
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
print(serve.structured_input_signature[1]["image"])
found = serve(image=tf.constant(images))
np.savez(sys.argv[3], **{k: v.numpy() for k, v in found.items()})
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


@pytest.mark.slow
def test_another_process_predicts_digits_without_keras_and_gets_an_error_for_other_shapes(tmp_path, digits):
    model = keras_mnist.create_model("bn_gap")
    images = digits.test_images[:50]
    found = keras_mnist.export(model, tmp_path / "bn_gap", images=images, facts={"variant": "bn_gap"})
    assert found.difference <= 1e-6 and (found.images, found.agreement) == (50, 1.0)
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
    assert exported_facts(tmp_path / "bn_gap") == {"variant": "bn_gap", "format": "saved_model"}


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@functools.cache
def exported():
    """The files of an export of a small model."""
    with tempfile.TemporaryDirectory() as folder:
        keras_mnist.export(users_models.sequential(), Path(folder) / "model", facts={"dataset": "mnist"})
        return files(Path(folder) / "model")


def an_export_of_mnist(folder):
    for path, content in exported().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


@pytest.fixture
def export_format():
    """Register formats for one test."""
    formats.get_format("saved_model")  # imports those of the package, which stay
    before = dict(formats.FORMATS)
    yield formats.export_format
    for name in formats.FORMATS.keys() - before.keys():
        del formats.FORMATS[name]


@pytest.fixture
def folded(export_format):
    """The name of a format that writes nothing: what is compared is the folded network itself."""

    @export_format()
    def folded(model, gives_logits, path):
        return lambda images: np.asarray(model(images.astype(np.float32)))

    return "folded"


@pytest.fixture
def copied(monkeypatch):
    """Let a SavedModel be a copy of one that was written before: for tests of where it goes and what it replaces."""

    def saved_model(model, gives_logits, path):
        an_export_of_mnist(path)
        return functools.partial(raw_outputs, model)

    copying = formats.get_format("saved_model")._replace(write=saved_model)
    monkeypatch.setattr(module, "get_format", lambda name: copying)


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


@pytest.mark.parametrize(
    ("scale", "change", "format"),
    slow_beside([(1, 0.5, "saved_model")], [(1, 0.5, "saved_model"), (30, 0.1, "folded"), (1000, 0.01, "folded")]),
)
def test_an_export_that_differs_is_refused_and_the_old_one_stays(tmp_path, monkeypatch, folded, scale, change, format):
    keras.utils.set_random_seed(0)
    model = with_last_weights_times(scale, keras_mnist.create_model("bn_gap"))
    an_export_of_mnist(tmp_path / "bn_gap")
    before = files(tmp_path / "bn_gap")
    monkeypatch.setattr(module, "fold", wrong_fold(change))
    with pytest.raises(RunError, match="the exported bn_gap differs by .*, expected at most"):
        keras_mnist.export(model, tmp_path / "bn_gap", facts={"dataset": "mnist"}, format=format)
    with pytest.raises(UsageError, match="holds an export of mnist, this one is of a model without a run.json"):
        keras_mnist.export(model, tmp_path / "bn_gap")
    assert files(tmp_path / "bn_gap") == before
    assert {path.name for path in tmp_path.iterdir()} == {"bn_gap", ".bn_gap.lock"}


def with_last_weights_times(scale, model):
    last = [layer for layer in model.layers if layer.weights][-1]
    last.set_weights([weight * scale for weight in last.get_weights()])
    return model


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bn_gap", *OTHERS])
def test_rounding_is_no_difference_at_any_scale_of_the_weights(tmp_path, monkeypatch, digits, folded, name):
    monkeypatch.setattr(comparison, "TOLERANCE", 0.0)  # so that what rounding may do decides
    keras.utils.set_random_seed(0)
    model = lively(keras_mnist.create_model(name))
    for times, format in ((30, folded), (10, folded), (1e4 / 300, "saved_model")):
        model = with_last_weights_times(times, model)
        assert (
            keras_mnist.export(model, tmp_path / str(times), format=format, images=digits.test_images).difference < 0.01
        )


@pytest.mark.slow
def test_of_logits_the_softmax_is_exported(tmp_path, digits):
    model = lively(keras_mnist.create_model("bn", classifier_activation=None))
    keras_mnist.export(model, tmp_path / "bn")
    images = digits.test_images[:20]
    found = tf.saved_model.load(tmp_path / "bn").signatures["serving_default"](image=tf.constant(images))
    expected = keras.ops.softmax(model(images.astype(np.float32))).numpy()
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)


# What is newest to a SavedModel: models that are no graph of layers, and names of inputs and outputs.
NEW_TO_EXPORT = (users_models.subclassed, users_models.named_input_and_output)


@pytest.mark.parametrize("build", slow_beside(NEW_TO_EXPORT, users_models.ALL))
def test_a_user_s_model_is_exported(tmp_path, digits, build):
    model, images = build(), digits.test_images[:20]
    assert keras_mnist.export(model, tmp_path / "model", images=images).difference < 1e-3
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
def test_a_model_that_takes_no_digits_is_refused_in_one_line(tmp_path, build, words):
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
    an_export_of_mnist(folder)
    (folder / "variables" / "thesis.txt").write_text("years of work")


def a_thesis_in_a_folder_of_an_export(folder):
    an_export_of_mnist(folder)
    (folder / "chapters" / "one").mkdir(parents=True)
    (folder / "chapters" / "one" / "thesis.txt").write_text("years of work")


def a_link_in_an_export(folder):
    an_export_of_mnist(folder)
    (folder / "thesis").symlink_to(folder.parent)


def an_export_of_others(folder):
    tf.saved_model.save(tf.Module(), folder)


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
def test_what_is_not_ours_is_not_replaced_until_asked_to(tmp_path, copied, make, words):
    folder = tmp_path / "chosen"
    make(folder)
    before = files(tmp_path)
    with pytest.raises(UsageError, match=f"chosen {words}.*`output`.*`overwrite`") as error:
        keras_mnist.export(Never(), folder, facts={"dataset": "digits"})
    assert "\n" not in str(error.value) and files(tmp_path) == before
    keras_mnist.export(users_models.sequential(), folder, facts={"dataset": "digits"}, overwrite=True)
    assert exported_facts(folder) == {"dataset": "digits", "format": "saved_model"}
    assert not list(tmp_path.rglob("thesis*"))


def test_what_comes_into_the_folder_during_the_work_stays(tmp_path, monkeypatch, copied):
    def compare_while_someone_writes(*_):
        a_thesis(tmp_path / "chosen")
        return comparison.Comparison(1, 0.0, 1.0)

    monkeypatch.setattr(module, "compare", compare_while_someone_writes)
    with pytest.raises(UsageError, match="holds thesis.txt"):
        keras_mnist.export(users_models.sequential(), tmp_path / "chosen")
    assert files(tmp_path / "chosen") == {Path("thesis.txt"): b"years of work"}


def test_an_empty_folder_and_an_older_export_are_replaced(tmp_path, copied):
    (tmp_path / "chosen").mkdir()
    for seed in (1, 2):
        keras_mnist.export(users_models.sequential(), tmp_path / "chosen", facts={"dataset": "digits", "seed": seed})
        assert exported_facts(tmp_path / "chosen")["seed"] == seed


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_is_never_replaced(tmp_path, overwrite):
    (tmp_path / "model.keras").write_text("a network")
    with pytest.raises(UsageError, match="model.keras is a file, expected a folder; choose another `output`"):
        keras_mnist.export(Never(), tmp_path / "model.keras", overwrite=overwrite)
    for below in ("model.keras/export", "model.keras/exports/export"):
        with pytest.raises(UsageError, match=r"cannot write to .*model.keras.* \(.*\); choose another `output`"):
            keras_mnist.export(Never(), tmp_path / below, overwrite=overwrite)
    assert (tmp_path / "model.keras").read_text() == "a network"


@pytest.mark.parametrize("output", [".", "..", "~"])
def test_the_working_folder_home_and_what_is_above_are_never_replaced(tmp_path, monkeypatch, output):
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.txt").write_text("years of work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(UsageError, match="is the folder you work in, your home, or above, expected one inside"):
        keras_mnist.export(Never(), os.path.expanduser(output), overwrite=True)
    assert len(list(tmp_path.rglob("thesis.txt"))) == 2


def test_a_file_is_named_after_its_format(tmp_path):
    with pytest.raises(UsageError, match="model.tflite ends otherwise, expected the name of a .onnx file; choose an"):
        keras_mnist.export(Never(), tmp_path / "model.tflite", format="onnx")


def test_a_folder_that_cannot_be_written_is_named_before_the_work(tmp_path, monkeypatch):
    def refuse(dir):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)  # root may write everywhere
    with pytest.raises(UsageError, match=r"cannot write to .* \(Permission denied\); choose another `output`"):
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
    if content is not None:
        (tmp_path / "chosen" / "keras_mnist.json").write_text(content)
    assert exported_facts(tmp_path / "chosen") is None
    assert exported_facts(tmp_path / "absent") is None


def test_an_export_names_its_run(tmp_path):
    record = {"variant": "bn_gap", "dataset": "digits", "seed": 3, "test_accuracy": 0.9, "epochs": 5}
    (tmp_path / "run.json").write_text(json.dumps(record))
    (tmp_path / "model.keras").write_bytes(b"weights")
    facts = facts_beside(tmp_path / "model.keras")
    assert facts["run"] == str(tmp_path) and facts["seed"] == 3 and "epochs" not in facts
    assert facts["teacher"] is None
    cases = ("mnist", {"teacher": "swift"}, "swift"), ("digits", {"teacher": "swift"}, None), ("mnist", "tuned", None)
    for dataset, recipe, teacher in cases:
        taught = {**record, "dataset": dataset, "recipe": recipe}
        (tmp_path / "run.json").write_text(json.dumps(taught))
        assert facts_beside(tmp_path / "model.keras")["teacher"] == teacher
    (tmp_path / "run.json").write_text(json.dumps(record))
    (tmp_path / "model.keras").write_bytes(b"others")
    assert facts_beside(tmp_path / "model.keras") != facts
    assert facts_beside(tmp_path / "elsewhere" / "model.keras") is None
    for damaged in ("{", "{}", "[]"):
        (tmp_path / "run.json").write_text(damaged)
        with pytest.raises(UsageError, match="run.json is no record of a run"):
            facts_beside(tmp_path / "model.keras")


def test_an_unknown_format_is_answered_with_those_there_are(tmp_path):
    with pytest.raises(UsageError, match="no export format 'savedmodel'; did you mean saved_model"):
        keras_mnist.export(Never(), tmp_path / "model", format="savedmodel")
    with pytest.raises(UsageError, match="no export format 'png'; expected one of .*saved_model"):
        keras_mnist.export(Never(), tmp_path / "model", format="png")
    assert not list(tmp_path.iterdir())


def test_a_format_of_one_file_never_replaces_another_until_asked_to(tmp_path, digits, export_format):
    """A registered format: the folded network's weights as text, read back to predict."""

    @export_format(suffix=".json")
    def weights_in_json(model, gives_logits, path):
        path.write_text(json.dumps([weight.tolist() for weight in model.get_weights()]))
        model.set_weights([np.array(weight) for weight in json.loads(path.read_text())])
        return lambda images: model.predict_on_batch(images.astype(np.float32))

    model, path, images = lively(users_models.sequential()), tmp_path / "model.json", digits.test_images[:20]
    assert keras_mnist.export(model, path, format="weights_in_json", images=images).difference <= 1e-6
    written = path.read_bytes()
    assert {file.name for file in tmp_path.iterdir()} == {"model.json", "model.json.md"} and json.loads(written)
    with pytest.raises(UsageError, match="model.json is there already; choose another `output`, or pass `overwrite`"):
        keras_mnist.export(Never(), path, format="weights_in_json")
    assert path.read_bytes() == written
    model.layers[-1].bias.assign_add(np.ones(10))
    keras_mnist.export(model, path, format="weights_in_json", images=images, overwrite=True)
    assert path.read_bytes() != written
    for overwrite in (False, True):
        (tmp_path / "folder").mkdir(exist_ok=True)
        with pytest.raises(
            UsageError, match="folder is a folder, expected the name of a .json file; choose another `output`"
        ):
            keras_mnist.export(Never(), tmp_path / "folder", format="weights_in_json", overwrite=overwrite)


def test_a_format_that_differs_or_fails_leaves_nothing(tmp_path, export_format):
    @export_format(suffix=".txt")
    def wrong(model, gives_logits, path):
        path.write_text("wrong")
        return lambda images: np.full((len(images), 10), 0.1)

    @export_format(suffix=".txt")
    def failing(model, gives_logits, path):
        path.write_text("half")
        raise tf.errors.ResourceExhaustedError(None, None, "no room")

    model = users_models.sequential()
    with pytest.raises(RunError, match="the exported sequential.* differs by"):
        keras_mnist.export(model, tmp_path / "model.txt", format="wrong")
    with pytest.raises(RunError, match=r"cannot write .*model.txt \(no room\)"):
        keras_mnist.export(model, tmp_path / "model.txt", format="failing")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="export format 'wrong' is defined twice"):
        export_format()(wrong)
