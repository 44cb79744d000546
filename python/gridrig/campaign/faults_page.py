"""The catalogue of faults, of every emulator that is installed: for the terminal and as a page."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from gridrig.campaign.formats import plain
from gridrig.devices.emulators.fault_spec import (
    OCCASION,
    Family,
    FaultParameter,
    FaultSpec,
    specs_of,
)
from gridrig.plugins import installed
from gridrig.rig.registry import EMULATORS, Registry

PREFACE = """\
# Faults

What an emulated device can be told to do wrong: on its wire, in its protocol, in its state. This
page is printed by `gridrig faults --markdown` from the specifications that scenario files are
checked against, and a test compares the two.

A scenario arms a fault at a time, on a device:

```toml
[[fault]]
device = "pv-3"
at_s = 900
name = "late_reply"
delay_s = 1.5
```

A test arms it by `emulator.arm("late_reply", delay_s=1.5)`. It fires on the next request that fits
its occasion; then it is spent. All delays count on the rig's clock, all chance comes from the
device's seed. What fires is in the evidence: events `fault_armed`, `fault_fired`, and
`fault_expired` for one whose time ran out.

A fault that *deceives* is well formed and wrong: no driver can know it by the wire. All others a
driver survives in one of two ways, the right value or a named error; the third way, a value marked
stale, no driver of gridrig's takes, because a reading that cannot be had is an error. Tests show it
for every driver, with a few seeds in CI, with all by `pytest -m soak tests/devices`. Last pass,
2026-11-26, none wrong:

| drivers | wires | seeded runs of one fault | of several at once |
|---|---|---|---|
| sunspec (two generations), sunspec-storage, meters | Modbus TCP, RTU | 7,560 | 2,400 of two |
| the same, with client certificates | Modbus TLS | 3,960 | 1,200 of two |
| the line under them | Modbus TCP, RTU | 2,440 | 791 of three |
| jbd, daly, pylontech | serial | 3,950 | |
| daly-modbus | Modbus RTU | 1,750 | |
| the six scpi drivers | socket, serial | 1,080 | 1,100 of up to four |
| ocpp 1.6, 2.0.1, 2.1 | websocket | 1,320 | 300 of two |

A run is 5 to 14 calls, before each of which the world changes. Left out, because only TCP's own
checksum could tell: a reply cut short over Modbus TCP together with bytes in place of what is
missing; over TLS the record's own would, but the fault acts above it.

## Occasions

Every fault takes these keys besides its own. `count` is 1 unless it is given, or unless `for_s`
bounds the fault.

| key | value | meaning |
|---|---|---|
"""
FAMILIES: Mapping[str, str] = {
    "timing": "When a reply comes.",
    "framing": "What becomes of its bytes.",
    "identity": "Whose reply it says it is.",
    "semantics": "What it says.",
    "connection": "What becomes of the wire.",
    "state": "What becomes of the device.",
}
UNSAID = "(its author says no more)"


Offered = dict[str, tuple[FaultSpec, list[str]]]


def catalogue(registry: Registry | None = None) -> dict[str, Offered]:
    """Return every fault by family and name, with the emulators that have it.

    Faults of one name and different specifications are kept apart by the emulator's name.
    """
    registry = registry or Registry.installed()
    found: dict[str, Offered] = {family: {} for family in get_args(Family)}
    for emulator in sorted(registry.names(EMULATORS)):
        faults = getattr(registry.load(EMULATORS, emulator), "FAULTS", {})
        for name, spec in specs_of(faults).items():
            held = found[spec.family].setdefault(name, (spec, []))
            if held[0] == spec:
                held[1].append(emulator)
            else:
                found[spec.family][f"{name} ({emulator})"] = (spec, [emulator])
    return found


def _said(one: FaultParameter) -> str:
    default = "" if one.default is None else f", default {one.default}"
    meaning = f": {one.meaning}" if one.meaning else ""
    return f"`{one.name}`{meaning}, {one.expected}{default}"


def _own() -> Registry:
    """Return the registry of what gridrig itself offers: the page is the same everywhere."""
    points = installed(EMULATORS)
    return Registry(p for p in points if p.dist is not None and p.dist.name == "gridrig")


def page() -> Iterator[str]:
    """Yield the lines of the page, which tells of gridrig's own emulators only."""
    yield from PREFACE.splitlines()
    for one in OCCASION.values():
        yield f"| `{one.name}` | {one.expected} | {one.meaning} |"
    for family, faults in catalogue(_own()).items():
        if not faults:
            continue
        yield from ("", f"## {family.capitalize()}", "", FAMILIES[family], "")
        yield "| fault | what happens | parameters | of | example |"
        yield "|---|---|---|---|---|"
        for name, (spec, emulators) in sorted(faults.items()):
            takes = "; ".join(map(_said, spec.parameters))
            deceives = " *Deceives.*" if spec.deceives else ""
            example = f"`{spec.example}`" if spec.example else ""
            what = (spec.meaning or UNSAID) + deceives
            yield f"| `{name}` | {what} | {takes} | {', '.join(emulators)} | {example} |"


def faults_json() -> dict[str, Any]:
    """Return every fault that can be armed on the emulators that are installed."""
    faults = [
        {
            "name": spec.name,
            "family": family,
            "meaning": spec.meaning,
            "deceives": spec.deceives,
            "emulators": emulators,
            "parameters": [_taken(one) for one in spec.parameters],
            "example": spec.example,
        }
        for family, offered in catalogue().items()
        for _, (spec, emulators) in sorted(offered.items())
    ]
    return {"faults": faults, "occasion": [_taken(one) for one in OCCASION.values()]}


def _taken(one: FaultParameter) -> dict[str, Any]:
    told = {"name": one.name, "expected": one.expected, "meaning": one.meaning}
    return {**told, "default": plain(one.default)}


def faults_command(*, markdown: bool, as_json: bool = False) -> int:
    """Print the catalogue."""
    if as_json:
        print(json.dumps(faults_json(), indent=1))
        return 0
    if markdown:
        print("\n".join(page()))
        return 0
    for family, faults in catalogue().items():
        if not faults:
            continue
        print(f"{family}: {FAMILIES[family].lower()}")
        for name, (spec, emulators) in sorted(faults.items()):
            print(f"  {name}: {spec.meaning or UNSAID}{' (deceives)' if spec.deceives else ''}")
            for one in spec.parameters:
                print(f"      {_said(one).replace('`', '')}")
            if spec.example:
                print(f"      [[fault]] {spec.example}")
            print(f"      of {', '.join(emulators)}")
    print(f"occasion, of every fault: {', '.join(OCCASION)}")
    return 0
