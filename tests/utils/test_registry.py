import pytest

from keras_mnist.errors import UsageError
from keras_mnist.utils.registry import Registry


@pytest.fixture
def colours():
    registry = Registry("colour")
    registry["red"], registry["green"] = 1, 2
    return registry


def test_things_come_by_name_in_the_order_in_which_they_were_added(colours):
    assert colours["red"] == 1 and list(colours) == ["red", "green"]


def test_a_name_can_be_taken_once(colours):
    with pytest.raises(ValueError, match="colour 'red' is defined twice"):
        colours["red"] = 3
    assert colours["red"] == 1


def test_a_missing_name_is_answered_with_close_ones_or_all(colours):
    with pytest.raises(UsageError, match="no colour 'gren'; did you mean green?"):
        colours["gren"]
    with pytest.raises(UsageError, match="no colour 'GREEN'; did you mean green?"):
        colours["GREEN"]
    for name in ("violet", None):
        with pytest.raises(UsageError, match=f"no colour {name!r}; expected one of green, red"):
            colours[name]
