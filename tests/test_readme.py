import re

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()


def test_ci_calls_the_readme_s_own_test_line():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("python3 -m venv")]
    assert line in README.splitlines()


def test_what_the_readme_names_is_there():
    for path in re.findall(r"\]\(([\w/.]+)\)", README) + re.findall(r"scripts/\w+\.py", README):
        assert (ROOT / path).is_file(), path


def test_the_readme_s_flags_are_flags_of_its_commands():
    for line in README.splitlines():
        for script, words in re.findall(r"python (scripts/\w+\.py)([^`&|;]*)", line):
            source = (ROOT / script).read_text() + (ROOT / "keras_mnist" / "cli.py").read_text()
            for flag in re.findall(r"--[\w-]+", words):
                assert f'"{flag}"' in source, f"{script} has no {flag}"
