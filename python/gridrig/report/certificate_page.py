"""A driver's certificate as one self-contained page: from its signed file and nothing else."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from gridrig.campaign.measurements import Outcome
from gridrig.report.elements import SYMBOLS, Markup, table
from gridrig.report.wording import escaped

PAGE = "certificate.html"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def write_certificate_page(certificate: Path) -> Path:
    """Write the page beside the certificate and return its path."""
    content = json.loads(certificate.read_text(encoding="utf-8"))
    page = certificate.with_name(PAGE)
    page.write_bytes(certificate_page(content["body"], content["public_key"]))
    return page


def certificate_page(body: dict[str, Any], public_key: str) -> bytes:
    """Return the page of what a certificate says."""
    title = f"{body['driver']['name']}: {body['result']}"
    emulated = '<div class="emulated-mark">EMULATED</div>' if body["device"]["emulated"] else ""
    style = files("gridrig.report").joinpath("report.css").read_text(encoding="utf-8")
    parts = [
        ("result", "What was found", _facts(body, public_key)),
        ("cases", "Cases", _cases(body["cases"])),
        ("values", "Measured values", _values(body["cases"])),
        ("not-covered", "What is not covered", _list(body["not_covered"])),
        ("verify", "How to verify", _how_to_verify()),
    ]
    links = "".join(f'<li><a href="#{name}">{text}</a></li>' for name, text, _ in parts)
    sections = "".join(
        f'<section id="{name}" aria-labelledby="h-{name}"><h2 id="h-{name}">{text}</h2>\n'
        f"{content}</section>\n"
        for name, text, content in parts
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escaped(title)}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#result">Skip to the result</a>
<header>{emulated}<h1>{escaped(title)}</h1></header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main>
{sections}</main>
<footer>Made by gridrig from the certificate's file. The file is what is signed; this page is not.
</footer>
</body>
</html>
""".encode()


def _facts(body: dict[str, Any], public_key: str) -> Markup:
    driver, device, rig = body["driver"], body["device"], body["rig"]
    names = (device.get(key, "") for key in ("manufacturer", "model"))
    rows = [
        ("result", body["result"]),
        ("certificate", body["id"]),
        ("issued", body["issued"]),
        ("expires", body["expires"]),
        ("in place of", body["supersedes"] or "none"),
        ("driver", f"{driver['name']} of {driver['package']} {driver['version']}"),
        ("driver package, SHA-256", driver["sha256"]),
        ("device", f"{device['name']} ({device['capability']}): {' '.join(names)}"),
        ("serial number", device.get("serial", "")),
        ("firmware", device.get("firmware", "")),
        ("rig", f"{rig['name']}, gridrig {rig['gridrig']}, testbed {rig['testbed']}"),
        ("rig file, SHA-256", rig["sha256"]),
        ("catalogue", f"{body['catalogue']['version']}, {body['catalogue']['digest']}"),
        ("evidence root", body["evidence"]["root"]),
        ("signed by the key", public_key),
    ]
    return table(("what", "value"), rows)


def _cases(cases: list[dict[str, Any]]) -> Markup:
    rows, bad = [], []
    for rank, case in enumerate(cases):
        outcome = case["outcome"]
        if outcome not in (None, Outcome.PASS):
            bad.append(rank)
        told = "does not apply" if outcome is None else f"{SYMBOLS[Outcome(outcome)]} {outcome}"
        origin = case["because"] or f"carried over from {case['carried_from']}"
        said = "; ".join([*case["notes"], case["not_applicable"], case["not_run"]]).strip("; ")
        rows.append((case["id"], told, case["title"], said, case["run_at"], origin))
    heads = ("case", "outcome", "what must hold", "notes", "run at", "why it was run")
    return table(heads, rows, bad=bad)


def _values(cases: list[dict[str, Any]]) -> Markup:
    rows: list[tuple[str, ...]] = []
    bad: list[int] = []
    for case in cases:
        for found in case["measurements"]:
            if found["outcome"] != Outcome.PASS:
                bad.append(len(rows))
            high, low = found["max"], found["min"]
            limit = f"\u2264 {high}" if high is not None else f"\u2265 {low}"
            value = "not measured" if found["value"] is None else _number(found["value"])
            margin = "" if found["margin"] is None else _number(found["margin"])
            measured = (found["name"], value, limit, margin, found["unit"], found["outcome"])
            rows.append((case["id"], *measured))
    heads = ("case", "measured", "value", "limit", "margin", "unit", "outcome")
    return table(heads, rows, numeric=(2, 3, 4), bad=bad)


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _list(items: list[str]) -> Markup:
    return Markup("<ul>" + "".join(f"<li>{escaped(item)}</li>" for item in items) + "</ul>\n")


def _how_to_verify() -> Markup:
    command = "gridrig verify certificate.json --trust LAB-KEY --revoked LIST --evidence evidence"
    return Markup(
        f"<p>On any machine with gridrig, without a network: <code>{command}</code>. "
        "The lab's key and its revocation list come from the lab, not with this page.</p>\n"
    )
