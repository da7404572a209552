"""A module of the program, with a generator of its own, which loaders.py imports."""

import numpy as np

RNG = np.random.RandomState(0)


def jitter():
    return int(RNG.randint(2**31 - 1))
