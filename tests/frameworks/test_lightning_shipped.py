"""The tests of data loaders that the wheel of pytorch-lightning 1.3.8 ships: their outcomes with workerseed."""

import os
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from support import run_python

pytorch_lightning = pytest.importorskip("pytorch_lightning")
if pytorch_lightning.__version__ != "1.3.8":
    pytest.skip("these are tests of Lightning 1.3.8", allow_module_level=True)

SHOWN = {"system-out", "system-err", "properties"}  # what a report has of a test beside its outcome

# The wheel has no tests/__init__.py, in which these names are.
MISSING = """
import os
import tests

tests._TEMP_PATH = tests.PATH_DATASETS = os.path.dirname(os.path.abspath(__file__))
tests.RANDOM_PORTS = list(range(12000, 19000))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """By the name of the test, on stock torch and with workerseed."""
    folder = tmp_path_factory.mktemp("shipped")
    (folder / "missing_names.py").write_text(MISSING)
    (folder / "pytest.ini").write_text("[pytest]\n")
    write_digits(str(folder))

    def run(name, *options):
        report = str(folder / name)
        command = ["-m", "pytest", "-c", str(folder / "pytest.ini"), "-p", "no:cacheprovider", "-p", "missing_names"]
        command += ["--basetemp", report + "-temporary", "--junitxml", report, *options]
        command += ["--pyargs", "tests.trainer.test_dataloaders", "tests.trainer.test_data_loading"]
        variables = {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        done = run_python(*command, cwd=str(folder), **variables)  # some write their logs where they are
        assert os.path.exists(report), done.stdout + done.stderr
        tests = ElementTree.parse(report).iter("testcase")
        return {test.get("name"): sorted({result.tag for result in test} - SHOWN) for test in tests}

    with ThreadPoolExecutor() as pool:
        stock, ours = pool.submit(run, "stock"), pool.submit(run, "ours", "-p", "workerseed")
        return stock.result(), ours.result()


def write_digits(folder):
    """In place of the MNIST that they download: three kinds of images that a model learns to tell apart."""
    for number in (30, 40, 50, 100):
        digits = os.path.join(folder, "MNIST", f"digits-0-1-2_nb-{number}")
        os.makedirs(digits)
        labels = torch.arange(3 * number) % 3
        images = torch.zeros(3 * number, 28, 28, dtype=torch.uint8)
        for image, label in zip(images, labels):
            image[9 * label : 9 * label + 9] = 255
        for name in ("training.pt", "test.pt"):
            torch.save((images, labels), os.path.join(digits, name))


def test_they_run_on_stock_torch(outcomes):
    kinds = list(map(str, outcomes[0].values()))
    assert kinds.count("[]") >= 100  # passed
    assert set(kinds) <= {"[]", "['skipped']"}


def test_their_outcomes_are_those_on_stock_torch_save_one_that_asserts_the_bug(outcomes):
    stock, ours = outcomes
    assert stock.keys() == ours.keys()
    assert [name for name in stock if ours[name] != stock[name]] == ["test_missing_worker_init_fn"]
    assert ours["test_missing_worker_init_fn"] == ["failure"]
