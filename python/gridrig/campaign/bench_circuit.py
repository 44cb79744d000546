"""The circuit of a rig with an emulated AC source, and where each instrument is joined to it."""

from typing import Any

from gridrig.campaign.street import Street
from gridrig.circuit.bench_circuit import BenchCircuit
from gridrig.circuit.connections import (
    AnalyserConnection,
    DcConnection,
    FeederConnection,
    InterlockConnection,
    LoadConnection,
    SourceConnection,
    SwitchConnection,
)
from gridrig.clock import Clock
from gridrig.rig.description import Rig
from gridrig.rig.device import Device
from gridrig.rig.instruments import INSTRUMENTS, SourceTerminal

FORMED_H_S = 0.005  # where a former holds the bus, its motion is slow against this


def make_circuit(rig: Rig, street: Street, clock: Clock) -> BenchCircuit | None:
    """Make the circuit, or return None if the rig has no emulated AC source."""
    source = next((d for d in rig.of("ac_source") if d.emulated), None)
    if source is None:
        return None
    assert source.emulation is not None, "an emulated device has an emulation"
    stages = {
        bank.name: stage for bank in rig.of("load_bank") if (stage := _stage(bank)) is not None
    }
    feeders = {name: street.world.add_load(name) for name in stages}
    street.world.set_shed_plan([(feeders[name], stage) for name, stage in stages.items() if stage])
    return BenchCircuit(
        street.world,
        clock,
        f_nominal_hz=float(rig.nominal.f_hz),
        v_ll=float(rig.nominal.v_ll),
        phases=rig.nominal.phases,
        devices=street.devices | feeders,
        has_switch=any(d.emulated for d in rig.of("switch")),
        source_order=source.emulation.face.wired,
        quiet_h_s=FORMED_H_S if rig.island is not None else 0.001,
    )


def connection_of(rig: Rig, circuit: BenchCircuit, street: Street, device: Device) -> Any:
    """Return where an emulated instrument is joined to the circuit."""
    match device.capability:
        case "ac_source":
            return SourceConnection(circuit)
        case "dc_source":
            return DcConnection(circuit, street.devices[_fed_by(rig, device)])
        case "load_bank" if _stage(device) is None:
            return LoadConnection(circuit)
        case "load_bank":
            return FeederConnection(circuit, device.name, circuit.index_of(device.name))
        case "switch":
            return SwitchConnection(circuit)
        case "interlock":
            return InterlockConnection(circuit)
        case "analyser":
            assert device.emulation is not None, "an emulated device has an emulation"
            return AnalyserConnection(circuit, device.emulation.face.sees)
    raise AssertionError(f"{device.capability} is none of {INSTRUMENTS}")


def _stage(bank: Device) -> int | None:
    """Return the stage of an emulated load bank's feeder, None if it hangs on the bus itself."""
    stage: int | None = bank.emulation.face.shed_stage if bank.emulation is not None else None
    return stage


def _fed_by(rig: Rig, source: Device) -> str:
    for device in rig.devices:
        terminal = device.terminal
        if isinstance(terminal, SourceTerminal) and terminal.dc_source == source.name:
            return device.name
    raise AssertionError(f"{source.name} feeds nothing, which a valid rig has not")
