"""All cases, in their order, and those that concern one driver."""

from collections.abc import Collection, Iterable

from gridrig.conformance import (
    cases_heat_pump,
    cases_inverter,
    cases_meter,
    cases_pack,
    cases_process,
    cases_reading,
    cases_refusal,
)
from gridrig.conformance.case import CATALOGUE_VERSION, Case
from gridrig.conformance.cases_faults import fault_cases, left_out
from gridrig.conformance.code_blocks import digest
from gridrig.conformance.subject import Subject
from gridrig.errors import CampaignError
from gridrig.suggestions import near_miss

STATED: tuple[Case, ...] = (
    *cases_reading.CASES,
    *cases_inverter.CASES,
    *cases_refusal.CASES,
    *cases_pack.CASES,
    *cases_meter.CASES,
    *cases_heat_pump.CASES,
    *cases_process.CASES,
)


def cases_for(subject: Subject) -> list[Case]:
    """Return the cases that concern a driver: by its capability, and by its device's faults."""
    stated = [case for case in STATED if subject.capability in case.of]
    return [*stated, *fault_cases(subject.faults)]


def chosen(cases: Iterable[Case], only: Collection[str]) -> list[Case]:
    """Return the cases of these names; all if none is named.

    Raises
    ------
    CampaignError
        `conformance.no_case`, with the near miss.
    """
    by_name = {case.id: case for case in cases}
    for name in only:
        if name not in by_name:
            raise CampaignError(
                "conformance.no_case",
                "no case {name!r} concerns this driver (near miss: {near})",
                name=name,
                near=near_miss(name, by_name),
            )
    return [case for name, case in by_name.items() if not only or name in only]


def not_covered(subject: Subject, cases: Iterable[Case]) -> list[str]:
    """Return what a certificate does not say, whoever the driver is."""
    own = [f"{case.id}: {case.not_covered}" for case in cases]
    faults = [
        f"the fault {name} ({meaning or 'of this device'}): no driver can know of it by its wire, "
        "or the catalogue has no value for it"
        for name, meaning in left_out(subject.faults.values())
    ]
    always = [
        "The device is emulated: that a real one of this type speaks as its emulator does.",
        "A package that means to deceive the referee: its emulator runs in the referee's process.",
    ]
    return [*always, *own, *faults]


def catalogue_digest(cases: Iterable[Case]) -> str:
    """Return what tells one state of the catalogue from another."""
    said = [(case.id, case.version, case.digest) for case in cases]
    return digest(repr((CATALOGUE_VERSION, said)).encode())
