import pytest

import keras_mnist
from keras_mnist.results.cards import model_card
from tests.results import users_models

FACTS = {
    "variant": "bn_gap",
    "dataset": "mnist",
    "seed": 3,
    "test_accuracy": 0.9944,
    "test_images": 10_000,
    "run": "/x",
}


def fields(card):
    yaml = pytest.importorskip("yaml")
    front, text = card.removeprefix("---\n").split("\n---\n")
    return yaml.safe_load(front), text


def test_a_card_has_the_hubs_fields_and_the_score_with_its_interval():
    front, text = fields(model_card(users_models.sequential(), FACTS, "onnx", "onnx"))
    assert (front["license"], front["library_name"], front["datasets"]) == ("apache-2.0", "onnx", ["ylecun/mnist"])
    (entry,) = front["model-index"]
    (result,) = entry["results"]
    assert entry["name"] == "bn_gap" and result["task"]["type"] == front["pipeline_tag"] == "image-classification"
    assert result["dataset"] == {"type": "ylecun/mnist", "name": "MNIST", "split": "test"}
    (metric,) = result["metrics"]
    assert (metric["type"], metric["value"]) == ("accuracy", 0.9944)
    assert "95% interval 0.9927 to 0.9957" in metric["name"]  # Wilson's, by hand
    assert "99.44% of 10,000 images" in text and "seed: 3" in text and "/x" not in text and "teacher" not in text


def test_a_card_names_the_teacher():
    _, text = fields(model_card(users_models.sequential(), {**FACTS, "teacher": "swift"}, "onnx", "onnx"))
    assert "Trained with a teacher, the network swift of the same package" in " ".join(text.split())


def test_a_card_says_nothing_that_is_not_known():
    model = users_models.sequential()
    front, text = fields(model_card(model, {"variant": model.name}, "c", "c"))
    assert not {"model-index", "datasets", "metrics"} & front.keys() and "accuracy" not in text
    front, _ = fields(model_card(model, {**FACTS, "dataset": "digits"}, "c", "c"))
    assert "datasets" not in front and "scikit-learn" in front["model-index"][0]["results"][0]["dataset"]["name"]


def test_a_card_comes_with_folders_and_beside_files(tmp_path):
    pytest.importorskip("onnx", reason='pip install -e ".[onnx]"')
    model = users_models.sequential()
    keras_mnist.export(model, tmp_path / "folder", format="keras_folder", facts=FACTS)
    keras_mnist.export(model, tmp_path / "file.onnx", format="onnx", facts=FACTS)
    for card, library in ((tmp_path / "folder" / "README.md", "keras"), (tmp_path / "file.onnx.md", "onnx")):
        assert fields(card.read_text())[0]["library_name"] == library
    (tmp_path / "file.onnx").unlink()
    with pytest.raises(keras_mnist.errors.UsageError, match=r"file.onnx.md is there already; .*`overwrite`"):
        keras_mnist.export(model, tmp_path / "file.onnx", format="onnx", facts=FACTS)
