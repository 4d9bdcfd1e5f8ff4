"""What several runs of one thing say: mean, deviation, and how far the mean may lie from the truth."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence

from scipy import stats

from keras_mnist.utils.intervals import CONFIDENCE, wilson_interval


@dataclasses.dataclass(frozen=True)
class Summary:
    """Values of independent runs, with the 95 % interval of what they estimate where there is one."""

    values: tuple[float, ...]
    interval: tuple[float, float] | None

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def deviation(self) -> float | None:
        """The standard deviation of single runs; None for one run."""
        return statistics.stdev(self.values) if self.n > 1 else None

    @property
    def best(self) -> float:
        return max(self.values)

    def covers(self, value: float) -> bool:
        """Whether a value lies in the interval."""
        return self.interval is not None and self.interval[0] <= value <= self.interval[1]


def summarize(values: Sequence[float], images: int | None = None) -> Summary:
    """The summary of one value a run: several have Student's t interval, over seeds; a single one has Wilson's.

    Args:
        images: what a share was measured on, for Wilson's interval; None for values that are no shares. An interval
            of shares ends at 0 and 1, where that of two or three runs would go on.
    """
    if not all(map(math.isfinite, values)):  # seconds until an accuracy that a run never came to
        return Summary(tuple(values), None)
    if len(values) > 1:
        low, high = t_interval(values)
        return Summary(tuple(values), (max(low, 0.0), min(high, 1.0)) if images else (low, high))
    return Summary(tuple(values), wilson_interval(round(values[0] * images), images) if images else None)


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """The interval of the mean of normal values whose deviation is not known."""
    mean, error = statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * error
    return mean - reach, mean + reach


def paired_differences(before: Mapping[int, float], after: Mapping[int, float]) -> Summary | None:
    """The summary of after - before, seed by seed, over the seeds that both have; None if there are none."""
    found = [after[seed] - before[seed] for seed in sorted(before.keys() & after.keys())]
    return summarize(found) if found else None
