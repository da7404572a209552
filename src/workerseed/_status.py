"""What ``workerseed.status()`` returns."""

from typing import NamedTuple, Optional, Tuple


class Status(NamedTuple):
    """What workerseed does in this process.

    Attributes:
        state: ``waiting`` for torch's DataLoader to be imported; ``active``; ``native``, this torch seeds NumPy itself;
            ``off``; ``unsupported``, workerseed does not know this torch; ``failed``.
        reason: why, in words.
        torch: the version of the imported torch, or None.
        options: the options that are on.
    """

    state: str
    reason: str
    torch: Optional[str]
    options: Tuple[str, ...]
