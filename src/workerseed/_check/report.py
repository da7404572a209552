"""The verdict on a loader, as a table for a terminal."""

import textwrap
from typing import Any, Dict, List

WRAPPER = textwrap.TextWrapper(79, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
WIDTH = 9
WORDS = {
    "same": "repeat",
    "some same": "some",
    "differ": "differ",
    "unknown": "unknown",
    None: "",
    True: "equal",
    False: "varies",
}
SENTENCES = {
    "cannot tell": "Cannot tell",
    "not fixed": "Affected, and not fixed by workerseed alone.",
    "fixed": "Affected, and fixed by workerseed",
    "not affected": "Not affected",
}


def table(judged: Dict[str, Any]) -> str:
    """Return what ``verdict.judge`` found as text."""
    loader, sources = judged["loader"], judged["sources"]
    has_ranks = any((source.get("as_it_is") or {}).get("ranks") for source in sources.values())
    columns = ["workers", "epochs"] + ["ranks"] * has_ranks + ["repeatable"]
    wide = WIDTH * len(columns)
    lines = WRAPPER.wrap(f"{judged['name']}, {loader['workers']} workers ({loader['start_method']})")
    used = {name: source for name, source in sources.items() if source.get("as_it_is") or source.get("workerseed")}
    if used:
        on = judged["status"] and judged["status"]["state"] == "active"
        lines += ["", f"{'':20}{'as it is (workerseed on)' if on else 'as it is':{wide + 2}}" + with_workerseed(judged)]
        heads = "".join(f"{'rerun' if column == 'repeatable' else column:{WIDTH}}" for column in columns)
        lines.append(f"{'drawn from':20}{heads}  {heads}")
    rows: Dict[str, List[str]] = {}  # those that look the same, together
    for name, source in used.items():
        cells = ["".join(cell(source.get(way), key) for key in columns) for way in ("as_it_is", "workerseed")]
        rows.setdefault("  ".join(cells), []).append(name)
    for row, names in rows.items():
        for name in names if len(names) < 4 else [f"{names[0]} and {len(names) - 1} more"]:
            lines += [f"{name:20}{row}"] if len(name) < 20 else [name, f"{'':20}{row}"]
    unused = [name for name in sources if name not in used]
    if unused:
        lines += WRAPPER.wrap("not used: " + summed_up(unused))
    lines += judged.get("details", "").splitlines()[-20:]  # what the program printed
    lines += ["", *WRAPPER.wrap(sentence(judged))]
    advised: Dict[str, List[str]] = {}
    for name, source in used.items():
        advised.setdefault(source["advice"], []).append(name)
    items = [f"{summed_up(names)}: {text}" for text, names in advised.items() if text]
    for item in items + judged["notes"]:
        lines += WRAPPER.wrap(f"- {item}")
    return "\n".join(line.rstrip() for line in lines)


def cell(compared: Any, key: str) -> str:
    return f"{WORDS[compared[key]] if compared else '':{WIDTH}}"


def summed_up(names: List[str]) -> str:
    """Return a list of names, cut short if it is long."""
    return ", ".join(names if len(names) < 7 else [*names[:3], f"{len(names) - 3} more"])


def with_workerseed(judged: Dict[str, Any]) -> str:
    return "with " + ", ".join(["workerseed", *judged["options"]])


def sentence(judged: Dict[str, Any]) -> str:
    """Return the verdict in a sentence, with its reasons."""
    verdict, text = judged["verdict"], SENTENCES[judged["verdict"]]
    if verdict == "cannot tell":
        return f"{text}: {'; '.join(judged['reasons']).rstrip('.')}."
    if verdict == "fixed":
        return text + (f" with WORKERSEED={','.join(judged['options'])}." if judged["options"] else ".")
    if verdict == "not affected":
        if not any(source.get("as_it_is") for source in judged["sources"].values()):
            return f"{text}: its workers draw nothing."
        status = judged["status"]
        return f"{text}: workerseed is active." if status and status["state"] == "active" else f"{text}."
    return text
