"""Statistics of 32-bit words that should be random, and their p-values."""

import numpy as np
from scipy import stats

FAILURE = 1e-4  # a p-value below this, fixed before the first run


def of_pairs(words, bits):
    """Return the p-value of the high bits of words and their neighbours, each word in one pair only."""
    high = words >> np.uint32(32 - bits)
    return chi_square(high[::2] << bits | high[1::2], 4**bits)


def chi_square(values, kinds):
    """Return the p-value of numbers that should be equally frequent, neither more nor less so than by chance."""
    expected = len(values) / kinds
    statistic = ((np.bincount(values, minlength=kinds) - expected) ** 2).sum() / expected
    return two_sided(stats.chi2(kinds - 1), statistic)


def of_correlation(words):
    """Return the p-value of Pearson's r of words and their neighbours, each word in one pair only."""
    r = np.corrcoef(words[::2], words[1::2])[0, 1]
    return two_sided(stats.norm, r * np.sqrt(len(words) // 2 - 1))


def two_sided(distribution, statistic):
    """Return how likely it is that a statistic is as far out, on either side."""
    return 2 * min(distribution.cdf(statistic), distribution.sf(statistic))


def shown(p_values):
    """Return a cell for each, with an asterisk for a failure."""
    return "".join(f"{round(p, 12):8.2g}" + ("*" if p < FAILURE else " ") for p in p_values)
