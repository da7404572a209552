"""The settings of Sphinx, for ``tox run -e docs``."""

import pathlib

import tomllib

import workerseed

PROJECT = tomllib.loads(pathlib.Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"]

project = "workerseed"
version = release = workerseed.__version__
extensions = ["myst_parser", "sphinx_copybutton", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
copybutton_prompt_text = r">>> |\$ "  # copies what you type, without what it prints
copybutton_prompt_is_regexp = True
myst_heading_anchors = 3  # the anchors that a code host gives to headings
html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"workerseed {version}"
html_favicon = "_static/favicon.svg"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]
if "Source" in PROJECT["urls"]:  # see "Release" in CONTRIBUTING.md
    html_theme_options = {
        "source_repository": PROJECT["urls"]["Source"],
        "source_branch": "main",
        "source_directory": "docs/",
    }
