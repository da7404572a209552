"""Names small changes to workerseed that no test notices: ``tox run -e mutations -- --count 60 --seed 0``.

Changes the core or the options of the installed package in one place at a time (a comparison, an operator, a constant,
a condition, a returned value, a statement that goes), chosen at random, and runs the tests until one fails. A change
that no test notices is equivalent, does not matter, or shows what is not tested.
"""

import argparse
import ast
import random
import subprocess
import sys
from pathlib import Path

import workerseed

PACKAGE = Path(workerseed.__file__).parent
TESTS = Path(__file__).resolve().parent
PATHS = ["seeding", "options", "startup", "check/test_check.py::test_the_installation"]
LIMIT = "1200"  # seconds for the tests of one change; a change that makes them wait longer is noticed
PAIRS = [
    *((ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn), (ast.Lt, ast.LtE), (ast.Gt, ast.GtE)),
    *((ast.And, ast.Or), (ast.Add, ast.Sub), (ast.LShift, ast.RShift), (ast.BitAnd, ast.BitOr)),
]
SWAPPED = {ast.BitXor: ast.BitOr, ast.Mult: ast.FloorDiv, ast.Mod: ast.Mult, **dict(PAIRS)}
SWAPPED.update((other, one) for one, other in PAIRS)
REMOVED = (ast.Expr, ast.Assign, ast.AugAssign, ast.Delete, ast.Raise)


class Change(ast.NodeTransformer):
    """Changes one of the places of a module that can be changed, by its number, and counts them."""

    def __init__(self, number=-1):
        self.number, self.count = number, 0

    def visit(self, node):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
            return node
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").startswith("__"):  # what a module says
            return node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return node
        for field in ("annotation", "returns"):
            if getattr(node, field, None) is not None:
                setattr(node, field, ast.Name("object"))
        visited, changed = self.generic_visit(node), self.changed(node)
        if changed is None:
            return visited
        self.count += 1
        return changed if self.count == self.number + 1 else visited

    def changed(self, node):
        """What may stand in the place of a node, or None."""
        if type(node) in SWAPPED:
            return SWAPPED[type(node)]()
        if isinstance(node, (ast.If, ast.IfExp, ast.While)) and not isinstance(node.test, (ast.Compare, ast.BoolOp)):
            return type(node)(**dict(ast.iter_fields(node), test=ast.UnaryOp(ast.Not(), node.test)))
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return ast.Constant(not node.value if isinstance(node.value, bool) else node.value + 1)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:  # else a message
            return ast.Constant(node.value + "x")
        if isinstance(node, ast.Return) and getattr(node.value, "value", node.value) is not None:
            return ast.Return(ast.Constant(None))
        if isinstance(node, REMOVED) and not isinstance(getattr(node, "value", None), ast.Constant):
            return ast.Pass()
        return None


def written(source, change):
    return ast.unparse(ast.fix_missing_locations(change.visit(ast.parse(source))))


def places_in(source):
    every = Change()
    written(source, every)
    return every.count


def is_noticed():
    options = ["-xq", "-n2", "--dist=loadfile", "-p", "no:cacheprovider"]
    command = ["timeout", "--kill-after=10", LIMIT, sys.executable, "-m", "pytest", *options, *PATHS]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=TESTS).returncode != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if "site-packages" not in PACKAGE.parts:
        parser.error(f"it would change {PACKAGE}; install workerseed, not editable")
    if is_noticed():
        sys.exit("the tests fail without a change")
    sources = {path: path.read_text() for path in sorted([*PACKAGE.glob("*.py"), *PACKAGE.glob("_options/*.py")])}
    places = [(path, number) for path, source in sources.items() for number in range(places_in(source))]
    unnoticed = 0
    for path, number in random.Random(options.seed).sample(places, options.count):
        before, after = (written(sources[path], Change(each)) for each in (-1, number))
        try:
            path.write_text(after)
            noticed = is_noticed()
        finally:
            path.write_text(sources[path])
        unnoticed += not noticed
        print("noticed" if noticed else "NOT NOTICED", path.relative_to(PACKAGE), number, flush=True)
        if not noticed:
            print(*sorted(set(after.splitlines()) ^ set(before.splitlines())), sep="\n", flush=True)
    print(f"{options.count - unnoticed} of {options.count} changes noticed")


if __name__ == "__main__":
    main()
