from keras_mnist.utils.words import counted, flags_of


def test_one_is_singular_and_thousands_are_set_apart():
    assert [counted(number, "image") for number in (0, 1, 2_000)] == ["0 images", "1 image", "2,000 images"]


def test_settings_are_flags_in_their_order():
    assert flags_of({"seeds": 5, "dataset": "mnist"}) == ["--seeds", "5", "--dataset", "mnist"]
