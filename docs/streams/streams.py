"""Tests whether the streams of workers are independent, with several ways of seeding; prints p-values, draws a picture.

docs/streams-method.md explains what each test compares and what counts as a failure.
"""

import pathlib

import matplotlib
import numpy as np
from p_values import chi_square, of_pairs, shown, two_sided
from scipy import stats
from ways import SINGLE, WAYS, base_seeds_of, streams

STARTS = 2**18  # of workers, for repeats and first draws
STREAMS, LENGTH = 2**12, 2**10  # whose words are correlated, and how many of each
EPOCHS = [0, 16, 32, 48]  # where each begins in the picture
GREY = "#757e89"
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
    """Return the streams of so many epochs. The number of workers is also the seed, so no table repeats another."""
    return streams(way, workers, workers, base_seeds_of(workers, epochs), length)


def of_first_draws(words):
    """Return p-values of the first word of all starts: its high byte, its low byte, and that of pairs of starts."""
    return [chi_square(words >> 24, 256), chi_square(words & 255, 256), of_pairs(words, 4)]


def correlations(words):
    """Return Pearson's r of each pair of rows, in standard deviations of independent rows."""
    centred = words - words.mean(axis=1, keepdims=True)
    centred /= np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return centred @ centred.T * np.sqrt(words.shape[1] - 1)


def of_correlations(r):
    """Return p-values of the largest correlation, and of the sum of the squares of all (J. R. Schott, 2005)."""
    r = r[np.triu_indices(len(r), 1)]
    largest = -np.expm1(-len(r) * 2 * stats.norm.sf(abs(r).max()))
    return [largest, two_sided(stats.norm, (r**2 - 1).sum() / np.sqrt(2 * len(r)))]


def draw(path):
    """Draw how similar 64 streams are to each other, from 16 workers in 4 epochs, with each way of seeding."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update(dict.fromkeys(("text.color", "axes.edgecolor", "xtick.color", "ytick.color"), GREY))
    pyplot.rcParams.update({"font.size": 15, "axes.titlesize": 15})
    figure, axes = pyplot.subplots(2, 3, figsize=(7.2, 5.6), layout="constrained")
    for way, axis in zip((SINGLE, *WAYS), axes.flat):
        words = of_epochs(way, 16, 4, LENGTH).reshape(64, LENGTH)
        r = abs(correlations(words)) / np.sqrt(LENGTH - 1)
        axis.imshow(np.full_like(r, 0.5), "Oranges", alpha=r.clip(0, 1), vmin=0, vmax=1, interpolation="nearest")
        axis.set_title(way.replace(" alone", "").replace(" %", "\n%"))
        axis.set(xticks=EPOCHS, yticks=EPOCHS, xticklabels="", yticklabels="")
    for axis in (axes[0, 0], axes[1, 0]):
        axis.set(yticks=EPOCHS, yticklabels=[f"epoch {epoch}" for epoch in range(4)])
    axes[1, 2].axis("off")
    axes[1, 2].text(0, 0.55, "orange: equal\nclear: unrelated", va="center")
    figure.savefig(path, dpi=150, transparent=True)  # with grey text: for white pages and black ones


if __name__ == "__main__":
    main()
