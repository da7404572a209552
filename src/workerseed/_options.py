"""What to do: the values of the environment variable WORKERSEED, and the extras of ``install``."""

TYPE_CHECKING = False  # mypy reads it as true; `typing` itself is too slow to import at interpreter start
if TYPE_CHECKING:
    from typing import Iterable, Optional, Tuple

VARIABLE = "WORKERSEED"
ON = ("1", "on", "true", "yes")
OFF = ("0", "off", "false", "no")
EXTRAS = ("ranks", "generators", "verbose")


def from_variable(value: str) -> "Optional[Tuple[str, ...]]":
    """Return the extras that a value of WORKERSEED names, or None if it switches workerseed off.

    An empty value, or one that only says on, names none. Case and white space do not count.

    Raises:
        ValueError: the variable cannot have that value.
    """
    words = [word.strip().lower() for word in value.split(",")]
    if len(words) == 1 and words[0] in OFF:
        return None
    if len(words) == 1 and words[0] in ("", *ON):
        return ()
    try:
        return known(words)
    except ValueError as error:
        raise ValueError(
            "{}={!r}: {}; valid are {} (on), {} (off), or a comma list of {}".format(
                VARIABLE, value, error, ", ".join(ON), ", ".join(OFF), ", ".join(EXTRAS)
            )
        ) from None


def known(extras: "Iterable[str]") -> "Tuple[str, ...]":
    """Return ``extras`` in the order of ``EXTRAS``, each once.

    Raises:
        ValueError: one of them does not exist.
        TypeError: it is a string, where a list of strings was meant.
    """
    if isinstance(extras, str):
        raise TypeError(f"extras must be a collection of names, such as [{extras!r}], got {extras!r}")
    wanted = list(extras)
    for extra in wanted:
        if extra not in EXTRAS:
            raise ValueError(f"{extra!r} is not known")
    return tuple(extra for extra in EXTRAS if extra in wanted)
