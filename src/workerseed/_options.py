"""The environment variable WORKERSEED: what its values mean."""

VARIABLE = "WORKERSEED"
ON = ("1", "on", "true", "yes")
OFF = ("0", "off", "false", "no")


def switched_off(value: str) -> bool:
    """Tell whether ``value`` is one of those that switch workerseed off; the others, and empty, do not.

    Raises:
        ValueError: it is none of the values that the variable can have.
    """
    word = value.strip().lower()
    if word in OFF:
        return True
    if not word or word in ON:
        return False
    raise ValueError(
        "{}={!r} means nothing; use {} to switch workerseed on, {} to switch it off".format(
            VARIABLE, value, "/".join(ON), "/".join(OFF)
        )
    )
