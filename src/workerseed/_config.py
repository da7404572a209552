"""The configuration: the variable WORKERSEED, the options of ``install``, and what is on in this process."""

from typing import Callable, Iterable, Optional, Tuple, Union

Rank = Union[int, Callable[[], int], None]

VARIABLE = "WORKERSEED"
ON = ("1", "on", "true", "yes")
OFF = ("0", "off", "false", "no")
OPTIONS = ("ranks", "generators", "verbose")
NAMES = ", ".join(OPTIONS)
BEYOND_TORCH_1_9 = OPTIONS[:2]  # those that apply to every torch


class Settings:
    """What is on in this process; ``install`` and ``uninstall`` write it, everything else reads it.

    Attributes:
        options: the options that are on; None while workerseed is off.
        rank: the argument of ``install``.
        state: the state and its reason when it last changed; see ``status``.
    """

    options: Optional[Tuple[str, ...]] = None
    rank: Rank = None
    state: Tuple[str, str] = ("off", "not installed")


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
    expected = f"{', '.join(ON)} (on), {', '.join(OFF)} (off), or a comma-separated list of {NAMES}"
    return checked_options(words, f"{VARIABLE}={value!r}: unknown value", expected)


def checked_options(names: Iterable[str], unknown: str = "unknown option", expected: str = NAMES) -> Tuple[str, ...]:
    """Return these options in the order of ``OPTIONS``, each once.

    Args:
        names: of options, as passed to ``install``.
        unknown: how the error about another name begins.
        expected: how it ends.

    Raises:
        ValueError: an option does not exist.
        TypeError: ``names`` is not a collection of names.
    """
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        raise TypeError(f"options must be a list of names, such as ['verbose'], got {names!r}; expected {expected}")
    names = list(names)
    for name in names:
        if name not in OPTIONS:
            raise ValueError(f"{unknown} {name!r}; expected {expected}")
    return tuple(option for option in OPTIONS if option in names)
