"""Intervals against numbers worked out by hand, tables in print, and simulation."""

import math

import numpy as np
import pytest

from keras_mnist.studies.statistics import paired_differences, summarize, t_interval, wilson_interval


def test_mean_and_deviation_are_those_of_the_runs():
    found = summarize([0.99, 0.992, 0.994])
    assert (found.n, found.best) == (3, 0.994)
    assert found.mean == pytest.approx(0.992) and found.deviation == pytest.approx(0.002)


def test_values_that_are_not_all_finite_have_a_median_and_no_interval():
    found = summarize([9.0, math.inf, 11.0])
    assert found.median == 11.0 and found.interval is None and not found.covers(10)


@pytest.mark.parametrize(("n", "quantile"), [(2, 12.706), (3, 4.303), (5, 2.776), (10, 2.262)])
def test_the_interval_of_a_mean_has_student_s_quantile_as_printed_in_tables(n, quantile):
    values = [0.5] * (n - 1) + [0.6]
    low, high = t_interval(values)
    error = np.std(values, ddof=1) / math.sqrt(n)
    assert (high - low) / 2 == pytest.approx(quantile * error, rel=2e-4)
    assert (high + low) / 2 == pytest.approx(np.mean(values))


def test_nineteen_of_twenty_intervals_cover_the_true_mean():
    random = np.random.default_rng(0)
    covered = [summarize(values).covers(0.99) for values in random.normal(0.99, 0.001, (2000, 5))]
    assert abs(np.mean(covered) - 0.95) < 0.015


@pytest.mark.parametrize(("successes", "trials"), [(9858, 10_000), (5, 10), (10, 10), (0, 10)])
def test_wilson_s_interval_solves_its_equation(successes, trials):
    """Its ends are the shares p with (observed - p)^2 = z^2 p (1 - p) / n: the roots of a quadratic."""
    z, observed = 1.959964, successes / trials
    roots = np.roots([1 + z**2 / trials, -(2 * observed + z**2 / trials), observed**2])
    assert wilson_interval(successes, trials) == pytest.approx(sorted(roots.real), abs=1e-6)


def test_a_single_run_has_wilson_s_interval_where_its_images_are_known_and_no_deviation():
    found = summarize([0.9858], images=10_000)
    assert found.interval == wilson_interval(9858, 10_000) and found.deviation is None
    assert summarize([0.3]).interval is None and not summarize([0.3]).covers(0.3)


def test_the_interval_of_a_share_ends_where_shares_do():
    assert summarize([0.9900, 0.9930], 10_000).interval[1] == 1 > summarize([0.9900, 0.9930], 10_000).interval[0]
    assert summarize([0.0, 0.003], 10_000).interval[0] == 0
    assert summarize([0.9900, 0.9930]).interval[1] > 1  # no share, for all that is known


def test_pairs_are_of_the_same_seed():
    found = paired_differences({0: 0.98, 1: 0.97, 5: 0.5}, {1: 0.99, 0: 0.99, 7: 0.1})
    assert found.values == pytest.approx((0.01, 0.02))
    # By hand: mean 0.015, deviation 0.00707, error 0.005, quantile 12.706.
    assert found.interval == pytest.approx((0.015 - 0.06353, 0.015 + 0.06353), abs=1e-4)
    assert paired_differences({0: 0.98}, {1: 0.99}) is None
