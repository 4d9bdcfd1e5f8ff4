import json

import pytest

import keras_mnist


def test_the_summary_ends_with_the_trainable_parameters(script_here):
    code, said, _ = script_here("summary.py", "--variant", "light_20k")
    assert code == 0 and said.endswith("size: 75.0 kB in float32\ntrainable parameters: 19,210\n")
    for words in ("block1_conv1 (Conv2D)", "4,134", "21.5%", "1,449,936", "14 x 14 x 18"):
        assert words in said


def test_programs_get_the_same_as_json(script_here):
    code, said, _ = script_here("summary.py", "--variant", "light_20k", "--format", "json")
    facts = json.loads(said)
    assert code == 0 and facts["parameters"] == 19_210
    assert facts["blocks"] == {"block1": 642, "block2": 4_134, "block3": 14_434}
    assert [layer["receptive_field"] for layer in facts["layers"] if layer["name"] == "block2_conv2"] == [14]


@pytest.mark.slow
def test_all_variants_in_one_row_each(script_here):
    code, said, _ = script_here("summary.py", "--all")
    assert code == 0 and max(map(len, said.splitlines())) <= 80
    rows = {line.split()[0]: line for line in said.splitlines() if line.split()}
    assert rows.keys() >= set(keras_mnist.list_variants()) and "…" not in said
    code, said, _ = script_here("summary.py", "--all", "--format", "json")
    assert sorted(row["variant"] for row in json.loads(said)) == keras_mnist.list_variants()


def test_wrong_use_is_one_line(script_here):
    for arguments in ([], ["--variant", "bn", "--all"], ["--variant", "bn", "--format", "markdown"]):
        code, said, complaints = script_here("summary.py", *arguments)
        assert code == 2 and said == "" and complaints.count("\n") == 1 and "expected" in complaints
