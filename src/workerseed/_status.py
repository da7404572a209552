"""What ``workerseed.status()`` returns."""

from typing import NamedTuple, Optional, Tuple


class Status(NamedTuple):
    """What workerseed does in this process.

    Attributes:
        state: ``waiting`` for torch's DataLoader to be imported; ``active``; ``native``, this torch seeds NumPy itself;
            ``off``; ``unsupported``, this torch is none that workerseed knows; ``failed``.
        reason: why, in words.
        torch: the version of the torch that is imported, or None.
        options: those that are on.
    """

    state: str
    reason: str
    torch: Optional[str]
    options: Tuple[str, ...]
