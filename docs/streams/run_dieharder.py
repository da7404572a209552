"""Runs dieharder on the words that 1,024 workers draw, interleaved, with several ways of seeding.

Each test gets a separate stream with a fixed seed, so it gives the same p-values in every run.
"""

import collections
import contextlib
import itertools
import subprocess
import sys

import numpy as np
from ways import SINGLE, WAYS, base_seeds_of, streams, words_from

WORKERS = 1024
LENGTH = 1024  # words that a worker draws in an epoch
EPOCHS = 2000  # 2**31 words: more than any of the tests takes
# By number, with options. Left out: those that dieharder calls "Suspect" or "Do Not Use" (5, 6, 7, 14); 204, which
# tests dieharder itself; the slow ones, which are 17, most of 203, and some tuples of 200 to 202.
TESTS = [[str(test)] for test in (0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 15, 16, 100, 101, 102)]
TESTS += [["200", "-n", "1"], ["200", "-n", "2"], ["200", "-n", "3"], ["200", "-n", "4"], ["201", "-n", "2"]]
TESTS += [["202", "-n", "5"], ["203", "-n", "0"], ["205"], ["206"], ["207"], ["208"], ["209"]]
COLUMNS = ["test_name", "ntuple", "tsamples", "psamples", "pvalues", "assessment"]


def main():
    """Run all tests for each way of seeding, or for those named; print the results, and everything not PASSED."""
    counts = {}
    for way in sys.argv[1:] or [SINGLE, "seed + worker_id", "torch.initial_seed() % 2**32", "workerseed"]:
        lines = [line for seed, test in enumerate(TESTS) for line in run(test, interleaved(way, seed))]
        counts[way] = collections.Counter(line.split("|")[-1].strip() for line in lines)
        print(f"{way}: {len(lines)} p-values")
        print(*[line for line in lines if "PASSED" not in line], "", sep="\n", flush=True)
    for way, count in counts.items():
        print(f"{way:30}" + "".join(f"{count[result]:4} {result}" for result in ("PASSED", "WEAK", "FAILED")))


def interleaved(way, seed):
    """Yield the words of each epoch: the first of every worker, then the second of every worker, and so on."""
    generator = np.random.RandomState(seed)
    for base_seed in base_seeds_of(seed, EPOCHS):
        if way == SINGLE:
            yield words_from(generator, LENGTH * WORKERS)
        else:
            yield streams(way, seed, WORKERS, [base_seed], LENGTH)[0].T


def run(test, blocks):
    """Return the lines in which dieharder reports the results of ``test`` on these words."""
    options = itertools.chain.from_iterable(("-D", column) for column in COLUMNS)
    command = ["dieharder", "-g", "200", "-d", *test, *options]  # 200: raw words of 32 bits from stdin
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as dieharder:
        with contextlib.suppress(BrokenPipeError), dieharder.stdin:  # broken when dieharder has had enough
            for block in blocks:
                dieharder.stdin.write(block.tobytes())
            raise RuntimeError(f"test {test} takes more words than there are")
        return dieharder.stdout.read().decode().splitlines()


if __name__ == "__main__":
    if not set(sys.argv[1:]) <= {SINGLE, *WAYS}:
        sys.exit(f"unknown way of seeding; choose from {[SINGLE, *WAYS]}")
    main()
