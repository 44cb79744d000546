"""The results of a sweep for programs: JSON, a CSV of one row a point, and JUnit."""

import csv
import io
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from gridrig.campaign import records
from gridrig.campaign.formats import json_bytes, plain
from gridrig.campaign.outcomes import Outcome
from gridrig.report.wording import printable
from gridrig.sweep.place import Place
from gridrig.sweep.results import PointResult, Results

JSON, CSV, JUNIT = "results.json", "results.csv", "junit.xml"


def write_results(place: Place, results: Results) -> None:
    """Write the three files, over those of an earlier time."""
    (place.path / JSON).write_bytes(json_bytes(to_json(results)))
    (place.path / CSV).write_bytes(csv_of(results))
    (place.path / JUNIT).write_bytes(junit_of(place.path, results))


def to_json(results: Results) -> dict[str, Any]:
    """Return the content of `results.json`."""
    return {
        "title": results.title,
        "emulated": results.emulated,
        "outcome": str(results.outcome),
        "exit_code": results.outcome.exit_code,
        "points": [_point(point) for point in results.points],
        "left": results.left,
        "criteria": [
            {
                "name": spread.name,
                "counts": {str(o): spread.count(o) for o in Outcome if spread.count(o)},
                "least": spread.values[0] if spread.values else None,
                "median": _median(spread.values),
                "most": spread.values[-1] if spread.values else None,
                "narrowest_point": spread.narrowest[0] if spread.narrowest else None,
                "narrowest_margin": spread.narrowest[1].margin if spread.narrowest else None,
            }
            for spread in results.spreads()
        ],
    }


def _point(point: PointResult) -> dict[str, Any]:
    return {
        "number": point.point.number,
        "seed": point.point.seed,
        "values": dict(point.point.values),
        "outcome": str(point.outcome) if point.outcome else None,
        "cause": point.cause,
        "run": point.run.as_posix() if point.run else None,
        "attempts": [str(outcome) for outcome in point.attempts],
        "cut_short": point.cut_short,
        "notes": [vars(note) for note in point.notes],
        "criteria": [verdict.to_json() for verdict in point.verdicts],
    }


def _median(values: list[float]) -> float | None:
    if not values:
        return None
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def csv_of(results: Results) -> bytes:
    """Return one row a point: its values, its outcome, and the value of each criterion."""
    names = [spread.name for spread in results.spreads()]
    keys = [parameter.key for parameter in results.plan.parameters]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["point", *keys, "seed", "outcome", *names])
    for point in results.points:
        measured = {verdict.criterion.name: verdict.value for verdict in point.verdicts}
        writer.writerow(
            [
                point.point.number,
                *(plain(point.point.values[key]) for key in keys),
                point.point.seed,
                point.outcome or "",
                *("" if measured.get(name) is None else measured[name] for name in names),
            ]
        )
    return text.getvalue().encode()


def junit_of(folder: Path, results: Results) -> bytes:
    """Return one suite a point: the run's own, or one that says why there is none."""
    root = ET.Element("testsuites")
    for point in results.points:
        name = f"point {point.point.number}: {point.point.text}"
        own = folder / point.run / records.JUNIT if point.run else None
        if own is not None and own.is_file():
            suite = ET.fromstring(own.read_bytes()).find("testsuite")
            assert suite is not None, "a run's JUnit file has a suite"
        else:
            suite = ET.Element("testsuite", {"tests": "0", "failures": "0", "errors": "0"})
        suite.set("name", printable(name))
        if suite.get("errors") == suite.get("failures") == "0" and point.outcome != Outcome.PASS:
            _add_error(suite, name, point)
        root.append(suite)
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _add_error(suite: ET.Element, name: str, point: PointResult) -> None:
    """Say that a point has no result; `skipped` would be shown as green."""
    text = point.cause or ("not run" if point.outcome is None else str(point.outcome))
    facts = {"classname": printable(name), "name": "the point is run", "time": "0"}
    case = ET.SubElement(suite, "testcase", facts)
    kind = str(point.outcome or Outcome.ABORTED)
    ET.SubElement(case, "error", {"type": kind, "message": printable(text)})
    for key in ("tests", "errors"):
        suite.set(key, str(int(suite.get(key, "0")) + 1))
