"""The verdict on a loader, as a table for a terminal."""

import textwrap
from typing import Any, Dict, List

WRAPPER = textwrap.TextWrapper(79, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
WAYS = ("as_it_is", "workerseed")
COLUMNS = {"workers": "workers", "epochs": "epochs", "ranks": "ranks", "repeatable": "rerun"}
WORDS = {"same": "repeat", "some same": "some", None: "", True: "equal", False: "varies"}
SENTENCES = {
    "cannot tell": "Cannot tell: {reasons}.",
    "not fixed": "Affected, and not fixed by workerseed alone.",
    "fixed": "Affected, and fixed by workerseed{options}.",
    "not affected": "Not affected{why}.",
}


def table(judged: Dict[str, Any]) -> str:
    """Return what ``verdict.judge`` found as text."""
    loader, is_on = judged["loader"], (judged["status"] or {}).get("state") == "active"
    used = {name: source for name, source in judged["sources"].items() if any(source[way] for way in WAYS)}
    lines = WRAPPER.wrap(f"{judged['name']}, {loader['workers']} workers ({loader['start_method']})")
    if used:
        has_ranks = any((source["as_it_is"] or {}).get("ranks") for source in used.values())
        columns = [column for column in COLUMNS if column != "ranks" or has_ranks]
        left, width = (12, 8) if has_ranks else (20, 9)
        heads = "".join(f"{COLUMNS[column]:{width}}" for column in columns)
        first, second = "as it is" + " (workerseed on)" * is_on, ", ".join(["with workerseed", *judged["options"]])
        lines += ["", f"{'':{left}}{first:{len(heads) + 2}}{second}", f"{'drawn from':{left}}{heads}  {heads}"]
        rows: Dict[str, List[str]] = {}  # those that look the same, together
        for name, source in used.items():
            rows.setdefault("  ".join(cells(source[way], columns, width) for way in WAYS), []).append(name)
        for row, names in rows.items():
            for name in names if len(names) < 4 else [f"{names[0]} and {len(names) - 1} more"]:
                lines += [f"{name:{left}}{row}"] if len(name) < left else [name, f"{'':{left}}{row}"]
    unused = [name for name in judged["sources"] if name not in used]
    lines += WRAPPER.wrap(f"not used: {summed_up(unused)}") if unused else []
    lines += judged.get("details", "").splitlines()[-20:]  # what the program printed
    options = f" with WORKERSEED={','.join(judged['options'])}" if judged["options"] else ""
    why = ": workerseed is active" if is_on else "" if used else ": its workers draw nothing"
    reasons = "; ".join(judged["reasons"]).rstrip(".")
    sentence = SENTENCES[judged["verdict"]].format(reasons=reasons, options=options, why=why)
    advised: Dict[str, List[str]] = {}
    for name, source in used.items():
        if source["advice"]:
            advised.setdefault(source["advice"], []).append(name)
    items = [f"- {summed_up(names)}: {text}" for text, names in advised.items()]
    for text in [sentence, *items, *(f"- {note}" for note in judged["notes"])]:
        lines += [""] * (text is sentence) + WRAPPER.wrap(text)
    return "\n".join(line.rstrip() for line in lines)


def cells(compared: Any, columns: List[str], width: int) -> str:
    """Return a comparison as a row of words, blank if there is none."""
    found = [compared[column] if compared else None for column in columns]
    return "".join(f"{WORDS.get(value, value):{width}}" for value in found)


def summed_up(names: List[str]) -> str:
    """Return a list of names, cut short if it is long."""
    return ", ".join(names if len(names) < 7 else [*names[:3], f"{len(names) - 3} more"])
