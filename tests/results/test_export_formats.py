"""Each format is read by what runs it elsewhere, not by the code that wrote it, and compared with Keras."""

import ctypes
import math
import re
import shutil
import subprocess
import sys
import types

import keras
import numpy as np
import pytest
from keras import layers

import keras_mnist
from keras_mnist.errors import RunError, UsageError
from keras_mnist.models import trained
from keras_mnist.models.analysis import variant_facts
from keras_mnist.results.export.c_memory import plan
from keras_mnist.results.export.facts import exported_facts
from keras_mnist.results.folding import fold
from keras_mnist.results.graph import operations
from tests.conftest import slow_beside
from tests.results import users_models
from tests.results.test_folding import lively

WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]


def one_of_each():
    """Every layer that is known outside Keras, with strides, padding on one side, dilation and skip connections."""
    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 1))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(6, 3, strides=2, padding="same", activation="tanh")(x)
    y = layers.Conv2D(6, 3, padding="same", dilation_rate=2, activation="sigmoid")(x)
    x = layers.Dropout(0.5)(layers.Add()([x, y, x]))
    x = layers.BatchNormalization()(x)  # padding comes after it, so that it stays
    x = layers.Conv2D(8, (3, 2), padding="same", use_bias=False)(x)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    x = layers.AveragePooling2D(3, 2, padding="same")(x)
    x = layers.Rescaling(12.0)(layers.Softmax()(layers.ReLU()(layers.Dense(12)(x))))
    mean = layers.GlobalAveragePooling2D()(x)
    x = layers.Conv2D(4, 2)(layers.Reshape((2, 8, 12))(x))
    x = layers.Dense(12, activation="relu")(layers.Flatten()(x))
    x = layers.Add()([x, layers.Activation("tanh")(mean)])
    return lively(keras.Model(image, layers.Dense(10, activation="softmax")(x), name="one_of_each"))


def read_onnx(path, images):
    onnxruntime = pytest.importorskip("onnxruntime", reason='pip install -e ".[onnx]"')
    found = onnxruntime.InferenceSession(path).run(["probabilities", "digit"], {"image": images})
    np.testing.assert_array_equal(found[1], found[0].argmax(axis=1))
    return found[0]


def read_keras_folder(path, images):
    assert {file.name for file in path.iterdir()} >= {"config.json", "model.weights.h5", "metadata.json", "README.md"}
    return np.asarray(keras.saving.load_model(path)(images.astype(np.float32)))


def compiler():
    found = shutil.which("gcc")
    return found or pytest.skip("no gcc, with which the C code is compared")


def read_c(path, images):
    (source,) = path.glob("*.c")
    library = path.parent / f"{path.name}.so"
    subprocess.run([compiler(), *WARNINGS, "-shared", "-fPIC", source, "-o", library, "-lm"], check=True)
    predict = getattr(ctypes.CDLL(str(library)), f"{source.stem}_predict")
    found = np.zeros((len(images), 10), np.float32)
    pairs = zip(images, found, strict=True)
    digits = [predict(image.tobytes(), row.ctypes.data_as(ctypes.c_void_p)) for image, row in pairs]
    assert digits == found.argmax(axis=1).tolist()
    return found


READERS = {"onnx": read_onnx, "c": read_c, "keras-folder": read_keras_folder}


def of_several_passes():
    keras.utils.set_random_seed(0)
    return lively(users_models.layers_of_several_passes())


@pytest.mark.parametrize("build", slow_beside([one_of_each], [one_of_each, of_several_passes]))
@pytest.mark.parametrize("format", READERS)
def test_every_known_layer_gives_the_same_elsewhere(tmp_path, digits, format, build):
    model, images = build(), digits.test_images[:20]
    path = tmp_path / "model"
    if format == "c":
        compiler()
    if format == "onnx":
        pytest.importorskip("onnx", reason='pip install -e ".[onnx]"')
    assert keras_mnist.export(model, path, format=format, images=images).difference < 1e-5
    expected = model(images.astype(np.float32)).numpy()
    assert np.ptp(expected, axis=0).max() > 1e-3  # it does look at the images
    np.testing.assert_allclose(READERS[format](path, images), expected, atol=1e-5)


def test_what_a_model_hub_hands_out_of_a_folder_is_the_network(tmp_path, digits, monkeypatch):
    """Its download gives a folder of the files as they were uploaded."""
    model, images = one_of_each(), digits.test_images[:20]
    keras_mnist.export(model, tmp_path / "model", format="keras_folder", images=images)
    hub = types.SimpleNamespace(snapshot_download=lambda repo_id, **options: str(tmp_path / repo_id.split("/")[1]))
    monkeypatch.setattr("keras.src.saving.saving_lib.huggingface_hub", hub)
    found = keras.saving.load_model("hf://somebody/model")(images.astype(np.float32))
    np.testing.assert_allclose(found, model(images.astype(np.float32)), atol=1e-6)


@pytest.mark.parametrize("format", READERS)
def test_of_logits_the_softmax_is_written(tmp_path, digits, format):
    if format == "c":
        compiler()
    if format == "onnx":
        pytest.importorskip("onnx", reason='pip install -e ".[onnx]"')
    image = keras.Input((28, 28, 1))
    model = keras.Model(image, layers.Dense(10)(layers.Flatten()(layers.Rescaling(1 / 255)(image))), name="2-logits")
    images = digits.test_images[:20]
    keras_mnist.export(model, tmp_path / "model", format=format, images=images)
    expected = keras.ops.softmax(model(images.astype(np.float32)))
    np.testing.assert_allclose(READERS[format](tmp_path / "model", images), expected, atol=1e-5)


@pytest.mark.slow
def test_a_kernel_of_several_passes_is_written_once(tmp_path, digits):
    compiler()
    keras_mnist.export(of_several_passes(), tmp_path / "c", format="c", images=digits.test_images[:5])
    (source,) = (tmp_path / "c").glob("*.c")
    assert len(re.findall(rf"static const float kernel_\d+\[{9 * 8 * 8}\]", source.read_text())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", keras_mnist.list_variants())
def test_every_variant_gives_the_same_in_c_and_onnx(tmp_path, digits, name):
    pytest.importorskip("onnx", reason='pip install -e ".[onnx]"')
    model, images = lively(keras_mnist.create_model(name)), digits.test_images[:20]
    expected = model(images.astype(np.float32)).numpy()
    for format in ("onnx", "c"):
        keras_mnist.export(model, tmp_path / format, format=format, images=images)
        np.testing.assert_allclose(READERS[format](tmp_path / format, images), expected, atol=1e-4)


def test_the_c_header_states_what_the_code_takes(tmp_path, digits):
    compiler()
    model = keras_mnist.create_model("bn_gap")
    found = keras_mnist.export(model, tmp_path / "c", format="c", images=digits.test_images[:5])
    header, code = (next((tmp_path / "c").glob(f"*.{ending}")).read_text() for ending in "hc")
    stated = {what: int(number.replace(",", "")) for what, number in re.findall(r"([\w-]+): +([\d,]+)", header)}
    assert stated["Flash"] == 4 * sum(map(int, re.findall(r"static const float \w+\[(\d+)\]", code)))
    assert stated["RAM"] == 4 * int(re.search(r"static float memory\[(\d+)\]", code)[1])
    assert stated["Mult-adds"] == variant_facts(keras_mnist.get_variant("bn_gap"))["mult_adds"]
    assert "alloc(" not in code and set(re.findall(r"#include (\S+)", header + code)) == {
        '"bn_gap.h"',
        "<math.h>",
        "<stdint.h>",
        "<string.h>",
    }
    subprocess.run([compiler(), *WARNINGS, "-Os", "-c", tmp_path / "c" / "bn_gap.c", "-o", tmp_path / "o"], check=True)
    sizes = subprocess.run(["size", tmp_path / "o"], capture_output=True, text=True, check=True).stdout.split()
    text, data, bss = map(int, sizes[6:9])
    assert (data, bss) == (0, stated["RAM"]) and stated["Flash"] + 1000 < text < stated["Flash"] + 4000
    assert found.difference < 1e-5


def test_no_result_lies_where_another_is_still_needed():
    steps = operations(fold(keras_mnist.create_model("evo_skip")))
    offsets, length = plan(steps)
    sizes = [math.prod(step.shape) for step in steps]
    held: list[int | None] = [None] * length  # which step wrote each value last
    for index, step in enumerate(steps):
        for source in step.inputs:
            while steps[source].kind == "reshape":
                (source,) = steps[source].inputs
            assert set(held[offsets[source] : offsets[source] + sizes[source]]) == {source}, step.name
        if step.kind != "reshape":
            held[offsets[index] : offsets[index] + sizes[index]] = [index] * sizes[index]
    assert length < sum(sizes) / 3


@pytest.fixture(scope="module")
def small(digits):
    """A small network that predicts the embedded digits."""
    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(8, 5, strides=3, activation="relu")(layers.Rescaling(1 / 255)(image))
    model = keras.Model(image, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(digits.train_images, digits.train_labels, epochs=8, verbose=0)
    return model


def test_c_with_whole_numbers_predicts_the_same_digits_from_a_quarter_of_the_flash(tmp_path, digits, small):
    compiler()
    images = digits.test_images
    found = keras_mnist.export(small, tmp_path / "c", format="c-int8", images=images)
    assert found.agreement >= 0.99 and found.difference < 0.2
    assert exported_facts(tmp_path / "c")["format"] == "c_int8"
    expected = small(images.astype(np.float32)).numpy()
    assert np.abs(read_c(tmp_path / "c", images) - expected).max() == pytest.approx(found.difference, abs=1e-5)


def test_a_format_that_predicts_other_digits_is_refused(tmp_path, digits, small, monkeypatch):
    compiler()
    monkeypatch.setattr(np, "rint", np.sign)  # in place of int8's 255 values
    with pytest.raises(RunError, match="predicts the same digit for .*% of 397 images, expected at least 99%"):
        keras_mnist.export(small, tmp_path / "c", format="c_int8", images=digits.test_images)
    assert not (tmp_path / "c").exists()


def test_what_is_not_known_outside_keras_is_named(tmp_path):
    for build, words in (
        (users_models.shared_by_branches, r"layer concatenate\w* \(Concatenate\) cannot be written outside Keras"),
        (users_models.derived_layer, r"layer derived\w* \(Derived\) cannot"),
        (users_models.dilated_strided_and_grouped, r"layer conv2d\w* \(Conv2D\) cannot"),
        (users_models.subclassed, "is no graph of layers from one image of fixed size to one result"),
    ):
        compiler()
        with pytest.raises(UsageError, match=f"{words}.*the export format saved_model takes any other") as error:
            keras_mnist.export(build(), tmp_path / "model", format="c")
        assert "\n" not in str(error.value) and not (tmp_path / "model").exists()


def test_what_is_missing_is_named_with_what_installs_it(tmp_path, monkeypatch):
    model = users_models.sequential()
    for format, module, package in (
        ("onnx", "onnx", "onnx"),
        ("litert", "ai_edge_litert.interpreter", "ai-edge-litert"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(UsageError, match=rf'needs {package}, .*; pip install "keras-mnist\[{format}\]"$'):
            keras_mnist.export(model, tmp_path / "model", format=format)
    with pytest.raises(UsageError, match="litert_int8 is calibrated on training images, and none are at hand"):
        keras_mnist.export(model, tmp_path / "model", format="litert-int8")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(UsageError, match="expected a C compiler as cc or gcc; install one, or set \\$CC"):
        keras_mnist.export(model, tmp_path / "model", format="c")
    assert not [path for path in tmp_path.iterdir() if not path.name.endswith(".lock")]


def test_an_export_of_one_format_takes_the_place_of_another_alone(tmp_path, digits):
    compiler()
    folder, images = tmp_path / "model", digits.test_images[:5]
    for format in ("c", "keras_folder"):
        keras_mnist.export(users_models.sequential(), folder, format=format, images=images, facts={"dataset": "x"})
        assert exported_facts(folder) == {"dataset": "x", "format": format}
    assert not list(folder.glob("*.c"))
    (folder / "notes.c").write_text("years of work")
    with pytest.raises(UsageError, match="model holds notes.c and is no export alone"):
        keras_mnist.export(users_models.sequential(), folder, format="c", facts={"dataset": "x"})


@pytest.mark.slow
def test_litert_gives_the_same_and_in_whole_numbers_the_same_digits(tmp_path, digits, small, capfd):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason='pip install -e ".[litert]"')
    images = digits.test_images
    given = {"images": images, "training_images": digits.train_images}
    found = keras_mnist.export(small, tmp_path / "float.tflite", format="litert", **given)
    rounded = keras_mnist.export(small, tmp_path / "int8.tflite", format="litert-int8", **given)
    assert found.difference < 1e-5 and rounded.agreement >= 0.99 and capfd.readouterr().err == ""
    whole = interpreter.Interpreter(model_path=str(tmp_path / "int8.tflite"))
    whole.allocate_tensors()
    kinds = {detail["dtype"] for detail in whole.get_tensor_details()}
    assert kinds <= {np.uint8, np.int8, np.int32}
    signature = whole.get_signature_runner()
    agreeing = [signature(image=one[None])["probabilities"].argmax() for one in images[:50]]
    assert np.mean(agreeing == small.predict_on_batch(images[:50].astype(np.float32)).argmax(axis=1)) >= 0.98


@pytest.mark.slow
def test_a_converter_that_fails_is_one_line(tmp_path):
    pytest.importorskip("ai_edge_litert.interpreter", reason='pip install -e ".[litert]"')
    image = keras.Input((28, 28, 1))
    x = layers.Lambda(lambda x: keras.ops.linalg.svd(x[..., 0], compute_uv=False))(image)
    model = keras.Model(image, layers.Dense(10, activation="softmax")(x))
    with pytest.raises(
        RunError, match=r"TensorFlow's converter cannot write functional.*; saved_model is the"
    ) as error:
        keras_mnist.export(model, tmp_path / "model.tflite", format="litert")
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_bn_gap_in_whole_numbers_keeps_its_accuracy_and_fits_20_kb(tmp_path, mnist):
    pytest.importorskip("ai_edge_litert.interpreter", reason='pip install -e ".[litert]"')
    from keras_mnist.results import runtimes

    if "bn_gap" not in trained.read_manifest(trained.FOLDER):
        pytest.skip("no trained weights of bn_gap in the package yet")
    model, path = keras_mnist.create_model("bn_gap", weights="mnist"), tmp_path / "bn_gap.tflite"
    given = {"images": mnist.test_images[:1000], "training_images": mnist.train_images}
    keras_mnist.export(model, path, format="litert_int8", **given)
    found = runtimes.litert(path)(mnist.test_images).argmax(axis=1)
    accuracy = keras_mnist.evaluate(model, mnist).accuracy
    assert np.mean(found == mnist.test_labels) >= accuracy - 0.0005 and path.stat().st_size < 20_000
