import json
import os

from tests.conftest import ROOT
from tests.results import users_models


def test_an_occupied_target_is_told_before_tensorflow_is_imported(script, tmp_path):
    (tmp_path / "keras.py").write_text("raise ImportError('of Keras')")
    (tmp_path / "tensorflow.py").write_text("raise ImportError('of TensorFlow')")
    (tmp_path / "bn_gap.onnx").write_text("years of work")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    arguments = ["--variant", "bn_gap", "--format", "onnx", "--output", "bn_gap.onnx"]
    code, _, complaint = script("export.py", *arguments, PYTHONPATH=path)
    assert code == 2 and complaint == (
        "export.py: bn_gap.onnx is there already; choose another --output, or pass --overwrite to replace it\n"
    )


def test_an_export_from_the_command_line_spares_what_is_not_its_own(script_here, tmp_path):
    model = tmp_path / "model.keras"
    users_models.sequential().save(model)
    (tmp_path / "run.json").write_text(json.dumps({"dataset": "digits"}))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    code, _, complaint = script_here("export.py", "--model", model, "--output", "mine")
    assert code == 2 and complaint.startswith("export.py: mine holds thesis.txt") and complaint.count("\n") == 1
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    code, said, complaint = script_here("export.py", "--model", model, "--output", "mine", "--overwrite")
    assert code == 0 and said.startswith("mine: saved_model"), complaint
    facts = json.loads((tmp_path / "mine" / "keras_mnist.json").read_text())
    assert facts["dataset"] == "digits" and facts["run"] == str(tmp_path)
    code, _, complaint = script_here("export.py", "--model", model, "--output", model)
    assert code == 2 and "model.keras is a file" in complaint and complaint.count("\n") == 1
    code, _, complaint = script_here("export.py", "--model", model, "--format", "savedmodel")
    assert code == 2 and "no export format 'savedmodel'; did you mean saved_model" in complaint
    assert complaint.count("\n") == 1 and not (tmp_path / "saved_models").exists()
