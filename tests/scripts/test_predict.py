"""Pictures in, answers out, as a user sees them."""

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import keras_mnist
from tests.conftest import ROOT
from tests.data.hostile import header_of_a_bomb, mutated, saved, seven


@pytest.fixture
def folder(tmp_path):
    """A folder with a good picture, a row of two, one that is cut short, and a text."""
    (folder := tmp_path / "pictures").mkdir()
    row = Image.fromarray(np.pad(np.hstack([np.asarray(seven())] * 2), 10, constant_values=255))
    files = {"a.png": saved(seven()), "b.jpg": saved(row, "JPEG"), "c.png": saved(seven())[:80], "d.txt": b"text"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_answers_as_json_csv_and_table_are_the_network_s_own(script_here, tiny, shipped, folder):
    model = shipped(tiny)
    code, said, complaint = script_here("predict.py", folder, "--variant", tiny, "--format", "json")
    assert code == 1 and complaint == "predict.py: 1 of 3 pictures could not be read; the answers above say why\n"
    first, second, third, refused = json.loads(said)
    probabilities = model.predict(keras_mnist.preprocess(folder / "a.png"), verbose=0)[0]
    assert first["digit"] == probabilities.argmax() and first["notes"] == "inverted"
    assert first["probability"] == pytest.approx(probabilities.max(), abs=1e-3)
    assert first["runner_up"] == np.argsort(probabilities)[-2] and first["picture"] == str(folder / "a.png")
    assert [row["position"] for row in (first, second, third)] == [1, 1, 2]
    assert refused["digit"] is None and refused["refused"].startswith("a damaged picture (")
    _, said, _ = script_here("predict.py", folder, "--variant", tiny, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(said)))
    assert [row["digit"] for row in rows] == [str(first["digit"]), str(second["digit"]), str(third["digit"]), ""]
    _, said, _ = script_here("predict.py", folder / "a.png", folder / "c.png", "--variant", tiny)
    assert f"predicted by {tiny}" in said and f"{first['probability']:.1%}" in said and "a damaged picture" in said


def test_standard_input_is_read_and_what_is_shown_is_a_picture(script_here, tiny, shipped, tmp_path, monkeypatch):
    shipped(tiny)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(saved(seven()))))
    code, said, complaint = script_here("predict.py", "-", "--variant", tiny, "--show", "shown.png")
    assert (code, complaint) == (0, "") and "standard input" in said
    shown = np.asarray(Image.open(tmp_path / "shown.png").convert("L"))
    image = keras_mnist.preprocess(seven())[0, ..., 0]
    enlarged = np.kron(image, np.ones((8, 8), np.uint8))
    assert any(np.array_equal(shown[24:248, left : left + 224], enlarged) for left in range(shown.shape[1] - 224))


def test_what_is_shown_replaces_an_older_answer_but_no_picture_of_the_user_s(script_here, tiny, shipped, tmp_path):
    shipped(tiny)
    (tmp_path / "a.png").write_bytes(saved(seven()))
    (tmp_path / "b.png").write_bytes(b"no picture")
    for again in (False, True):
        code, *_ = script_here("predict.py", "a.png", "--variant", tiny, "--show", "answer.png")
        assert code == 0 and (tmp_path / "answer.png").exists(), again
    for name in ("a.png", "b.png"):
        before = (tmp_path / name).read_bytes()
        code, said, complaint = script_here("predict.py", "a.png", "--variant", tiny, "--show", name)
        assert (code, said) == (2, "") and complaint.count("\n") == 1
        assert complaint.startswith(f"predict.py: {name} is there already and shows no answers; choose another --show")
        assert (tmp_path / name).read_bytes() == before


WRONG = {
    (): "the following arguments are required: PATH; see predict.py --help",
    ("",): "argument PATH: the path is empty, expected the name of a file or folder; see predict.py --help",
    ("absent.png",): "absent.png does not exist, expected a picture (PNG, JPEG, ",
    ("blank.png",): "blank.png: nothing drawn, expected a digit that stands out from its paper",
    ("text.png",): "text.png: not a picture, or damaged, expected PNG, JPEG, ",
    ("blank.png", "--format", "xml"): "--format is 'xml', expected one of table, csv, json",
    ("blank.png", "--show", "x.jpg"): "x.jpg ends otherwise, expected the name of a .png file; choose another --show",
    ("blank.png", "--variant", ""): "no variant ''; expected one of ",
    ("blank.png", "--variant", "bn_gpa"): "no variant 'bn_gpa'; did you mean bn_gap or ",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_use_is_one_line(arguments, script_here, finished_run, tmp_path):
    (tmp_path / "text.png").write_text("text")
    (tmp_path / "blank.png").write_bytes(saved(Image.new("L", (50, 50))))
    finished_run("base_7k")
    network = [] if "--variant" in arguments else ["--model", *tmp_path.rglob("model.keras")]
    code, said, complaint = script_here("predict.py", *arguments, *network)
    assert (code, said) == (2, "") and complaint.count("\n") == 1
    assert complaint.startswith(f"predict.py: {WRONG[arguments]}")


@pytest.mark.slow
def test_hundreds_of_damaged_files_and_huge_ones_end_in_answers_within_a_gigabyte(tmp_path, finished_run):
    finished_run("base_7k")
    (folder := tmp_path / "pictures").mkdir()
    files = dict(mutated(500)) | {"bomb.png": header_of_a_bomb()}
    noise = Image.effect_noise((8000, 6250), 40).convert("RGB")
    files |= {"50 megapixels.jpg": saved(noise, "JPEG"), "50 megapixels.png": saved(noise, compress_level=1)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (model,) = tmp_path.rglob("model.keras")
    # Not from getrusage, which counts what this process held when it started the other.
    program = (
        "import re, runpy, sys\n"
        "try:\n    runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally:\n    print(*re.findall(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read()), file=sys.stderr)\n"
    )
    script = [ROOT / "scripts" / "predict.py", folder, "--model", model, "--format", "json"]
    command = [sys.executable, "-c", f"import sys; sys.argv = sys.argv[1:]\n{program}", *script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    *complaints, kilobytes = done.stderr.splitlines()
    assert len(complaints) == 1 and "pictures could not be read" in complaints[0]
    answers = json.loads(done.stdout)
    refused = [answer["refused"] for answer in answers if answer["refused"]]
    assert len(refused) > 100 and len(answers) - len(refused) > 100 and not any("\n" in line for line in refused)
    assert int(kilobytes) < 1_000_000
