"""What to do: the values of the environment variable WORKERSEED, and the options of ``install``."""

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from typing import Iterable, Optional, Sequence, Tuple

VARIABLE = "WORKERSEED"
# _sitecustomize/sitecustomize.py, which must not import this module, has the same three lines; a test compares them.
ON = ("1", "on", "true", "yes")
OFF = ("0", "off", "false", "no")
OPTIONS = ("ranks", "generators", "verbose")


def from_variable(value: str) -> "Optional[Tuple[str, ...]]":
    """Return the options that a value of WORKERSEED names, or None if it turns workerseed off.

    An empty value, or one that only says on, names none. Case and white space do not count.

    Raises:
        ValueError: the value is not valid.
    """
    words = [word.strip().lower() for word in value.split(",")]
    if len(words) == 1 and words[0] in OFF:
        return None
    if len(words) == 1 and words[0] in ("", *ON):
        return ()
    for word in words:
        if word not in OPTIONS:
            valid = "{} (on), {} (off), or a comma list of {}".format(*map(", ".join, (ON, OFF, OPTIONS)))
            raise ValueError(f"{VARIABLE}={value!r}: {word!r} is not known; valid are {valid}")
    return in_order(words)


def checked_options(options: "Iterable[str]") -> "Tuple[str, ...]":
    """Return the options that ``install`` was given.

    Raises:
        ValueError: one of them does not exist.
        TypeError: they are no collection of names.
    """
    valid = ", ".join(OPTIONS)
    if isinstance(options, str) or not hasattr(options, "__iter__"):
        raise TypeError(
            f"options must be a collection of names, such as ['verbose'], got {options!r}; valid are {valid}"
        )
    names = list(options)
    for name in names:
        if name not in OPTIONS:
            raise ValueError(f"{name!r} is not known; valid are {valid}")
    return in_order(names)


def in_order(names: "Sequence[str]") -> "Tuple[str, ...]":
    """Return the options among ``names`` in the order of ``OPTIONS``, each once."""
    return tuple(option for option in OPTIONS if option in names)
