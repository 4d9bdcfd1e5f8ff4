import numpy as np
import pytest
import tensorflow as tf

from keras_mnist import native


@native.operation("values: float", "factors: double", "numbers: int64", gives="result: double")
def weigh_for_a_test(_, context):
    """values * factors + numbers."""
    values, shape = native.floats(context, 0)
    factors, numbers = native.doubles(context, 1), native.integers(context, 2)
    result = native.doubles_out(context, shape)
    for place in range(len(values)):
        result[place] = values[place] * factors[place] + numbers[place]


@native.operation("values: float", gives="result: float")
def ask_for_more_than_there_is(_, context):
    """A petabyte."""
    native.floats_out(context, np.array([1 << 48]))


def inputs(shape):
    generator = np.random.default_rng(0)
    values, factors = generator.normal(size=(2, *shape))
    return tf.constant(values, tf.float32), tf.constant(factors), tf.constant(generator.integers(0, 2**60, shape))


@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (2, 3, 4, 5)])
@pytest.mark.parametrize("wrap", [lambda function: function, lambda function: tf.function(function, autograph=False)])
def test_an_operation_computes_with_and_without_a_graph(shape, wrap):
    values, factors, numbers = inputs(shape)
    result = wrap(lambda *tensors: weigh_for_a_test(*tensors, shape=shape))(values, factors, numbers)
    assert result.shape == shape and result.dtype == tf.float64
    np.testing.assert_allclose(result, values.numpy() * factors.numpy() + numbers.numpy(), rtol=1e-15)


def test_an_operation_works_in_a_pipeline_s_threads():
    data = tf.data.Dataset.range(100).map(
        lambda number: weigh_for_a_test(tf.cast(number, tf.float32), tf.constant(2.0, tf.float64), number, shape=()),
        num_parallel_calls=4,
    )
    assert [float(value) for value in data] == [3.0 * number for number in range(100)]


def test_an_operation_refuses_other_types():
    values, factors, numbers = inputs((2,))
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError, TypeError)):
        weigh_for_a_test(factors, factors, numbers, shape=(2,))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Numba names the MemoryError
def test_an_operation_without_memory_fails_and_the_process_goes_on():
    with pytest.raises(tf.errors.ResourceExhaustedError):
        ask_for_more_than_there_is(tf.zeros(1), shape=None)
    assert (
        float(weigh_for_a_test(tf.constant(1.0), tf.constant(2.0, tf.float64), tf.constant(0, tf.int64), shape=())) == 2
    )
