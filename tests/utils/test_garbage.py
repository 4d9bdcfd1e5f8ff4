import gc

import pytest

from keras_mnist.utils.garbage import uncollected


@pytest.mark.parametrize("enabled", [True, False])
def test_nothing_is_collected_inside_and_afterwards_all_is_as_before(enabled):
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with pytest.raises(KeyError), uncollected():
            assert not gc.isenabled()
            raise KeyError
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()
