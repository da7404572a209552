"""Runs public code that has the bug, as its authors wrote it, with and without workerseed: ``tox run -e projects``.

    python docs/projects/projects.py FOLDER [PROJECT ...]

FOLDER holds a checkout of each project. The script fetches a missing one. Without a network it names the commit to put
there and runs the other projects. loaders.py makes the data and loads it with the project's code, twice, in fresh
processes: with ``python`` and with ``workerseed run python``. uv finds the Pythons and installs the packages. The table
goes to stdout.
"""

import collections
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LOADERS = os.path.join(HERE, "loaders.py")

# `loaders` is the function in loaders.py. The torch is the one that the project pins, or the nearest of our tests.
Project = collections.namedtuple("Project", "repository commit loaders python packages")

TORCH_1_8 = ["torch==1.8.1", "torchvision==0.9.1", "numpy<1.24", "pillow<10"]
PROJECTS = [
    Project(
        "pytorch/tutorials",
        "af754cbdaf5f6b0d66a7c5cd07ab97b349f3dd9b",
        "tutorial",
        "3.8",
        [*TORCH_1_8, "pandas<2", "scikit-image<0.20", "matplotlib<3.8"],
    ),
    Project(
        "openai/ebm_code_release",
        "18898a24ee24dcd75c41ac3e228b9db79e53237c",
        "ebm",
        "3.6",
        ["torch==1.0.0", "torchvision==0.2.1", "numpy<1.17", "pillow<7", "scipy==1.1.0", "scikit-image<0.16"],
    ),
    Project(
        "NVlabs/Deep_Object_Pose",
        "11bbc3b8545e099b35901a13f549ddddacd7dd1f",
        "dope",
        "3.8",
        ["torch==1.6.0", "torchvision==0.7.0", "numpy<1.24", "pillow<10", "opencv-python-headless==4.4.0.44"],
    ),
    Project(
        "ultralytics/yolov5",
        "f5b8f7d54c9fa69210da0177fec7ac2d9e4a627c",
        "yolov5",
        "3.8",
        [*TORCH_1_8, "opencv-python-headless<4.6", "pandas<2", "matplotlib<3.8", "pyyaml", "requests", "scipy", "tqdm"],
    ),
    Project(
        "rwightman/pytorch-image-models",
        "7096b52a613eefb4f6d8107366611c8983478b19",
        "timm",
        "3.8",
        TORCH_1_8,
    ),
    Project(
        "sanghyun-son/EDSR-PyTorch",
        "518c0fa3e39031999984a3dff6bdaf40eeeef89f",
        "edsr",
        "3.6",
        ["torch==1.0.0", "numpy<1.17"],
    ),
    Project(
        "sanghyun-son/EDSR-PyTorch",
        "565d6feaf58616558fb01a0c65342c01a3b3a26f",
        "edsr",
        "3.6",
        ["torch==1.1.0", "numpy<1.17"],
    ),
    Project(
        "nkolot/SPIN",
        "5c796852ca7ca7373e104e8489aa5864323fbf84",
        "spin",
        "3.6",
        [
            *["torch==1.1.0", "torchvision==0.3.0", "numpy<1.17", "pillow<7", "scipy==1.0.0"],
            *["opencv-python-headless<4.2", "tensorboard==1.14.0", "future", "tqdm"],
        ],
    ),
]


def provide(project, checkout):
    """Fetch the project if it is missing; return the reason if it cannot run, else None."""
    url = "https://github.com/" + project.repository
    git = ["git", "-C", checkout]
    quiet = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "env": dict(os.environ, GIT_TERMINAL_PROMPT="0"),
    }
    if not os.path.exists(checkout):
        os.makedirs(checkout)
        for command in [["init"], ["fetch", "--depth", "1", url, project.commit], ["checkout", project.commit]]:
            if subprocess.call(git + command, **quiet) != 0:
                shutil.rmtree(checkout)
                return f"cannot be fetched; check out commit {project.commit} of {url} in {checkout}"
    if subprocess.call([*git, "diff", "--quiet", project.commit, "--", "*.py"], **quiet) != 0:
        return f"is not run: {checkout} is not commit {project.commit}, or its code was changed"
    return None


def build_wheel(folder):
    """Build workerseed's wheel in that folder and return its path."""
    subprocess.check_call(["uv", "build", "--quiet", "--wheel", "--out-dir", folder, os.path.join(HERE, "..", "..")])
    return glob.glob(os.path.join(folder, "*.whl"))[0]


def run(project, checkout, wheel, folder, prefix=()):
    """Load with the project's code in a fresh process; return the result of loaders.py, or None if it failed."""
    requirements = [word for package in [*project.packages, wheel] for word in ("--with", package)]
    uv = ["uv", "run", "--quiet", "--no-project", "--python", project.python]
    process = subprocess.run(
        [*uv, *requirements, "--", *prefix, "python", LOADERS, project.loaders, checkout, folder],
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    if process.returncode != 0:
        print("\n".join(process.stdout.splitlines()[-5:]), file=sys.stderr)
        return None
    with open(os.path.join(folder, "result.json")) as file:
        return json.load(file)


def repeats(items):
    """Count items (epoch, worker, drawn) that repeat another worker's of the epoch, and one of an earlier epoch."""
    workers = epochs = 0
    for number, (epoch, worker, drawn) in enumerate(items):
        same = [(other_epoch, other) for other_epoch, other, earlier in items[:number] if earlier == drawn]
        workers += any(other_epoch == epoch and other != worker for other_epoch, other in same)
        epochs += any(other_epoch < epoch for other_epoch, _ in same)
    return workers, epochs


def rows(project, without, with_workerseed):
    """Return the project's rows of the table."""
    address = f"https://github.com/{project.repository}/tree/{project.commit}"
    for loaded, items in without["rows"].items():
        counts = [repeats(items), repeats(with_workerseed["rows"][loaded])]
        (workers, epochs), seeded = [[f"{count} of {len(items)}" if count else "none" for count in of] for of in counts]
        seeded = "none" if seeded == ["none", "none"] else ", ".join(seeded)
        name = f"{project.repository} [{project.commit[:8]}]({address})"
        yield [name, without["torch"], loaded, workers, epochs, seeded]


def main(folder, *chosen):
    """Run the projects, or those whose function in loaders.py is chosen; print the table."""
    ready = []
    for project in PROJECTS:
        checkout = os.path.abspath(os.path.join(folder, f"{project.loaders}-{project.commit[:8]}"))
        if chosen and project.loaders not in chosen:
            continue
        obstacle = provide(project, checkout)
        if obstacle:
            print(f"{project.repository} {obstacle}", file=sys.stderr)
        else:
            ready.append((project, checkout))
    if not ready:
        return
    table, failed = [], []
    with tempfile.TemporaryDirectory() as temporary:
        wheel = build_wheel(temporary)
        for project, checkout in ready:
            print(f"{project.repository} at {project.commit[:8]}", file=sys.stderr)
            before, after = (tempfile.mkdtemp(dir=temporary) for _ in range(2))
            without = run(project, checkout, wheel, before)
            with_workerseed = run(project, checkout, wheel, after, ["workerseed", "run"])
            if without is None or with_workerseed is None:
                failed.append(project.repository)
                continue
            table += rows(project, without, with_workerseed)
    heading = ["project", "torch", "loaded", "between workers", "between epochs", "with workerseed"]
    for row in [heading, ["---"] * len(heading), *table]:
        print("| {} |".format(" | ".join(row)))
    if failed:
        sys.exit("did not run: " + ", ".join(failed))
    if any(row[-1] != "none" for row in table):
        sys.exit("workerseed has failed: some items still repeat")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(__doc__)
    main(*sys.argv[1:])
