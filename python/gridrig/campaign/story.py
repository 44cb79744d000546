"""What a run was, for its reader: devices, participants, and the balance at each opening."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Literal

from gridrig.campaign.loop import Loop
from gridrig.campaign.records import (
    DeviceRecord,
    LimitLine,
    Opening,
    ParticipantRecord,
    RunRecord,
)
from gridrig.campaign.scenario import Scenario
from gridrig.rig.description import Rig

# IEEE 1547-2018, category III: must-trip defaults and the region of continuous operation. Limits in
# Hz are written for 60 Hz and scaled by ratio.
LINES_60_HZ: tuple[tuple[float, str, Literal["trip", "ride-through"]], ...] = (
    (62.0, "OF2 trips after 0.16 s", "trip"),
    (56.5, "UF2 trips after 0.16 s", "trip"),
    (61.2, "continuous operation below", "ride-through"),
    (58.8, "continuous operation above", "ride-through"),
)
LINES_PU: tuple[tuple[float, str, Literal["trip", "ride-through"]], ...] = (
    (1.20, "OV2 trips after 0.16 s", "trip"),
    (0.50, "UV2 trips after 2 s", "trip"),
    (1.10, "continuous operation below", "ride-through"),
    (0.88, "continuous operation above", "ride-through"),
)


def opening_records(loop: Loop, rig: Rig) -> tuple[Opening, ...]:
    """Return what the street was like at each opening of its connection."""
    former = rig.island.former if rig.island else None
    rating_va = None
    if former is not None and former in loop.physics.street.devices:
        rating_va = loop.physics.street.rating_va(former)
    openings = []
    for record in loop.islands.records:
        surplus_w = -record.head_before_w
        kind = "surplus" if surplus_w > 0 else "deficit"
        text = f"{kind} of {abs(surplus_w) / 1000:.1f} kW"
        if rating_va is not None:
            text += f" against the former's {rating_va / 1000:.0f} kVA"
        if record.throttled:
            text += f"; {len(record.throttled)} inverters throttled"
        if record.shed:
            text += f"; shed {', '.join(name for _, name in record.shed)}"
        if record.reclosed_s is not None:
            text += f"; reclosed after {record.reclosed_s - record.opened_s:.0f} s"
        openings.append(Opening(record.opened_s, surplus_w, rating_va, text))
    return tuple(openings)


def device_records(
    rig: Rig, identities: Mapping[str, Mapping[str, str]]
) -> tuple[DeviceRecord, ...]:
    """Return who every device of a rig is: what it said, and who vouches for it."""
    return tuple(
        DeviceRecord(
            d.name,
            d.capability,
            d.driver,
            "emulated" if d.emulated else "hardware",
            identities.get(d.name, {}),
            d.bus or "",
            asdict(d.calibration) if d.calibration is not None else {},
        )
        for d in rig.devices
    )


def describe_run(
    rig: Rig,
    scenario: Scenario,
    seed: int,
    versions: Mapping[str, str],
    identities: Mapping[str, Mapping[str, str]],
    opening: Sequence[Opening],
) -> RunRecord:
    """Return the record of a run, as `run.json` keeps it."""
    assert rig.feeder is not None
    scale = rig.nominal.f_hz / 60.0
    return RunRecord(
        title=scenario.title,
        seed=seed,
        clock=rig.clock,
        gridrig=versions["gridrig"],
        start_utc_s=scenario.start_utc_s,
        duration_s=scenario.duration_s,
        period_s=scenario.period_s,
        rig=rig.name,
        scenario=scenario.title,
        nominal={"f_hz": rig.nominal.f_hz, "v_ll": rig.nominal.v_ll, "phases": rig.nominal.phases},
        feeder={
            "engine": rig.feeder.engine,
            "network": rig.feeder.network,
            "pcc": rig.feeder.pcc,
        },
        versions=versions,
        overrides={o.device: dict(o.emulate) for o in rig.overrides},
        slice=scenario.slice,
        devices=device_records(rig, identities),
        participants=tuple(
            ParticipantRecord(p.name, p.agent.kind, p.meter, rig.device(p.meter).bus or "")
            for p in rig.participants
        ),
        opening=tuple(opening),
        limits=(
            *(LimitLine("f_hz", f_hz * scale, text, kind) for f_hz, text, kind in LINES_60_HZ),
            *(LimitLine("v_pu", v_pu, text, kind) for v_pu, text, kind in LINES_PU),
        ),
    )
