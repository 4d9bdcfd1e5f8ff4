"""Every command that a page tells its reader to type runs here, or in another test, or has a reason why it does not.

What runs here finds 120 embedded digits as its data set, and MNIST nowhere.
"""

import functools
import json
import re
import shlex
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

import keras_mnist
from tests.commands import AFTER, ELSEWHERE, HERE, LONG, MODEL, SHOW
from tests.conftest import ROOT

PROGRAMS = ("python", "python3", "keras-mnist", "pip", "pytest", "ruff", "jupyter", "ray", "cc")
BEGINNING = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:{'|'.join(PROGRAMS)})(?: |$)")
DOCUMENTS = [path for ending in ("md", "ipynb") for path in sorted(ROOT.glob(f"docs/*.{ending}"))]
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in DOCUMENTS)]


def text_of(page):
    """A page, or what a notebook says between its cells of code."""
    text = (ROOT / page).read_text()
    if not page.endswith(".ipynb"):
        return text
    return "\n\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")


def commands(page):
    """The lines of a page's blocks for a shell, and what stands in backticks and begins with a program."""
    text = text_of(page).replace("\\\n", " ")
    blocks = re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    loops = [re.sub(r"\bdo\n(.*?)\ndone", r"do \1; done", block, flags=re.DOTALL) for block in blocks]
    lines = [re.sub(r"\s# .*", "", line) for block in loops for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    return {" ".join(line.split()) for line in [*lines, *filter(BEGINNING.match, spans)] if line.strip()}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_in_one_of_the_three_tables(page):
    assert commands(page) <= {*HERE, *ELSEWHERE, *LONG}


def test_the_tables_have_the_commands_of_pages_alone_and_each_once():
    assert set().union(*map(commands, PAGES)) == {*HERE, *ELSEWHERE, *LONG}
    assert len({*HERE, *ELSEWHERE, *LONG}) == len(HERE) + len(ELSEWHERE) + len(LONG)


@pytest.mark.parametrize("where", sorted({*ELSEWHERE.values()}))
def test_what_runs_a_command_elsewhere_is_there(where):
    path, _, name = where.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text() if name else (ROOT / path).is_file()


@pytest.fixture(scope="module")
def ended(server, tmp_path_factory):
    """Run a command once: the folder that it ran in, its exit code and what it printed."""

    @functools.cache
    def run(command):
        folder = run(AFTER[command])[0] if command in AFTER else tmp_path_factory.mktemp("command") / "work"
        furnish(folder, MODEL in command)
        program, *words = shlex.split(f"{command} {HERE[command][0]}")
        if program == "cc":
            done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True)
            return folder, done.returncode, done.stdout, done.stderr
        script = ROOT / "keras_mnist" / "__main__.py" if program == "keras-mnist" else ROOT / words.pop(0)
        if script.name == "-m":
            script = ROOT / words.pop(0) / "__main__.py"
        done = server.run(script, words, folder)
        return folder, done.code, done.output, done.complaints

    return run


def furnish(folder, with_run):
    """What the pages speak of: the repository's pictures, a photograph, scans, labelled digits; and a finished run."""
    if folder.exists():
        return
    (folder / "docs").mkdir(parents=True)
    (folder / "tests").symlink_to(ROOT / "tests")
    pictures = ROOT / "tests" / "pictures" / "drawn" / "unseen" / "shadow"
    shutil.copytree(pictures, folder / "scans")
    shutil.copy(pictures / "2.jpg", folder / "photo.jpg")
    images = keras_mnist.preprocess(pictures / "2.jpg")
    np.savez(folder / "my_digits.npz", images=images, labels=np.array([2]))
    if with_run:
        (folder / MODEL).parent.mkdir(parents=True)
        keras_mnist.create_model("bn_gap", weights="mnist").save(folder / MODEL)
        (folder / MODEL).with_name("run.json").write_text(json.dumps({"variant": "bn_gap", "dataset": "mnist"}))


@pytest.mark.slow
@pytest.mark.parametrize("command", HERE)
def test_a_command_does_what_its_page_says(command, ended):
    if command.startswith("cc ") and not shutil.which("cc"):
        pytest.skip("no C compiler; install your system's")
    _, code, said, complaints = ended(command)
    if "which is not installed; pip install" in complaints:
        pytest.skip(complaints)
    assert code == 0 and HERE[command][1] in said, complaints


@pytest.mark.slow
def test_the_picture_of_the_readme_is_what_its_command_draws(ended):
    """But for the last bits of probabilities and the drawing of letters, which another Pillow may do otherwise."""
    folder, *_ = ended(SHOW)
    drawn, shown = (np.asarray(Image.open(path / "docs" / "answer.png").convert("L"), int) for path in (folder, ROOT))
    assert drawn.shape == shown.shape and np.abs(drawn - shown).mean() < 2
    assert (ROOT / "docs" / "answer.png").stat().st_size < 60_000


def test_what_is_installed_without_a_gpu_is_what_the_package_asks_for():
    (line,) = [line for line in LONG if line.startswith('pip install "tensorflow-cpu')]
    packages = shlex.split(line.partition(" && ")[0])[2:]
    (wanted,) = re.findall(r"install_requires =\n(.*?)\n\n", (ROOT / "setup.cfg").read_text(), re.DOTALL)
    wanted = [name.strip() for name in wanted.splitlines() if "#" not in name]
    assert packages == [name.replace("tensorflow>", "tensorflow-cpu>") for name in wanted]
