"""How the documentation becomes a site: `make docs`, then dist/site/index.html."""

project = "gridrig"
author = "the gridrig developers"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3
html_theme = "furo"
html_title = "gridrig"
html_show_copyright = False
html_show_sourcelink = False
# The same sources, the same bytes: no build date on the pages.
html_last_updated_fmt = None
