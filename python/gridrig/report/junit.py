"""A JUnit file of a run: one test case a criterion, and never green when the run is not.

FAIL is a failure: the thing under test did not do what it must. INCONCLUSIVE, ERROR and ABORTED are
errors: the bench could not tell. Nothing is `skipped`, which every CI shows as green. What the
whole run came to beyond its criteria (it broke off, the rig was left unsafe, nothing was judged)
is a test case of its own.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

from gridrig.campaign.manifest import is_finished
from gridrig.campaign.measurements import Outcome, Verdict
from gridrig.campaign.records import JUNIT
from gridrig.errors import CampaignError
from gridrig.report.elements import limit_text, margin_text, value_text
from gridrig.report.source import RunSource, load_run
from gridrig.report.wording import printable


def write_junit(run_dir: Path, out: Path | None = None) -> Path:
    """Write the JUnit file of a run, into its directory or to `out`.

    Raises
    ------
    CampaignError
        If the directory is no run, or is signed and no `out` is given.
    """
    if out is None and is_finished(run_dir):
        raise CampaignError(
            "report.run_finished", "{path} is signed; write it elsewhere", path=run_dir
        )
    path = out or run_dir / JUNIT
    path.write_bytes(junit_bytes(load_run(run_dir)))
    return path


def junit_bytes(source: RunSource) -> bytes:
    """Return the JUnit file; times are those of the run's clock, so it is the same every time."""
    run, verdicts = source.run, source.verdicts
    name = ("EMULATED " if run.emulated else "") + run.title
    suite = ET.Element("testsuite", {"name": printable(name)})
    properties = ET.SubElement(suite, "properties")
    facts = {
        "gridrig": run.gridrig,
        "seed": run.seed,
        "clock": run.clock,
        "rig": run.rig,
        "scenario": run.scenario,
        "outcome": verdicts.outcome,
        "exit_code": verdicts.exit_code,
        "duration_s": run.duration_s,
    }
    for device in run.devices:
        facts[f"device.{device.name}"] = device.kind
        for key, value in device.identity.items():
            facts[f"device.{device.name}.{key}"] = value
    for key, value in facts.items():
        ET.SubElement(properties, "property", {"name": printable(key), "value": printable(value)})
    for verdict in verdicts.verdicts:
        _add_case(suite, run.title, verdict)
    for case, outcome, text in _whole_run(source):
        _add_failure(_case(suite, run.title, case), outcome, text)
    cases = suite.findall("testcase")
    counts = {
        "tests": str(len(cases)),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": str(len(suite.findall("testcase/error"))),
        "skipped": "0",
        "time": "0",
    }
    suite.attrib.update(counts)
    suites = ET.Element("testsuites", counts)
    suites.append(suite)
    ET.indent(suites)
    text = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _whole_run(source: RunSource) -> list[tuple[str, Outcome, str]]:
    verdicts = source.verdicts
    found: list[tuple[str, Outcome, str]] = []
    if verdicts.left_unsafe:
        text = "not in its safe state: " + ", ".join(verdicts.left_unsafe)
        found.append(("the rig is left safe", Outcome.UNSAFE, text))
    if verdicts.ended is not Outcome.PASS:
        found.append(("the run comes to its end", verdicts.ended, verdicts.cause))
    if verdicts.invalid:
        text = "; ".join(verdicts.invalid)
        found.append(("the run is valid", Outcome.INCONCLUSIVE, text))
    if not verdicts.verdicts:
        text = verdicts.cause or "no criterion was judged"
        found.append(("something is judged", Outcome.ERROR, text))
    return found


def _add_case(suite: ET.Element, title: str, verdict: Verdict) -> None:
    criterion = verdict.criterion
    case = _case(suite, title, criterion.name)
    text = (
        f"{criterion.name} = {value_text(verdict)} {criterion.unit}, "
        f"limit {limit_text(criterion)}, margin {margin_text(verdict)}, "
        f"uncertainty {verdict.uncertainty}, source: {criterion.source}"
    )
    if verdict.outcome is not Outcome.PASS:
        _add_failure(case, verdict.outcome, f"{text}; {verdict.note}" if verdict.note else text)
    ET.SubElement(case, "system-out").text = printable(text)


def _case(suite: ET.Element, title: str, name: str) -> ET.Element:
    attributes = {"classname": printable(title), "name": printable(name), "time": "0"}
    return ET.SubElement(suite, "testcase", attributes)


def _add_failure(case: ET.Element, outcome: Outcome, text: str) -> None:
    tag = "failure" if outcome in (Outcome.FAIL, Outcome.UNSAFE) else "error"
    found = ET.SubElement(case, tag, {"type": str(outcome), "message": printable(text)})
    found.text = printable(text)
