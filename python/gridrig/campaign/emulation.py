"""`gridrig emulate`: a rig's emulated devices in a process of their own, on the wall clock.

The process has a world of its own: the rig's plant at nominal voltage and frequency, driven by the
network's profiles. What happens on the devices goes to stderr, one JSON line each; at the end a
line for each device says in which state it was left.
"""

import asyncio
import contextlib
import json
import sys
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import tomli_w

from gridrig.campaign.assembly import make_bench, make_street
from gridrig.campaign.builtin import RIGS, find
from gridrig.campaign.rig_grid import load_grid
from gridrig.campaign.stopping import stop_asked
from gridrig.campaign.street import Street
from gridrig.campaign.timing import memory_at_rest
from gridrig.clock import Clock, run_wall
from gridrig.devices.emulators.heating_terminal import HeatingState
from gridrig.devices.emulators.vehicle_terminal import VehicleState
from gridrig.errors import CampaignError, GridrigError
from gridrig.events import Event, EventLog
from gridrig.quantity import DAY_S
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.device import HAS_TERMINAL, Device
from gridrig.rig.instruments import OF_A_CIRCUIT, ON_THE_FEEDER
from gridrig.rig.key_files import OF_LINKS
from gridrig.rig.named_files import lead_from_anywhere

STEP_S = 0.1
START = "2016-06-20T12:00:00+00:00"


def emulate_command(
    rig_name: str, *, only: list[str] | None, start: str | None, write_rig: Path | None
) -> int:
    """Serve the emulated devices of a rig until SIGINT, SIGTERM or SIGHUP."""
    rig = load_rig(find(rig_name, RIGS))
    served = set(only or [d.name for d in rig.devices if d.emulated])
    for name in served:
        if not rig.device(name).emulated:
            raise CampaignError(
                "campaign.not_emulated", "{device} has no emulate table", device=name
            )
    try:
        begin = datetime.fromisoformat(start or START)
    except ValueError:
        raise CampaignError(
            "campaign.start",
            "--start {found!r} is no time such as {example}",
            found=start,
            example=START,
        ) from None
    if begin.tzinfo is None:
        raise CampaignError("campaign.start", "--start {found!r} names no time zone", found=start)
    return run_wall(
        lambda clock: _serve(rig, served, clock, write_rig), start_utc_s=int(begin.timestamp())
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise GridrigError(
            "rig.unwritable",
            "{path}: {fault}, expected a file to write",
            path=str(path),
            fault=fault.strerror or str(fault),
        ) from fault


async def _serve(rig: Rig, served: set[str], clock: Clock, write_rig: Path | None) -> int:
    grid = load_grid(rig, clock.start_utc_s, DAY_S) if rig.feeder else None
    street = make_street(rig, grid, seed=0)
    events = EventLog(clock, [device.name for device in rig.devices], keep=False)
    events.listeners.append(_log)
    shown = replace(rig, devices=tuple(d for d in rig.devices if d.name in served))
    bench = make_bench(shown, street, clock, events)
    stop = stop_asked()
    await bench.serve()
    world = asyncio.create_task(_live(street, clock, grid is not None))
    try:
        for endpoint in bench.endpoints():
            print(json.dumps(endpoint), flush=True)
        if write_rig is not None:
            _write(write_rig, outside_rig(rig, bench.endpoints()))
        with memory_at_rest():
            print("ready", flush=True)
            await stop.wait()
    finally:
        world.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await world
        try:
            _log_final(shown, street, bench)
        finally:  # whether anybody listens or not
            await bench.close()
    return 0


async def _live(street: Street, clock: Clock, profiled: bool) -> None:
    """Step the world on absolute deadlines: nominal voltage, profiles, meters counting."""
    world = street.world
    nominal_hz = float(street.rig.nominal.f_hz)
    if not profiled:
        for name in street.sun:  # no network, no weather: the sun gives what the inverter can take
            world.set_available(street.devices[name], street.rating_va(name))
    step = 0
    while True:
        step += 1
        await clock.sleep_until(step * STEP_S)
        if profiled:
            street.follow_profiles(clock.utc_s())
        utc_s = clock.start_utc_s + clock.now_s()
        street.follow_fleets(utc_s)
        if street.circuit is not None:
            street.circuit.now_s()
            continue
        world.impose([1.0] * len(street.buses), nominal_hz)
        p_w, q_var = world.held()
        world.set_head(-sum(p_w), -sum(q_var))
        world.integrate(STEP_S)
        street.advance_fleets(utc_s, STEP_S)
        world.advance(STEP_S)


def outside_rig(rig: Rig, endpoints: list[dict[str, str | int]]) -> str:
    """Return the rig file that reaches the served devices as if they were real ones.

    It names files by absolute paths: it may be written to, and used from, any folder.
    """
    table: dict[str, Any] = tomllib.loads(rig.text.decode())
    lead_from_anywhere(table, rig.path)
    table["rig"]["clock"] = "wall"
    table["rig"]["name"] += "-outside"
    where = {str(endpoint["device"]): endpoint for endpoint in endpoints}
    _require_whole(rig, where)
    for device in table["device"]:
        endpoint = where.get(device["name"])
        if endpoint is None:
            continue
        emulate = device.pop("emulate")
        if device["capability"] == "bms":
            device["limits"].setdefault("capacity_ah", emulate["capacity_ah"])
        device["link"] = _link(endpoint)
        behind_source = "source" in (device.get("terminal") or {})
        if device["capability"] in HAS_TERMINAL and not behind_source:
            meter = rig.meter_of(device["name"])
            if meter is None and device["capability"] in ON_THE_FEEDER:
                device.pop("terminal")
                continue
            if meter is None or meter.name not in where:
                raise CampaignError(
                    "campaign.no_meter",
                    "{device} cannot stand for a real one without a meter that measures it and is "
                    "served too: {meter}",
                    device=device["name"],
                    meter="the rig has none" if meter is None else f"--only {meter.name}",
                )
            device["terminal"] = {"grid": True, "analyser": meter.name}
    return tomli_w.dumps(table)


def _require_whole(rig: Rig, where: Collection[str]) -> None:
    """Refuse a storage without its pack, and a pack without its storage: they are one plant."""
    for storage in rig.devices:
        pair = (storage.name, storage.bms)
        if storage.bms is None or (storage.name in where) == (storage.bms in where):
            continue
        served, missing = sorted(pair, key=lambda name: name not in where)
        raise CampaignError(
            "campaign.half_storage",
            "{device} cannot stand for a real one without {missing}, which is of the same storage, "
            "and needs to be served too: --only {missing}",
            device=served,
            missing=missing,
        )


def _link(endpoint: Mapping[str, str | int]) -> dict[str, str | int]:
    # Certificates of the served device were found from where this process stands.
    return {
        key: str(Path(str(value)).absolute()) if key in OF_LINKS and value else value
        for key, value in endpoint.items()
        if key != "device"
    }


def _log(event: Event) -> None:
    print(json.dumps(event.row(), default=str), file=sys.stderr, flush=True)


def _log_final(rig: Rig, street: Street, bench: Bench) -> None:
    for device in rig.devices:
        row: dict[str, Any] = {"device": device.name, "kind": "final_state"}
        if device.capability in OF_A_CIRCUIT:
            print(json.dumps(row | _final_of(device, street)), file=sys.stderr, flush=True)
            continue
        state = street.terminal_of(device).state()
        if isinstance(state, VehicleState):
            row |= {"plugged": state.plugged, "p_w": 0.0 - state.p_w}
        elif isinstance(state, HeatingState):
            row |= {"mode": state.mode, "p_w": 0.0 - state.p_w, "room_c": state.room_c}
        elif device.capability in ("inverter", "storage"):
            row |= {"connected": state.connected, "p_w": state.p_w, "limit_w": state.limit_w}
        elif device.capability == "compute_node":
            row |= {"p_w": state.p_w}
        elif device.capability == "bms":
            pack = street.world.pack(street.pack_index(device.name))
            row |= {"charge_fet": pack.charge_fet, "discharge_fet": pack.discharge_fet}
        print(json.dumps(row), file=sys.stderr, flush=True)


def _final_of(device: Device, street: Street) -> dict[str, Any]:
    """Return what an instrument left on the circuit."""
    circuit = street.circuit
    if circuit is None:
        return {}
    states: dict[str, dict[str, Any]] = {
        "ac_source": {"output": circuit.source_on},
        "switch": {"closed": circuit.main, "status": circuit.status},
        "load_bank": {"r_w": circuit.load.r_w, "l_var": circuit.load.l_var},
        "interlock": {"closed": circuit.interlock_closed},
    }
    return states.get(device.capability, {})
