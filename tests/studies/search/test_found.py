import json

import pytest

from keras_mnist.errors import RunError
from keras_mnist.studies.search.found import results

RECORD = {
    "dataset": "digits",
    "network": "conv 2, pool, average, dense",
    "settings": "",
    "seed": 0,
    "held_out_loss": 0.5,
}


@pytest.fixture
def write(tmp_path):
    """Write a file of a configuration's folder."""
    (tmp_path / "conv_2").mkdir()
    return lambda name, content: (tmp_path / "conv_2" / name).write_text(content)


def test_a_seed_that_is_on_record_twice_counts_once(write, tmp_path):
    for name, seed in (("seed0.json", 0), ("seed0_digits.json", 0), ("seed1_digits.json", 1)):
        write(name, json.dumps({**RECORD, "seed": seed}))
    write("seed2.json", json.dumps({**RECORD, "dataset": "mnist", "seed": 2}))
    (found,) = results(tmp_path, "digits")
    assert [record["seed"] for record in found.records] == [0, 1] and found.loss.n == 2


@pytest.mark.parametrize("content", ['{"netw', "[]", "[" * 100_000])
def test_a_damaged_record_is_named_with_the_remedy(content, write, tmp_path):
    write("seed0.json", content)
    with pytest.raises(RunError, match="seed0.json.*remove it, and search again") as error:
        results(tmp_path, "digits")
    assert "\n" not in str(error.value)
