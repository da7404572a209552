"""The verdict on a loader, as a table for a terminal."""

import textwrap
from typing import Dict, List

from .probe import Results

WRAPPER = textwrap.TextWrapper(79, subsequent_indent="  ", break_long_words=False)
VERSIONS = "workerseed {workerseed}, Python {python}, torch {torch}, NumPy {numpy}, wrapt {wrapt}"
COLUMNS = (("workers", 10), ("epochs", 8), ("repeatable", 11))


def table(results: Results) -> str:
    """Return the results of ``verdict.judge`` as text."""
    loader, sources = results["loader"], results["sources"]
    used = {name: source for name, source in sources.items() if source["used"]}
    heads = "".join(f"{key:{width}}" for key, width in COLUMNS)
    lines = [
        VERSIONS.format(**results["versions"]),
        "",
        "{name}: {workers} workers started by {start_method},".format(**loader),
        "the first batch of each in two epochs, and again in another process",
        "",
        f"{'':22}{'as it is':29}" + ", ".join(["with workerseed", *results["status"]["options"]]),
        f"{'source':17}{'used':5}{heads}{heads}",
    ]
    for name, source in used.items():
        if len(name) > 16:
            lines.append(name)
            name = ""
        line = "{:17}{:5}".format(name, "{used}/{num_workers}".format(**source, **loader))
        for comparison in (source["as_it_is"], source["workerseed"]):
            for key, width in COLUMNS:
                value = (comparison or {}).get(key, "")
                line += "{:{}}".format({True: "yes", False: "no"}.get(value, value), width)
        lines.append(line)
    if len(used) < len(sources):
        lines += WRAPPER.wrap("not used: " + ", ".join(name for name in sources if name not in used))
    lines += ["", *WRAPPER.wrap(sentence(results))]
    advised: Dict[str, List[str]] = {}
    for name, source in used.items():
        advised.setdefault(source["advice"], []).append(name)
    advice = ["{}: {}.".format(", ".join(names), text) for text, names in advised.items() if text]
    for item in advice + results["notes"]:
        lines += WRAPPER.wrap(f"- {item}")
    return "\n".join(line.rstrip() for line in lines)


def sentence(results: Results) -> str:
    status, verdict = results["status"], results["verdict"]
    sentences = {"cannot tell": "Cannot tell.", "not fixed": "Affected, and not fixed by workerseed alone."}
    if verdict in sentences:
        return sentences[verdict]
    if verdict == "fixed":
        options = ",".join(status["options"])
        return "Affected, and fixed by workerseed" + (f" with WORKERSEED={options}." if options else ".")
    if not any(source["used"] for source in results["sources"].values()):
        return "Not affected: the check has seen no worker draw anything."
    return "Not affected: {reason}.".format(**status) if status["state"] == "native" else "Not affected."
