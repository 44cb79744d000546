"""The frame of every page: one file that carries its style and lets the browser load nothing.

A page with plots along time also carries the one script that zooms them; the browser is told its
hash and runs nothing else.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from gridrig.report.wording import escaped

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_ZOOMS = " data-panes="


def head_of(title: str, version: str, script: str = "") -> str:
    """Return the head element; `version` is that of the gridrig that made the page's data."""
    style = _file("report.css")
    policy = _POLICY
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
        policy += f"; script-src 'sha256-{digest}'"
    return f"""<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="generator" content="gridrig {escaped(version)}">
<title>{escaped(title)}</title>
<style>{style}</style>
</head>"""


def framed(
    *, title: str, version: str, head: str, parts: Sequence[tuple[str, str, str]], footer: str
) -> bytes:
    """Return a page.

    Parameters
    ----------
    title : str
        Of the browser's tab, not yet escaped.
    version : str
        Of gridrig.
    head : str
        Markup above the sections.
    parts : sequence of (str, str, str)
        Name, title and markup of each section; one without markup is left out.
    footer : str
        Markup below them.
    """
    shown = [(name, heading, body) for name, heading, body in parts if body]
    links = "".join(f'<li><a href="#{name}">{heading}</a></li>' for name, heading, _ in shown)
    body = "".join(
        f'<section id="{name}" aria-labelledby="h-{name}"><h2 id="h-{name}">{heading}</h2>\n'
        f"{content}</section>\n"
        for name, heading, content in shown
    )
    script = _file("zoom.js") if _ZOOMS in body else ""
    page = f"""<!DOCTYPE html>
<html lang="en">
{head_of(title, version, script)}
<body>
<a class="skip" href="#{shown[0][0]}">Skip to: {shown[0][1]}</a>
{head}
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main>
{body}</main>
<footer>{footer}</footer>
{f"<script>{script}</script>" if script else ""}
</body>
</html>
"""
    return page.encode()


def _file(name: str) -> str:
    return files("gridrig.report").joinpath(name).read_text(encoding="utf-8")
