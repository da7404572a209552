"""The verdict on a loader, as a table for a terminal."""

import os
import sys
import textwrap
from typing import Dict, List

from .verdict import Results

HEADS = "workers   epochs  repeatable "


def table(results: Results) -> str:
    """Return the results of ``verdict.judge`` as text."""
    loader, sources = results["loader"], results["sources"]
    used = {name: source for name, source in sources.items() if source["used"]}
    unused = ", ".join(name for name in sources if name not in used)
    lines = [
        "workerseed {workerseed}, Python {python}, torch {torch}, NumPy {numpy}, wrapt {wrapt}".format(
            **results["versions"]
        ),
        "",
        "{name}: {workers} workers started by {start_method},".format(**loader),
        "the first batch of each in two epochs, and again in another process",
        "",
        f"{'':22}{'as it is':29}" + ", ".join(["with workerseed", *results["status"]["extras"]]),
        f"{'source':17}{'used':5}{HEADS}{HEADS}",
    ]
    for name, source in used.items():
        if len(name) > 16:
            lines.append(name)
        line = "{:17}{:5}".format("" if len(name) > 16 else name, "{}/{}".format(source["used"], loader["workers"]))
        for side in ("as_it_is", "workerseed"):
            for key, good, width in (("workers", "differ", 10), ("epochs", "differ", 8), ("repeatable", "yes", 11)):
                text = {True: "yes", False: "no"}.get(source[side][key], source[side][key])
                line += coloured(text, text == good) + " " * (width - len(text))
        lines.append(line)
    lines += wrapped(f"not used: {unused}") if unused else []
    lines += ["", coloured(sentence(results), results["verdict"] != "not fixed")]
    advised: Dict[str, List[str]] = {}
    for name, source in used.items():
        if source["advice"]:
            advised.setdefault(source["advice"], []).append(name)
    for item in ["{}: {}.".format(", ".join(names), text) for text, names in advised.items()] + results["notes"]:
        lines += wrapped("- " + item)
    return "\n".join(line.rstrip() for line in lines)


def sentence(results: Results) -> str:
    status, verdict = results["status"], results["verdict"]
    if verdict == "not fixed":
        return "Affected, and not fixed by workerseed alone."
    if verdict == "fixed":
        extras = ",".join(status["extras"])
        return "Affected, and fixed by workerseed" + (f" with WORKERSEED={extras}." if extras else ".")
    if not any(source["used"] for source in results["sources"].values()):
        return "Not affected: its workers draw nothing."
    return "Not affected: {reason}.".format(**status) if status["state"] == "native" else "Not affected."


def wrapped(text: str) -> List[str]:
    return textwrap.wrap(text, 79, subsequent_indent="  ", break_long_words=False)


def coloured(text: str, is_good: bool) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[{32 if is_good else 31}m{text}\033[0m"
