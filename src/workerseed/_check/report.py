"""Prints the verdict on a loader: a table, or JSON."""

import os
import sys
import textwrap
from typing import Dict, List

from .verdict import Results

HEADS = "workers   epochs  repeatable "


def table(results: Results) -> str:
    """Return what was found, as text for a terminal."""
    loader, status, sources = results["loader"], results["status"], results["sources"]
    used = {name: source for name, source in sources.items() if source["used"]}
    lines = [
        "workerseed {workerseed}, Python {python}, torch {torch}, NumPy {numpy}, wrapt {wrapt}".format(
            **results["versions"]
        ),
        "",
        "{name}, {workers} workers started by {start_method}, the first batch of each in 2 epochs:".format(**loader),
    ]
    if used:
        lines += [
            "do workers or epochs draw the same, and is another run with the same seed the same?",
            "",
            f"{'':22}{'as it is':29}" + ", ".join(["with workerseed", *status["extras"]]),
            f"{'source':17}{'used':5}{HEADS}{HEADS}",
        ]
    for name, source in used.items():
        if len(name) > 16:
            lines.append(name)
            name = ""
        line = "{:17}{:5}".format(name, "{used}/{workers}".format(used=source["used"], workers=loader["workers"]))
        for side in ("as_it_is", "workerseed"):
            found = source[side]
            line += cell(found["workers"], found["workers"] == "differ", 10)
            line += cell(found["epochs"], found["epochs"] == "differ", 8)
            line += cell("yes" if found["repeatable"] else "no", found["repeatable"], 11)
        lines.append(line)
    unused = [name for name in sources if name not in used]
    if unused:
        lines += ["", *textwrap.wrap("Not used: {}.".format(", ".join(unused)), 79, break_long_words=False)]
    lines += ["", coloured(verdict_sentence(results), results["verdict"] != "not fixed")]
    for item in advice(results):
        lines += textwrap.wrap(item, 79, initial_indent="- ", subsequent_indent="  ", break_long_words=False)
    return "\n".join(line.rstrip() for line in lines)


def verdict_sentence(results: Results) -> str:
    verdict, status = results["verdict"], results["status"]
    if verdict == "not affected":
        if not any(source["used"] for source in results["sources"].values()):
            return "Not affected: its workers draw nothing."
        return "Not affected" + (": {reason}.".format(**status) if status["state"] == "native" else ".")
    if verdict == "fixed":
        extras = status["extras"]
        how = " with WORKERSEED=" + ",".join(extras) if extras else ""
        return f"Affected, and fixed by workerseed{how}."
    return "Affected, and not fixed by workerseed alone."


def advice(results: Results) -> List[str]:
    """Return the advice on sources, each piece with the sources that it is for, and the notes."""
    advised: Dict[str, List[str]] = {}
    for name, source in results["sources"].items():
        if source["advice"]:
            advised.setdefault(source["advice"], []).append(name)
    return ["{}: {}.".format(", ".join(names), text) for text, names in advised.items()] + results["notes"]


def cell(text: str, is_good: bool, width: int) -> str:
    return coloured(text, is_good) + " " * (width - len(text))


def coloured(text: str, is_good: bool) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[{32 if is_good else 31}m{text}\033[0m"
