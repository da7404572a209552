"""The configuration: the variable WORKERSEED, the options of ``install``, and what is on in this process."""

from typing import Callable, Iterable, Optional, Sequence, Tuple, Union

Rank = Union[int, Callable[[], int], None]

VARIABLE = "WORKERSEED"
ON = ("1", "on", "true", "yes")
OFF = ("0", "off", "false", "no")
OPTIONS = ("ranks", "generators", "verbose")
BEYOND_TORCH_1_9 = OPTIONS[:2]  # those that apply to every torch


class Settings:
    """What is on in this process; ``install`` and ``uninstall`` write it, everything else reads it.

    Attributes:
        options: the options that are on; None while workerseed is off.
        rank: the argument of ``install``.
    """

    options: Optional[Tuple[str, ...]] = None
    rank: Rank = None


settings = Settings()


def from_variable(value: str) -> Optional[Tuple[str, ...]]:
    """Return the options that a value of WORKERSEED names, or None if it turns workerseed off.

    An empty value and those of ``ON`` name none. Case and white space are ignored.

    Raises:
        ValueError: the value is not valid.
    """
    words = [word.strip() for word in value.lower().split(",")]
    if len(words) == 1 and words[0] in ("", *ON, *OFF):
        return None if words[0] in OFF else ()
    for word in words:
        if word not in OPTIONS:
            expected = "{} (on), {} (off), or a comma-separated list of {}".format(*map(", ".join, (ON, OFF, OPTIONS)))
            raise ValueError(f"{VARIABLE}={value!r}: unknown value {word!r}; expected {expected}")
    return in_order(words)


def checked_options(options: Iterable[str]) -> Tuple[str, ...]:
    """Return the options passed to ``install``, in order.

    Raises:
        ValueError: an option does not exist.
        TypeError: ``options`` is not a collection of names.
    """
    expected = ", ".join(OPTIONS)
    if isinstance(options, str) or not hasattr(options, "__iter__"):
        raise TypeError(f"options must be a list of names, such as ['verbose'], got {options!r}; expected {expected}")
    names = list(options)
    for name in names:
        if name not in OPTIONS:
            raise ValueError(f"unknown option {name!r}; expected {expected}")
    return in_order(names)


def in_order(names: Sequence[str]) -> Tuple[str, ...]:
    """Return the options among ``names`` in the order of ``OPTIONS``, each once."""
    return tuple(option for option in OPTIONS if option in names)
