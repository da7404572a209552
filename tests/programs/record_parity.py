"""Record in parity.json what torch 1.9.1 itself draws: ``tox run -e record-parity``."""

import json
import os
import sys

import scenarios
import torch

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

if __name__ == "__main__":
    if not torch.__version__.startswith("1.9.1") or "workerseed" in sys.modules:
        sys.exit(f"the draws are those of torch 1.9.1 alone; this is torch {torch.__version__}")
    with open(os.path.join(TESTS, "parity.json"), "w") as file:
        recorded = {name: json.dumps(scenario("fork")) for name, scenario in scenarios.SCENARIOS.items()}
        file.write("{\n" + ",\n".join(json.dumps(name) + ": " + epochs for name, epochs in recorded.items()) + "\n}\n")
