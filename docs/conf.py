"""The settings of Sphinx, for ``tox run -e docs``."""

project = "workerseed"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3  # the anchors that a code host gives to headings
html_theme = "furo"
html_show_copyright = False
html_title = "workerseed"
html_static_path = ["_static"]
html_css_files = ["narrow.css"]
