"""tox.toml, as the tests of this folder read it."""

import tomllib
from support import contents_of

TOX = tomllib.loads(contents_of("tox.toml"))
ENVIRONMENTS = list(dict.fromkeys([*TOX["env_list"], *TOX["env"]]))


def setting(name, key):
    """A setting of an environment: its own, or that of the first of its bases that has it."""
    own = TOX["env"].get(name, {})
    tables = [own, *(TOX[base] for base in own.get("base", ["env_run_base"]))]
    return next(table[key] for table in tables if key in table)


def labelled(label):
    """The environments that have a label, in the order in which they run."""
    return TOX["labels"].get(label) or [name for name in ENVIRONMENTS if label in setting(name, "labels")]
