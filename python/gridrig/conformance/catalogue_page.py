"""The catalogue as a page, `gridrig catalogue` and `docs/catalogue.md`, and as JSON."""

from collections.abc import Iterator
from typing import Any

from gridrig.campaign.faults_page import catalogue as known_faults
from gridrig.campaign.measurements import Criterion
from gridrig.conformance.case import CATALOGUE_VERSION, CRASHES, FAILED, HANGS, UNNAMED, Case
from gridrig.conformance.cases_faults import (
    LIMITS,
    NEAR,
    OWN,
    kind_of,
    left_out,
    of_fault,
)
from gridrig.conformance.catalogue import STATED
from gridrig.conformance.remote import CALL_S
from gridrig.devices.emulators.fault_spec import FaultSpec
from gridrig.plugins import installed
from gridrig.rig.registry import EMULATORS, Registry

PREFACE = f"""\
# Catalogue of driver tests, version {CATALOGUE_VERSION}

What `gridrig certify` tries a driver on; how, and what a certificate is worth, is in
[certification](certification.md). This page is printed by `gridrig catalogue` from the cases
themselves, and a test compares the two. A case's version rises whenever its stimulus or its limits
change.

Every case besides its own limits: no crash (`{CRASHES}` <= 0), no call that takes longer than
{CALL_S:g} s (`{HANGS}` <= 0; signing 20 s), no exception that is no `DriverError`
(`{UNNAMED}` <= 0) and, unless the case says that calls may fail, none that fails (`{FAILED}` <= 0).
"""
FAULTS = """\

## Faults

A case `fault.NAME` for each [fault](faults.md) that the device's face can show and a driver can
know of. Every answer is compared with the world as it is at that moment.
"""


def catalogue_page() -> str:
    """Return the page, which tells of the faults of gridrig's own emulators only."""
    return "\n".join(_lines()) + "\n"


def catalogue_json() -> dict[str, Any]:
    """Return the catalogue as `gridrig catalogue --json` prints it; the cases of the page.

    A case's `limits` are its own and those of every case.
    """
    specs = _faults()
    cases = [*STATED, *(of_fault(spec) for spec in specs if kind_of(spec) is not None)]
    return {
        "version": CATALOGUE_VERSION,
        "cases": [
            {
                "id": case.id,
                "version": case.version,
                "of": list(case.of),
                "title": case.title,
                "why": case.why,
                "stimulus": case.stimulus,
                "limits": [
                    {"name": c.name, "unit": c.unit, "min": c.min, "max": c.max}
                    for c in case.criteria
                ],
                "may_fail": case.may_fail,
                "not_covered": case.not_covered,
            }
            for case in cases
        ],
        "without_case": {name: meaning for name, meaning in left_out(specs)},
    }


def _lines() -> Iterator[str]:
    yield from PREFACE.splitlines()
    for case in STATED:
        yield from _case(case)
    yield from FAULTS.splitlines()
    specs = _faults()
    for kind, (promise, stimulus) in LIMITS.items():
        met = [spec for spec in specs if kind_of(spec) == kind]
        limits = ", ".join(map(_limit, of_fault(met[0]).limits))
        yield from ("", f"**{promise[0].upper()}{promise[1:]}.**", "")
        yield f"Stimulus: {stimulus}. Limits: {limits}."
        yield from ("", "| case | the device | parameters |", "|---|---|---|")
        for spec in met:
            yield f"| `fault.{spec.name}` | {spec.meaning} | {_parameters(spec)} |"
    yield from ("", "## Faults without a case", "")
    yield "What deceives is well formed and wrong: no driver can know it by the wire."
    yield from ("", "| fault | the device |", "|---|---|")
    for spec in specs:
        if kind_of(spec) is None:
            yield f"| `{spec.name}` | {spec.meaning} |"


def _case(case: Case) -> Iterator[str]:
    yield from ("", f"## `{case.id}`, version {case.version}", "", f"{case.title}.", "")
    yield f"- **of**: {', '.join(case.of)}"
    yield f"- **why**: {case.why}"
    yield f"- **stimulus**: {case.stimulus}"
    yield f"- **limits**: {', '.join(map(_limit, case.limits))}"
    if case.may_fail:
        yield "- **calls**: may fail by name"
    yield f"- **not covered**: {case.not_covered}"


def _limit(limit: Criterion) -> str:
    unit = "" if limit.unit == "1" else f" {limit.unit}"
    bound = f"<= {limit.max:g}" if limit.max is not None else f">= {limit.min:g}"
    return f"`{limit.name}` {bound}{unit}"


def _parameters(spec: FaultSpec) -> str:
    own = {**NEAR, **OWN.get(spec.name, {})}
    said = [f"{p.name} = {own[p.name]}" for p in spec.parameters if p.name in own]
    of_time = {"delay_s": "1.3 of the driver's time-out", "jitter_s": "1.5 of it"}
    said += [f"{p.name} = {of_time[p.name]}" for p in spec.parameters if p.name in of_time]
    return ", ".join(said)


def _faults() -> list[FaultSpec]:
    points = installed(EMULATORS)
    own = Registry(p for p in points if p.dist is not None and p.dist.name == "gridrig")
    concerned = {"sunspec", "sunspec-storage", "signed-meter", "bsm-meter", "sunspec-meter"}
    concerned |= {"jbd", "daly", "pylontech", "lambda-heat-pump"}
    found = {
        spec.name: spec
        for faults in known_faults(own).values()
        for spec, emulators in faults.values()
        if concerned & set(emulators)
    }
    return [found[name] for name in sorted(found)]
