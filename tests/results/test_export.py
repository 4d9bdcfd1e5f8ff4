import json
import subprocess
import sys

import numpy as np
import pytest

import keras_mnist
from keras_mnist.errors import RunError
from keras_mnist.results import export as module

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


def test_an_export_that_differs_is_refused_and_the_old_one_stays(tmp_path, monkeypatch):
    model = keras_mnist.create_model("bn_gap")
    keras_mnist.export(model, tmp_path / "bn_gap")
    before = sorted(p.name for p in (tmp_path / "bn_gap").iterdir())
    monkeypatch.setattr(module, "TOLERANCE", -1.0)
    with pytest.raises(RunError, match="the exported bn_gap differs by"):
        keras_mnist.export(model, tmp_path / "bn_gap")
    assert sorted(p.name for p in (tmp_path / "bn_gap").iterdir()) == before
    assert {p.name for p in tmp_path.iterdir()} == {"bn_gap", ".bn_gap.lock"}
