"""The verdict on a loader, as a table for a terminal."""

import textwrap
from typing import Any, Dict, List

from .verdict import WAYS

WRAPPER = textwrap.TextWrapper(79, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
COLUMNS = ("workers", "epochs", "ranks", "rerun")
SENTENCES = {
    "cannot tell": "Cannot tell: {reasons}.",
    "not fixed": "Affected, and not fixed by workerseed alone.",
    "fixed": "Affected, and fixed by workerseed{options}.",
    "not affected": "Not affected{why}.",
}


def table(judged: Dict[str, Any]) -> str:
    """Return what ``verdict.judge`` found as text."""
    loader, options, sources = judged["loader"], judged["options"], judged["sources"]
    is_on = (judged["status"] or {}).get("state") == "active"
    used = {name: source for name, source in sources.items() if any(source[way] for way in WAYS)}
    unused = [name for name in sources if name not in used]
    heading = judged["name"]
    if loader:
        heading += ", {workers} worker{s} ({start_method})".format(s="s" * (loader["workers"] > 1), **loader)
    lines = WRAPPER.wrap(heading)
    rows: Dict[Any, List[str]] = {}  # those that look the same, together
    if used:
        has_ranks = any((source["as_it_is"] or {}).get("ranks") for source in used.values())
        columns = [column for column in COLUMNS if column != "ranks" or has_ranks]
        left, width = (12, 8) if has_ranks else (20, 9)
        first = "unchanged" + " (workerseed on)" * is_on
        lines += ["", f"{'':{left}}{first:{width * len(columns) + 2}}{', '.join(['with workerseed', *options])}"]
        head = {way: {column: column for column in columns} for way in WAYS}
        for name, source in [("drawn from", head), *used.items()]:
            halves = ["".join(f"{(source[way] or {}).get(key) or '':{width}}" for key in columns) for way in WAYS]
            rows.setdefault(("  ".join(halves), source.get("advice")), []).append(name)
    for (row, _), names in rows.items():
        label = summed_up(names)
        lines += [f"{label:{left}}{row}"] if len(label) < left else [*WRAPPER.wrap(label), f"{'':{left}}{row}"]
    lines += WRAPPER.wrap(f"not used: {summed_up(unused)}") if unused else []
    lines += [*judged.get("details", "").splitlines()[-20:], ""]  # what the program printed
    reasons = "; ".join(judged["reasons"]).rstrip(".")
    unseen = ": the check sees nothing that was drawn for the first batch"
    why = ": workerseed is active" if is_on else "" if used else unseen
    named = f" with WORKERSEED={','.join(options)}" if options else ""
    lines += WRAPPER.wrap(SENTENCES[judged["verdict"]].format(reasons=reasons, options=named, why=why))
    advice = [f"{summed_up(names)}: {text}" for (_, text), names in rows.items() if text]
    for item in advice + judged["notes"]:
        lines += WRAPPER.wrap(f"- {item}")
    return "\n".join(line.rstrip() for line in lines)


def summed_up(names: List[str]) -> str:
    """Return a list of names, cut short if it is long."""
    return ", ".join(names if len(names) < 7 else [*names[:3], f"{len(names) - 3} more"])
