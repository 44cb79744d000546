"""The head of every page gridrig writes: its style inside it, and nothing loaded from elsewhere."""

from importlib.resources import files

from gridrig.report.wording import escaped

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def head_of(title: str, version: str) -> str:
    """Return the head element; `version` is that of the gridrig that made the page's data."""
    style = files("gridrig.report").joinpath("report.css").read_text(encoding="utf-8")
    return f"""<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="generator" content="gridrig {escaped(version)}">
<title>{escaped(title)}</title>
<style>{style}</style>
</head>"""
