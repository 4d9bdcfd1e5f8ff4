import keras
import numpy as np
import pytest

from keras_mnist.errors import RunError
from keras_mnist.training import checkpoint


@pytest.fixture
def variables():
    return [keras.Variable(np.arange(6, dtype=np.float32).reshape(2, 3)), keras.Variable(7, dtype="int64")]


@pytest.fixture
def path(tmp_path, variables):
    path = tmp_path / "state.bin"
    checkpoint.save(path, variables, {"epoch": 3, "loss": 0.1 + 0.2})
    return path


def test_what_is_saved_comes_back_bit_by_bit(path, variables):
    arrays, facts = checkpoint.read(path)
    assert facts == {"epoch": 3, "loss": 0.1 + 0.2}
    fresh = [keras.Variable(np.zeros((2, 3), np.float32)), keras.Variable(0, dtype="int64")]
    checkpoint.restore(path, fresh, arrays)
    for ours, theirs in zip(fresh, variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("index", [0, 15, 25, 60, -100, -1])
def test_one_altered_byte_is_refused_by_the_file_s_name(path, index):
    content = bytearray(path.read_bytes())
    content[index] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match="state.bin .*`overwrite`"):
        checkpoint.read(path)


@pytest.mark.parametrize("length", [0, 10, 40, 200])
def test_a_cut_file_is_refused(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(RunError, match="state.bin"):
        checkpoint.read(path)


def test_arrays_of_another_network_are_refused_and_nothing_is_restored(path):
    arrays, _ = checkpoint.read(path)
    others = [keras.Variable(np.zeros((2, 3), np.float32)), keras.Variable(np.zeros(2, np.float32))]
    with pytest.raises(RunError, match="do not fit"):
        checkpoint.restore(path, others, arrays)
    assert not others[0].numpy().any()


def test_the_previous_state_survives_a_failed_save(path, variables, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr("keras_mnist.utils.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(path, variables, {"epoch": 4})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["state.bin"]
