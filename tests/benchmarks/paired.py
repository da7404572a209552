"""Measuring as ratios: two functions in turn, because the speed of a machine drifts between one minute and the next."""

import statistics
import time


def ratio(first, second, pairs, calls=1):
    """Say how long ``second`` takes in units of ``first``: the median over the pairs and the quartiles.

    Args:
        first, second: functions without arguments.
        pairs: how often both are timed, one right after the other.
        calls: how often each is called for one time.
    """
    return ratio_of(lambda: seconds(first, calls), lambda: seconds(second, calls), pairs)


def ratio_of(first, second, pairs):
    """Say the same of what the two functions return."""
    ratios = []
    for pair in range(pairs):
        if pair % 2:  # neither always comes after the other
            one = first()
            ratios.append(second() / one)
        else:
            other = second()
            ratios.append(other / first())
    ratios.sort()
    middle, quarter = statistics.median(ratios), pairs // 4
    return f"{middle:.2f} (quartiles {ratios[quarter]:.2f} to {ratios[-1 - quarter]:.2f}, {pairs} pairs)"


def seconds(function, calls):
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return time.perf_counter() - start
