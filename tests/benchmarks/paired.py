"""Measuring as ratios: two functions in turn, because the speed of a machine drifts between one minute and the next."""

import statistics
import time


def ratio(first, second, pairs, calls=1):
    """Say how long ``calls`` of ``second`` take in units of ``first``: the median of the pairs, and the quartiles."""
    return ratio_of(lambda: seconds(first, calls), lambda: seconds(second, calls), pairs)


def ratio_of(first, second, pairs):
    """Say the same of what the two functions return."""
    ratios = []
    for order in [(0, 1), (1, 0)] * (pairs // 2):  # neither always comes after the other
        took = {place: (first, second)[place]() for place in order}
        ratios.append(took[1] / took[0])
    return quartiles(ratios) + f", {pairs} pairs"


def quartiles(numbers):
    """The median, and the quartiles in parentheses."""
    numbers, quarter = sorted(numbers), len(numbers) // 4
    return f"{statistics.median(numbers):.2f} ({numbers[quarter]:.2f} to {numbers[-1 - quarter]:.2f})"


def seconds(function, calls=1):
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return time.perf_counter() - start
