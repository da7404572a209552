"""Tests whether the streams of workers are independent, by several ways to seed them; prints p-values, draws a picture.

What each test compares, and what counts as a failure, docs/streams-method.md says.
"""

import pathlib

import matplotlib
import numpy as np
from p_values import chi_square, of_pairs, shown, two_sided
from scipy import stats
from ways import SINGLE, WAYS, base_seeds_of, streams

STARTS = 2**18  # of workers, for repeats and first draws
STREAMS, LENGTH = 2**12, 2**10  # whose words are correlated, and how many of each
COLUMNS = ["repeats", "high", "low", "pairs", "in turn", "max r", "all r"]


def main():
    """Print a table for each number of workers."""
    print(f"{STARTS:,} starts of workers, {STREAMS:,} of them followed for {LENGTH:,} words; p-values, * for a failure")
    for workers in (1, 16, 1024):
        print(f"\nnum_workers={workers}: {STARTS // workers:,} epochs, {STREAMS // workers:,} of them whole")
        print(" " * 28 + "".join(f"{column:>8} " for column in COLUMNS))
        for way in (SINGLE, *WAYS):
            first = of_epochs(way, workers, STARTS // workers, 4).reshape(STARTS, 4)
            whole = of_epochs(way, workers, STREAMS // workers, LENGTH)
            p_values = of_first_draws(first[:, 0])
            p_values.append(of_pairs(whole.swapaxes(1, 2).ravel(), 8))
            p_values += of_correlations(correlations(whole.reshape(STREAMS, LENGTH)))
            repeats = STARTS - len(np.unique(first, axis=0))
            print(f"{way:28}{repeats:8,} {shown(p_values)}", flush=True)
    draw(pathlib.Path(__file__).with_name("correlation.png"))


def of_epochs(way, workers, epochs, length):
    """Return the streams of so many epochs. The number of workers is the seed, too: no table repeats another."""
    return streams(way, workers, workers, base_seeds_of(workers, epochs), length)


def of_first_draws(words):
    """Return p-values of the first word of all starts: its high byte, its low byte, and that of pairs of starts."""
    return [chi_square(words >> 24, 256), chi_square(words & 255, 256), of_pairs(words, 4)]


def correlations(words):
    """Return Pearson's r of each two rows, divided by the standard deviation that it has for independent ones."""
    centred = words - words.mean(axis=1, keepdims=True)
    centred /= np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return centred @ centred.T * np.sqrt(words.shape[1] - 1)


def of_correlations(r):
    """Return p-values of the largest correlation, and of the sum of the squares of all (J. R. Schott, 2005)."""
    r = r[np.triu_indices(len(r), 1)]
    largest = -np.expm1(-len(r) * 2 * stats.norm.sf(abs(r).max()))
    return [largest, two_sided(stats.norm, (r**2 - 1).sum() / np.sqrt(2 * len(r)))]


def draw(path):
    """Draw the correlations of 16 workers in 4 epochs, and below how often each comes with 1,024 in 4."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 5, figsize=(15, 6), layout="constrained")
    for way, (above, below) in zip((SINGLE, *WAYS), axes.T):
        words = of_epochs(way, 16, 4, LENGTH).reshape(64, LENGTH)
        r = correlations(words) / np.sqrt(LENGTH - 1)
        image = above.imshow(abs(r), "Greys", vmin=0, vmax=1, interpolation="nearest")
        above.set(title=way, xticks=[0, 16, 32, 48], yticks=[0, 16, 32, 48])
        words = of_epochs(way, 1024, 4, LENGTH).reshape(STREAMS, LENGTH)
        r = correlations(words)[np.triu_indices(STREAMS, 1)]
        bins = np.linspace(-34, 34, 137)
        below.hist(r, bins, log=True)
        expected = np.diff(stats.norm.cdf(bins)) * len(r)
        below.plot((bins[1:] + bins[:-1]) / 2, expected, "k:", linewidth=1)
        below.set(ylim=(0.5, 2e7), xlabel="r in standard deviations")
    axes[0, 0].set_ylabel("16 workers, 4 epochs")
    axes[1, 0].set_ylabel("pairs, 1,024 workers, 4 epochs")
    figure.colorbar(image, ax=axes[0], label="|r|")
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main()
