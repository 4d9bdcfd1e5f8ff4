"""How far a measured share may lie from the true one."""

from __future__ import annotations

CONFIDENCE = 0.95


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's score interval of a share; it knows of the images that were drawn, but nothing of other seeds."""
    from scipy import stats  # takes a second to import

    found = stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)
