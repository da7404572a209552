"""Installs workerseed in each interpreter that finds WORKERSEED in its environment.

Python imports this file by its name when it starts, from a folder on PYTHONPATH or from site-packages. It costs next to
nothing there, and cannot stop an interpreter. Without the variable, on Python 2, and where workerseed is not installed,
it only runs the sitecustomize that it shadows.
"""

import os
import sys

# The valid values, as in workerseed/_config.py, which this file must not import.
ON = ("1", "on", "true", "yes")
OFF = ("0", "off", "false", "no")
OPTIONS = ("ranks", "generators", "verbose")

DATALOADER = "torch.utils.data.dataloader"


class Finder(object):
    """Has workerseed imported as soon as torch's DataLoader is, so that other programs do not pay for it."""

    def __init__(self, options):
        self.options = options

    def find_spec(self, name, path=None, target=None):
        """Return the spec that the finders after this one have, with a loader that installs workerseed.

        It imports nothing: another thread may wait for this one, which holds the global import lock.
        """
        if name != DATALOADER:
            return None
        finders = list(sys.meta_path)
        places = [place for place, finder in enumerate(finders) if finder is self]
        # Where it has none, an import tracer put proxies in place of all finders.
        later = finders[places[0] + 1 :] if places else [sys.modules["_frozen_importlib_external"].PathFinder]
        for finder in later:
            find_spec = getattr(finder, "find_spec", None)
            spec = find_spec and find_spec(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = Loader(spec.loader, self.options)
                return spec
        return None


class Loader(object):
    """Has the module executed by its own loader, and workerseed installed then."""

    def __init__(self, loader, options):
        self.loader = loader
        self.options = options

    def exec_module(self, module):
        """Execute the module; neither it nor what imports it may fail because of workerseed."""
        if module.__spec__.loader is self:
            module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        try:
            import workerseed

            workerseed.install(self.options)
        except Exception as error:
            if getattr(error, "name", None) != "workerseed" or "verbose" in self.options:
                report(error)

    def __getattr__(self, name):
        """Leave all else to the module's own loader: create_module, get_source, is_package and others."""
        return getattr(self.loader, name)


def activate(value):
    """Wait for torch if the value says so; report a value that is not valid."""
    words = [word.strip() for word in value.lower().split(",")]
    if not value or sys.version_info < (3, 6) or (len(words) == 1 and words[0] in OFF):
        return
    options = [] if len(words) == 1 and words[0] in ON else words
    unknown = [word for word in options if word not in OPTIONS]
    if unknown:
        valid = "valid are {} (on), {} (off), or a comma list of {}".format(*map(", ".join, (ON, OFF, OPTIONS)))
        report("WORKERSEED={!r}: {!r} is not known; {}".format(value, unknown[0], valid))
        return
    sys.meta_path.insert(0, Finder(options))
    if "verbose" in options:
        if any(getattr(finder, "find_spec", None) and finder.find_spec("workerseed", None) for finder in sys.meta_path):
            write("workerseed[{}]: waiting: torch's DataLoader is not imported yet".format(os.getpid()))
        else:
            report("No module named 'workerseed'")


def report(problem):
    """Say in one line why workerseed is not installed."""
    write("workerseed: not installed in {}: {}".format(sys.executable, problem))


def write(line):
    """Write to stderr, which may be closed."""
    try:
        sys.stderr.write(line + "\n")
    except Exception:
        pass


def run_shadowed_sitecustomize():
    """Import the next sitecustomize on the path; what that raises, Python reports as it would without this one."""
    ours = os.path.dirname(__file__)
    others = [entry for entry in sys.path if entry != ours and may_have_sitecustomize(entry)]
    if not others or ours not in sys.path:
        return
    masked = os.path.join(ours, "masked")  # an entry that leads nowhere: meanwhile the others may be changed
    sys.path[:] = [masked if entry == ours else entry for entry in sys.path]
    this = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if sys.version_info >= (3,) and error.name != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = this
    finally:
        sys.path[:] = [ours if entry == masked else entry for entry in sys.path]


def may_have_sitecustomize(entry):
    """Look before importing: an import that finds nothing reads whole folders and takes many times as long."""
    module = entry + "/sitecustomize"
    for path in (module + ".py", module + ".pyc", module):
        if os.access(path, os.F_OK):
            return True
    return os.path.isfile(entry)  # a zip file, perhaps


activate(os.environ.get("WORKERSEED", "").strip())
run_shadowed_sitecustomize()
