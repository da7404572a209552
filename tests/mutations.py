"""Names small changes to workerseed that no test notices: ``tox run -e mutations -- --count 60 --seed 0``.

Changes the core or the options of the installed package in one place at a time (a comparison, an operator, a constant,
a condition, a returned value, a statement that goes), chosen at random, and runs the tests until one fails. A change
that no test notices is equivalent, does not matter, or shows what is not tested.
"""

import argparse
import ast
import copy
import os
import random
import signal
import subprocess
import sys
import time

import workerseed

PACKAGE = os.path.dirname(workerseed.__file__)
TESTS = os.path.dirname(os.path.abspath(__file__))
LIMIT = 1200  # seconds for the tests of one change; a change that makes them wait longer is noticed
FOLDERS = ["seeding", "startup", "options"]
FIRST = {  # the tests that most likely notice a change to a module; then come all others
    "__init__": ["startup/test_without_torch.py", "startup/test_options.py"],
    "__main__": ["startup/test_command.py", "check/test_check.py::test_the_installation"],
    "_config": ["startup/test_options.py", "startup/test_command.py"],
    "_import_hook": ["seeding/test_activation.py", "startup/test_import_hook.py"],
    "_install": ["startup/test_options.py", "seeding/test_activation.py", "seeding/test_failures.py"],
    "_messages": ["seeding/test_failures.py", "startup/test_options.py"],
    "_patch": ["seeding/test_uninstall.py", "seeding/test_iterators.py", "seeding/test_loader_stays.py"],
    "_seeding": ["seeding/test_seeding.py", "options/test_ranks.py", "seeding/test_native.py"],
    "ranks": ["options/test_ranks.py"],
    "_options": ["options"],
}
SWAPPED = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
REMOVED = (ast.Expr, ast.Assign, ast.AugAssign, ast.Delete, ast.Raise)


def modules():
    folders = [PACKAGE, os.path.join(PACKAGE, "_options")]
    return sorted(os.path.join(folder, name) for folder in folders for name in os.listdir(folder) if name[-3:] == ".py")


def places(tree):
    """Where a module may be changed: the parent, its field, an index or None, and what stands there."""
    skipped = set()  # annotations and what only mypy reads
    for parent in ast.walk(tree):
        if id(parent) in skipped:
            skipped.update(map(id, ast.iter_child_nodes(parent)))
            continue
        for field, value in ast.iter_fields(parent):
            nodes = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
            if field in ("annotation", "returns") or "TYPE_CHECKING" in getattr(getattr(parent, "test", 0), "id", ""):
                skipped.update(id(node) for _, node in nodes)
                continue
            for index, node in nodes:
                if isinstance(node, ast.AST) and changed(parent, field, node) is not None:
                    yield parent, field, index, node


def changed(parent, field, node):
    """What may stand in the place of a node, or None."""
    if type(node) in SWAPPED:
        return SWAPPED[type(node)]()
    if field == "test" and not isinstance(node, (ast.Compare, ast.BoolOp)):
        return ast.UnaryOp(ast.Not(), node)
    if isinstance(node, ast.Constant) and not isinstance(parent, ast.Expr):
        if isinstance(node.value, (bool, int)):
            return ast.Constant(not node.value if isinstance(node.value, bool) else node.value + 1)
        if isinstance(node.value, str) and " " not in node.value:  # else a message
            return ast.Constant(node.value + "x")
    if isinstance(node, ast.Return) and getattr(node.value, "value", node.value) is not None:
        return ast.Return(ast.Constant(None))
    if isinstance(node, REMOVED) and not isinstance(getattr(node, "value", None), ast.Constant):
        return ast.Pass()
    return None


def read(path):
    with open(path) as file:
        return file.read()


def put(place, node):
    parent, field, index, _ = place
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def is_noticed(name):
    first = FIRST.get(name, FIRST["_options"])
    end = time.time() + LIMIT
    for paths in (first, [folder for folder in FOLDERS if [folder] != first]):
        command = [sys.executable, "-m", "pytest", "-xq", "-n2", "--dist=loadfile", "-p", "no:cacheprovider"]
        command += [os.path.join(TESTS, path) for path in paths]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=TESTS
        )
        try:
            if process.wait(max(1, end - time.time())):
                return True
        except subprocess.TimeoutExpired:
            return True
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if "site-packages" not in PACKAGE:
        parser.error(f"it would change {PACKAGE}; install workerseed, not editable")
    sources = {path: read(path) for path in modules()}
    trees = {path: ast.parse(source) for path, source in sources.items()}
    found = [(path, place) for path, tree in trees.items() for place in places(tree)]
    if is_noticed("_options"):
        sys.exit("the tests fail without a change")
    unnoticed = 0
    for number, (path, place) in enumerate(random.Random(options.seed).sample(found, options.count), 1):
        node, before = place[3], ast.unparse(trees[path])
        put(place, changed(*place[:2], copy.copy(node)))
        after = ast.unparse(trees[path])
        try:
            with open(path, "w") as file:
                file.write(after)
            noticed = is_noticed(os.path.basename(path)[:-3])
        finally:
            put(place, node)
            with open(path, "w") as file:
                file.write(sources[path])
        unnoticed += not noticed
        lines = set(after.splitlines()) ^ set(before.splitlines())
        print(f"{number}: {'noticed' if noticed else 'NOT NOTICED'}: {os.path.relpath(path, PACKAGE)}", flush=True)
        print(*sorted(lines, key=before.find), sep="\n", flush=True) if not noticed else None
    print(f"{options.count - unnoticed} of {options.count} changes noticed")


if __name__ == "__main__":
    main()
