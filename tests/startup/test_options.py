"""What the values of WORKERSEED do, and the options of install()."""

import sys
from unittest import mock

import pytest
from support import NATIVE, STATE, USE, needs_numpy, needs_torch, only_legacy

import workerseed
from workerseed import _config

EXPECTED = (
    "expected 1, on, true, yes (on), 0, off, false, no (off), or a comma-separated list of ranks, generators, verbose"
)
VALUES = {
    **dict.fromkeys(["", " ", "1", "on", "true", "yes", " On ", "TRUE"], ()),
    **dict.fromkeys(["0", "off", "false", "no", " Off "], None),
    **dict.fromkeys(["verbose", " Verbose ", "verbose,verbose", "verbose , VERBOSE"], ("verbose",)),
    **dict.fromkeys(["ranks,generators,verbose", "verbose, Generators, RANKS"], ("ranks", "generators", "verbose")),
}


@pytest.mark.parametrize("value", VALUES)
def test_a_value_switches_on_or_off_or_names_options(value):
    assert _config.from_variable(value) == VALUES[value]


@pytest.mark.parametrize("value", ["maybe", "2", "verbose,", ",", "1,verbose", "0,verbose", "verbose ranks"])
def test_other_values_are_errors_that_name_the_valid_ones(value):
    with pytest.raises(ValueError, match="unknown value") as error:
        _config.from_variable(value)
    assert str(error.value).startswith(f"WORKERSEED={value!r}: ")
    assert str(error.value).endswith(EXPECTED)


@needs_numpy
@only_legacy
def test_the_variable_switches_the_import_and_install_off(shows):
    code = "import workerseed\nworkerseed.install()" + USE.replace("torch.manual_seed(0)", "np.random.seed(0)")
    code += "print(first_draw() == first_draw(), *workerseed.status()[:2])"
    assert shows(code, WORKERSEED=" OFF ") == "True off switched off by WORKERSEED= OFF \n"


@pytest.mark.parametrize("broken", ["", "import sys; sys.stderr = None\n"])
def test_an_invalid_value_is_one_line_on_stderr_and_off(python, broken):
    code = broken + "import workerseed\nworkerseed.install()\nprint(*workerseed.status()[:2])"
    done = python(code, WORKERSEED="maybe")
    reason = f"WORKERSEED='maybe': unknown value 'maybe'; {EXPECTED}"
    assert (done.returncode, done.stdout) == (0, f"off {reason}\n")
    assert [line.split("]: ")[1] for line in done.stderr.splitlines()] == ([] if broken else [f"off: {reason}"])


@needs_torch
def test_a_stderr_that_raises_stops_nothing(shim, monkeypatch):
    monkeypatch.setattr(sys, "stderr", mock.Mock(write=mock.Mock(side_effect=RuntimeError)))
    workerseed.uninstall()
    workerseed.install(["verbose"])
    assert sys.stderr.write.called
    assert workerseed.status().state == STATE


@pytest.mark.parametrize("change", ["clear()", "update(WORKERSEED='0')", "update(WORKERSEED='maybe')"])
def test_an_environment_that_changes_later_switches_nothing_off_and_loses_no_option(prints, change):
    code = f"import os, workerseed\nos.environ.{change}\nworkerseed.install()\nprint(*workerseed.status()[::3])"
    assert prints(code, WORKERSEED="ranks,verbose") == "waiting ('ranks', 'verbose')\n"


@pytest.mark.parametrize(
    "options, kind, message",
    [
        (["nonsense"], ValueError, "unknown option 'nonsense'; expected ranks, generators, verbose"),
        ("verbose", TypeError, r"options must be a list of names, such as \['verbose'\], got 'verbose'"),
    ],
)
def test_what_is_no_collection_of_options_is_an_error(options, kind, message):
    with pytest.raises(kind, match=message):
        workerseed.install(options=options)


@pytest.mark.parametrize(
    "variable, both, at_first", [("1", ("verbose",), ()), ("ranks", ("ranks", "verbose"), ("ranks",))]
)
def test_options_of_variable_and_calls_add_up(shim, monkeypatch, variable, both, at_first):
    monkeypatch.setenv("WORKERSEED", variable)
    workerseed.install(["verbose"])
    workerseed.install()
    assert workerseed.status().options == both
    workerseed.uninstall()
    workerseed.install()
    assert workerseed.status().options == at_first


@needs_torch
@pytest.mark.parametrize("options", [[], ["ranks"], ["generators"], ["ranks", "generators"]])
def test_only_verbose_logs_and_names_each_state_and_the_options_that_are_on(capsys, options):
    workerseed.install(options)
    workerseed.uninstall()
    assert "workerseed" not in capsys.readouterr().err
    workerseed.install([*options, "verbose"])
    state, reason, *_ = workerseed.status()
    workerseed.uninstall()
    assert state == ("active" if options else STATE)
    assert reason.split("; ")[1:] == ["options: " + ", ".join(options)] * bool(options)
    logged = [line.split("]: ")[1] for line in capsys.readouterr().err.splitlines()]
    assert logged == [f"{state}: {reason}", "off: uninstalled"]


@needs_torch
def test_verbose_in_the_variable_logs_each_state_and_without_it_nothing_is_logged(forked):
    code = "import workerseed\nimport torch.utils.data\nworkerseed.uninstall()"
    lines = forked(code, WORKERSEED="verbose").stderr.splitlines()
    assert [line.split("]: ")[1] for line in lines if line.startswith("workerseed[")] == [  # torch may warn, too
        "native: this torch seeds NumPy in its workers itself"
        if NATIVE
        else "active: NumPy and random are seeded in every worker that starts from now on",
        "off: uninstalled",
    ]
    assert "workerseed" not in forked(code, WORKERSEED="1").stderr
