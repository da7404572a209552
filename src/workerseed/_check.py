"""The command ``workerseed check``: what fresh processes tell of their workers, as a table and a verdict."""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import textwrap
from typing import Dict, List, Optional

from . import __version__, _config, status
from ._probe import CannotTellError, Facts

EPOCHS = 3  # of the article's data set
PROCESS_WIDE = ("np.random", "random", "torch")
PROBE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_probe.py")
FIXED, REMAIN, CANNOT_TELL, INTERRUPTED = 0, 1, 2, 130  # exit codes


def check(loader: Optional[str], as_json: bool) -> int:
    """Check this installation, or the user's ``loader`` (``MODULE:LOADER``), and print what was found.

    Returns:
        The exit code: 0 if no draws are duplicated with workerseed, 1 if some are, 2 if that cannot be told.
    """
    try:
        facts = check_loader(loader) if loader else check_installation()
    except KeyboardInterrupt:
        progress("")
        return INTERRUPTED
    except CannotTellError as error:
        if as_json:
            print(json.dumps({"verdict": "cannot tell", "error": str(error), "details": error.details}, indent=2))
        else:
            if error.details:
                sys.stderr.write(error.details.rstrip() + "\n")
            sys.stderr.write(f"workerseed: cannot tell: {error}\n")
        return CANNOT_TELL
    if as_json:
        print(json.dumps(facts, indent=2))
    else:
        for line in table_of_loader(facts) if loader else table_of_installation(facts):
            print(line.rstrip())
    return REMAIN if facts["verdict"] == "not fixed" else FIXED


def run_twice(doing: str, what: Facts, epochs: int, variable: Optional[str]) -> Facts:
    """Return what ``_probe`` finds in a fresh process, and, under ``again``, what the first epoch is in another one.

    Args:
        doing: for the user, what this is.
        what: the ``loader`` or the ``start_method``, for ``_probe``.
        epochs: how many.
        variable: the value of WORKERSEED, or None for the user's; unless that is "0", workerseed is imported, too.
    """
    what = dict(what, workerseed=variable not in (None, "0"))
    facts = probe(doing, dict(what, epochs=epochs), variable)
    facts["again"] = probe(doing + ", again", dict(what, epochs=1), variable)["epochs"][0]
    return facts


def probe(doing: str, what: Facts, variable: Optional[str]) -> Facts:
    """Run ``_probe`` with this value of WORKERSEED, or the user's if None.

    Raises:
        CannotTellError: with what it says, or because it ended before it could say anything.
    """
    progress("starting workers: " + doing)
    environment = dict(os.environ)
    if variable is not None:
        environment[_config.VARIABLE] = variable
    with tempfile.TemporaryDirectory() as folder:
        result = os.path.join(folder, "result")
        process = subprocess.Popen(
            [sys.executable, PROBE, result, json.dumps(what)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        printed, _ = process.communicate()
        progress("")
        if process.returncode != 0 or not os.path.exists(result):
            raise CannotTellError(
                f"the process that started workers ({doing}) ended with {process.returncode}", printed
            )
        with open(result) as file:
            facts: Facts = json.load(file)
    if "error" in facts:
        raise CannotTellError(facts["error"], facts["details"])
    return facts


def with_extras() -> str:
    """Return the value of WORKERSEED that switches on, with the extras that the user's value names."""
    return ",".join(status().extras) or "1"


def progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def versions_of(facts: Facts) -> Dict[str, str]:
    return dict({"workerseed": __version__}, **{name: facts[name] for name in ("python", "torch", "numpy", "wrapt")})


# This installation


def check_installation() -> Facts:
    """Compare the draws of the article's data set, as torch ships and with workerseed."""
    methods = multiprocessing.get_all_start_methods()
    found: Facts = {}
    facts: Facts = {}
    for method in methods:
        stock = run_twice(f"{method}, as torch ships", {"start_method": method}, EPOCHS, "0")
        facts = run_twice(f"{method}, with workerseed", {"start_method": method}, EPOCHS, with_extras())
        found[method] = {"default": facts["default"], "stock": repeats(stock), "workerseed": repeats(facts)}
    affected = any(is_affected(of_method["stock"]) for of_method in found.values())
    remain = any(is_affected(of_method["workerseed"]) for of_method in found.values())
    verdict = "not fixed" if remain else "fixed" if affected else "not affected"
    return {
        "verdict": verdict,
        "versions": versions_of(facts),
        "status": facts["workerseed"],
        "start_methods": found,
    }


def repeats(facts: Facts) -> Facts:
    """Count the draws that repeat an earlier one, of another worker in the same epoch or of the worker's own."""
    epochs = [[[tuple(draw) for draw in worker] for worker in epoch] for epoch in facts["epochs"]]
    draws = sum(len(worker) for epoch in epochs for worker in epoch)
    across_workers = draws - sum(len({draw for worker in epoch for draw in worker}) for epoch in epochs)
    across_epochs = draws - sum(len({draw for worker in same for draw in worker}) for same in zip(*epochs))
    return {
        "draws": draws,
        "repeated_across_workers": across_workers,
        "repeated_across_epochs": across_epochs,
        "repeatable": facts["again"] == facts["epochs"][0],
    }


def is_affected(counts: Facts) -> bool:
    return bool(counts["repeated_across_workers"] or counts["repeated_across_epochs"] or not counts["repeatable"])


def table_of_installation(facts: Facts) -> List[str]:
    ships = "torch {} as it ships".format(facts["versions"]["torch"].split("+")[0])
    lines = [
        line_of_versions(facts["versions"]),
        "",
        "np.random in 4 workers and 3 epochs: how many draws repeat one of another worker",
        "or of an earlier epoch, and whether another run with the same seed repeats all",
        "",
        f"{'':19}{ships:31}" + heading(facts),
        "{:19}{heads:31}{heads}".format("start method", heads="workers  epochs  repeatable"),
    ]
    for method, found in facts["start_methods"].items():
        line = "{:19}".format(method + (" (default)" if found["default"] else ""))
        for who in ("stock", "workerseed"):
            for name, width in (("repeated_across_workers", 9), ("repeated_across_epochs", 8)):
                count = found[who][name]
                line += cell("{}/{}".format(count, found[who]["draws"]) if count else "none", not count, width)
            line += cell("yes" if found[who]["repeatable"] else "no", found[who]["repeatable"], 14)
        lines.append(line)
    reason = facts["status"]["reason"]
    return [*lines, "", verdict_line(facts, f": {reason}", f", because {reason}")]


def cell(text: str, good: bool, width: int) -> str:
    return coloured(text, good) + " " * (width - len(text))


def coloured(text: str, good: bool) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[{32 if good else 31}m{text}\033[0m"


def verdict_line(facts: Facts, not_affected: str, not_fixed: str) -> str:
    verdict, extras = facts["verdict"], facts["status"]["extras"]
    how = f" with {_config.VARIABLE}={','.join(extras)}" if extras else ": import it, or use `workerseed run`"
    sentences = {
        "not affected": f"Not affected{not_affected}.",
        "fixed": f"Affected, and fixed by workerseed{how}.",
        "not fixed": f"Affected, and not fixed{not_fixed}.",
    }
    return coloured(sentences[verdict], verdict != "not fixed")


def heading(facts: Facts) -> str:
    return ", ".join(["with workerseed", *facts["status"]["extras"]])


def line_of_versions(versions: Dict[str, str]) -> str:
    return "workerseed {workerseed}, Python {python}, torch {torch}, NumPy {numpy}, wrapt {wrapt}".format(**versions)


# A loader of the user's


def check_loader(loader: str) -> Facts:
    """Compare, across its workers and epochs, every source of randomness that a user's loader has."""
    before = run_twice(f"{loader}, as it is", {"loader": loader}, 2, None)
    after = run_twice(f"{loader}, with workerseed", {"loader": loader}, 2, with_extras())
    sources: Facts = {}
    for source in sorted({source for facts in (before, after) for worker in facts["epochs"][0] for source in worker}):
        of_source = {"as_it_is": streams(before, source), "workerseed": streams(after, source)}
        sources[source] = dict(of_source, advice=advice(source, of_source["as_it_is"], of_source["workerseed"], after))
    found = list(sources.values())
    if any(are_duplicated(of_source["workerseed"]) for of_source in found):
        verdict = "not fixed"
    else:
        verdict = "not affected" if all(are_fine(of_source["as_it_is"]) for of_source in found) else "fixed"
    keys = ("num_workers", "workers", "start_method", "worker_init_fn", "distributed")
    return {
        "verdict": verdict,
        "versions": versions_of(after),
        "status": after["workerseed"],
        "loader": dict({"name": loader}, **{key: after[key] for key in keys}),
        "sources": sources,
    }


def streams(facts: Facts, source: str) -> Facts:
    """Tell whether the streams of one source differ between workers and epochs, and come again in another run."""
    first, second, again = ([worker.get(source) for worker in epoch] for epoch in (*facts["epochs"], facts["again"]))
    there = [state for state in first if state is not None]  # a worker_init_fn may make it in some workers only
    distinct = len(set(there))
    workers = "differ" if distinct == len(there) else "same" if distinct == 1 else "some same"
    epochs = "same" if any(one == other for one, other in zip(first, second) if one is not None) else "differ"
    return {"workers": workers, "epochs": epochs, "repeatable": first == again}


def are_duplicated(of_source: Facts) -> bool:
    return not of_source["workers"] == of_source["epochs"] == "differ"


def are_fine(of_source: Facts) -> bool:
    return bool(of_source["repeatable"]) and not are_duplicated(of_source)


def advice(source: str, as_it_is: Facts, with_workerseed: Facts, facts: Facts) -> Optional[str]:
    if are_fine(with_workerseed) and are_fine(as_it_is):
        return None
    if are_fine(with_workerseed):
        options = "".join(f" --{extra}" for extra in facts["workerseed"]["extras"])
        return f"import workerseed, or start the program with `workerseed run{options}`"
    if source not in PROCESS_WIDE:
        return advice_on_held(with_workerseed, facts)
    if source == "np.random" and facts["get_state_workaround"]:
        return (
            "the worker_init_fn seeds from np.random.get_state()[1][0], which this torch leaves at 2**31 whatever the "
            "seed: remove it, torch seeds NumPy itself"
        )
    if facts["worker_init_fn"]:
        return (
            "the worker_init_fn seeds it: remove that, or seed with torch.initial_seed() % 2**32, which differs by "
            "worker and epoch"
        )
    return "workerseed is {state}: {reason}".format(**facts["workerseed"])


def advice_on_held(with_workerseed: Facts, facts: Facts) -> str:
    if not are_duplicated(with_workerseed):
        return "no other run repeats it: give it a seed where it is made"
    if "generators" not in facts["workerseed"]["extras"]:
        return "switch the extra on that is for it: WORKERSEED=generators, or `workerseed run --generators`"
    if facts["workerseed"]["state"] != "active":
        return "workerseed is {state}: {reason}".format(**facts["workerseed"])
    if facts["worker_init_fn"]:
        return "the worker_init_fn seeds it, or `workerseed.keep` leaves it as it is"
    return "`workerseed.keep` leaves it as it is"


def table_of_loader(facts: Facts) -> List[str]:
    loader = facts["loader"]
    lines = [line_of_versions(facts["versions"]), ""]
    if not loader["num_workers"]:
        lines.append("It has num_workers=0, and nothing to compare: checked as if it had {workers}.".format(**loader))
    lines += [
        "{name} in {workers} workers, by {start_method}, and 2 epochs:".format(**loader),
        "whether streams differ, and whether another run with the same seed repeats all",
        "",
        f"{'':22}{'as it is':29}" + heading(facts),
        "{:22}{heads:29}{heads}".format("source", heads="workers   epochs  repeatable"),
    ]
    for source, of_source in facts["sources"].items():
        line = f"{source:22}"
        if len(source) > 21:
            lines.append(source)
            line = " " * 22
        for who in ("as_it_is", "workerseed"):
            streams = of_source[who]
            line += cell(streams["workers"], streams["workers"] == "differ", 10)
            line += cell(streams["epochs"], streams["epochs"] == "differ", 8)
            line += cell("yes" if streams["repeatable"] else "no", streams["repeatable"], 11)
        lines.append(line)
    lines += ["", verdict_line(facts, "", " by workerseed alone")]
    advised: Dict[str, List[str]] = {}
    for source, of_source in facts["sources"].items():
        if of_source["advice"]:
            advised.setdefault(of_source["advice"], []).append(source)
    for text, sources in advised.items():
        lines += wrapped("{}: {}.".format(", ".join(sources), text))
    if loader["distributed"] and "ranks" not in facts["status"]["extras"]:
        lines += wrapped(
            "It has a DistributedSampler: ranks that all call torch.manual_seed with the same number draw the same. "
            "Call torch.manual_seed(seed + rank), or switch the extra on that is for it: WORKERSEED=ranks, or "
            "`workerseed run --ranks`."
        )
    return lines


def wrapped(text: str) -> List[str]:
    return textwrap.wrap(text, 79, initial_indent="- ", subsequent_indent="  ", break_long_words=False)
