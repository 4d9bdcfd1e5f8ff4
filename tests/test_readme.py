from tests.conftest import ROOT


def test_ci_calls_the_readme_s_own_test_line():
    line = next(
        line for line in (ROOT / ".ci" / "run").read_text().splitlines() if "pytest" in line and "#" not in line
    )
    assert line in (ROOT / "README.md").read_text().splitlines()
