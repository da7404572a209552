"""Prints minutes and pytest's counts of each environment in tox's results, and the counts of all."""

import collections
import json
import re
import sys

COUNTS = re.compile(r"^=*\s*((?:\d+ \w+, )*\d+ \w+) in [\d.]+s", re.MULTILINE)

total = collections.Counter()
for path in sys.argv[1:]:
    with open(path) as file:
        environments = json.load(file)["testenvs"]
    for name, environment in environments.items():
        if "result" not in environment:  # one that is not among those that ran
            continue
        result = environment["result"]
        counted = [line for command in environment.get("test", []) for line in COUNTS.findall(command["output"])]
        told = counted if result["success"] else ["FAILED", *counted]
        print(f"{name:32} {result['duration'] / 60:5.1f} min  {', '.join(told)}")
        for number, word in re.findall(r"(\d+) (\w+)", " ".join(counted)):
            total["failed" if word in ("error", "errors") else word] += int(number)
print(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
