"""Prints minutes and counts of each environment in the results of tox; at the end all counts, and what failed."""

import collections
import json
import re
import sys

COLOURS = re.compile(r"\x1b\[[\d;]*m")  # FORCE_COLOR is one of the variables that tox passes on
COUNTS = re.compile(r"^=*\s*((?:\d+ \w+, )*\d+ \w+) in [\d.]+s", re.MULTILINE)

total = collections.Counter()
ran, failed = [], []
for path in sys.argv[1:]:
    with open(path) as file:
        environments = json.load(file)["testenvs"]
    for name, environment in environments.items():
        if "result" not in environment:  # one that is not among those that ran
            continue
        result = environment["result"]
        outputs = [COLOURS.sub("", command["output"]) for command in environment.get("test", [])]
        counted = [line for output in outputs for line in COUNTS.findall(output)]
        ran.append(name)
        if not result["success"] or result.get("skipped"):  # the latter for want of an interpreter
            failed.append(name)
        words = ["FAILED", *counted] if name in failed else counted
        print(f"{name:32} {result['duration'] / 60:5.1f} min  {', '.join(words)}")
        for number, word in re.findall(r"(\d+) (\w+)", " ".join(counted)):
            total["failed" if word in ("error", "errors") else word] += int(number)
print(f"\n{len(ran)} environments ran, {len(failed)} failed {' '.join(failed)}".rstrip())
print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
