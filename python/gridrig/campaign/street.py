"""The physical world of a rig: which terminal of the plant belongs to which device, load and meter.

Only emulated devices have one; a real device is measured, not modelled.
"""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

import numpy as np

from gridrig.campaign.branch_contacts import BranchContacts
from gridrig.campaign.plant_terminals import DeviceTerminal, HeadTerminal
from gridrig.circuit.bench_circuit import BenchCircuit
from gridrig.circuit.computer import Computer
from gridrig.circuit.heat_pump import HeatPump
from gridrig.circuit.heated_homes import HeatedHomes
from gridrig.circuit.vehicle import Vehicle
from gridrig.errors import PlantError
from gridrig.grid.profiles import Profiles
from gridrig.plant import World
from gridrig.rig.description import Rig
from gridrig.rig.device import HAS_TERMINAL, Device, GridTerminal
from gridrig.rig.emulation import Emulation
from gridrig.rig.fleets import Fleet
from gridrig.rig.instruments import SourceTerminal
from gridrig.suggestions import near_miss


class Street:
    """The plant built from a rig, and the profiles that drive it.

    Parameters
    ----------
    rig : Rig
        Validated description.
    profiles : Profiles or None
        Loads by bus and sun by element, addressed by UTC; None for a bench without a network.
    s_base_va : float
        Base of the island's per-unit system. [VA]
    seed : int
        Seed of the plant's own randomness.
    phases : mapping of str to str
        "a", "b" or "c" for what is at one phase of a bus.
    """

    def __init__(
        self,
        rig: Rig,
        profiles: Profiles | None,
        *,
        s_base_va: float,
        seed: int,
        phases: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.rig = rig
        self._profiles = profiles
        self.s_base_va = s_base_va
        self.world = World(f_nominal_hz=float(rig.nominal.f_hz), s_base_va=s_base_va, seed=seed)
        self.loads: dict[str, int] = {
            bus: self.world.add_load(bus) for bus in (profiles.buses if profiles else ())
        }
        self._phases = phases
        for bus in phases.keys() & self.loads.keys():
            self.world.set_load_phases(self.loads[bus], phases[bus])
        self.motors: dict[str, int] = {motor.name: self.loads[motor.bus] for motor in rig.motors}
        for motor in rig.motors:
            self.world.set_motor(self.loads[motor.bus], dict(motor.settings))
        self.devices: dict[str, int] = {}
        self.vehicles: dict[str, Vehicle] = {}
        self.pumps: dict[str, HeatPump] = {}
        self.computers: dict[str, Computer] = {}
        self.sun: dict[str, str] = {}
        self.available_w: dict[str, float] = {}
        self.outside: dict[str, str] = {}  # real devices and the meter that measures each
        self.cloud: dict[str, float] = {}
        self.shed: frozenset[str] = frozenset()  # buses whose load the operator has off
        self.open_as_loaded: frozenset[str] = frozenset()  # branches of the feeder
        self.contacts: dict[str, BranchContacts] = {}  # by branch, made with the bench
        self.circuit: BenchCircuit | None = None  # made with the bench, which has the clock
        for device in rig.of("inverter", "storage"):
            if _is_modelled(device) and device.capability == "inverter":
                self._add_inverter(device)
            elif _is_modelled(device):
                self._add_storage(device)
        for device in rig.of("ev_charger"):
            if _is_modelled(device):
                self._add_vehicle(device)
        for device in rig.of("heat_pump"):
            if _is_modelled(device):
                self._add_heat_pump(device)
        for device in rig.of("compute_node"):
            if _is_modelled(device):
                self.devices[device.name] = index = self.world.add_load(device.name)
                self.computers[device.name] = Computer(self.world, index)
        for device in rig.of(*HAS_TERMINAL):
            if isinstance(device.terminal, GridTerminal):
                self.outside[device.name] = device.terminal.analyser
        self.buses: list[str] = [
            *self.loads,
            *(self.bus_of(name) for name in self.devices),
        ]
        self.fleets: dict[str, HeatedHomes] = {}
        self.homes: dict[str, range] = {}
        for fleet in rig.fleets:
            self._add_fleet(fleet)
        self.world.set_shed_plan(
            [(self.loads[bus], stage) for bus, stage in self.shed_stages().items()]
        )

    @property
    def profiles(self) -> Profiles:
        """The profiles of the network."""
        if self._profiles is None:
            raise PlantError("plant.no_profiles", "{rig} has no network", rig=self.rig.path)
        return self._profiles

    @property
    def former(self) -> str | None:
        """The storage that forms the island, if the rig names one and the plant holds it."""
        name = self.rig.island.former if self.rig.island else None
        return name if name in self.devices else None

    def terminal_of(
        self, device: Device
    ) -> DeviceTerminal | HeadTerminal | Vehicle | HeatPump | Computer:
        """Return the terminal that an emulated device is a face of."""
        if device.capability == "meter":
            if device.measures == "head":
                return HeadTerminal(self.world)
            if device.measures == "load":
                return DeviceTerminal(self.world, self.loads[str(device.bus)])
            return DeviceTerminal(self.world, self.devices[str(device.measures)])
        if device.capability == "bms":
            return DeviceTerminal(self.world, self.pack_index(device.name))
        if device.capability == "ev_charger":
            return self.vehicles[device.name]
        if device.capability == "heat_pump":
            return self.pumps[device.name]
        if device.capability == "compute_node":
            return self.computers[device.name]
        emulation, index = self._emulation(device.name), self.devices[device.name]
        plant = emulation.plant
        share = float(plant.get("p_rated_w", plant["s_va"])) / float(plant["s_va"])
        return DeviceTerminal(self.world, index, share, self._kept(device.name, index))

    def _kept(self, name: str, index: int) -> frozenset[str]:
        """Return which settings an inverter is built to keep, whatever is written."""
        keeps = frozenset(getattr(self._emulation(name).face, "keeps", ()))
        known = self.world.functions(index)
        for key in sorted(keeps - set(known)):
            raise PlantError(
                "plant.keeps_unknown",
                "{device}: keeps names {found!r}, no setting of its functions (near miss: {near})",
                device=name,
                found=key,
                near=near_miss(key, known),
            )
        return keeps

    def follow_profiles(self, utc_s: int) -> None:
        """Impose what homes use and what the sun gives at a moment, to be held. [s since 1970]"""
        point = self.profiles.loads(utc_s)
        for p_w, q_var, (bus, index) in zip(
            point.p_w.tolist(), point.q_var.tolist(), self.loads.items(), strict=True
        ):
            on = 0.0 if bus in self.shed else 1.0
            self.world.set_load(index, -p_w * on, -q_var * on)
        for name in self.sun:
            self.available_w[name] = self.sun_w(name, utc_s) * self.cloud.get(name, 1.0)
            self.world.set_available(self.devices[name], self.available_w[name])
        for computer in self.computers.values():
            computer.is_held = True
            computer.follow()

    def let_go(self) -> None:
        """End a run: what it held follows what it is told again."""
        for computer in self.computers.values():
            computer.is_held = False
            computer.follow()

    def follow_fleets(self, utc_s: float) -> None:
        """Let heat pumps, each and in fleets, take what they take at a moment. [s since 1970]"""
        for pump in self.pumps.values():
            pump.follow(utc_s)
        for name, homes in self.fleets.items():
            for index, p_w in zip(self.homes[name], homes.power_w(utc_s).tolist(), strict=True):
                self.world.set_load(index, p_w, 0.0)

    def advance_fleets(self, utc_s: float, dt_s: float) -> None:
        """Let heated homes live through a tick with the power they had. [s]"""
        if not self.fleets and not self.pumps:
            return
        held_w = -np.array(self.world.held()[0])
        for name, pump in self.pumps.items():
            pump.advance(float(held_w[self.devices[name]]), utc_s, dt_s)
        for name, homes in self.fleets.items():
            indices = self.homes[name]
            homes.advance(held_w[indices.start : indices.stop], utc_s, dt_s)

    def sun_w(self, name: str, utc_s: int) -> float:
        """Return what a clear moment gives an inverter by its profile. [W]"""
        return self.profiles.sgen_fraction(self.sun[name], utc_s) * self.rating_va(name)

    def power_by_bus(self, buses: tuple[str, ...]) -> tuple[list[float], list[float]]:
        """Return what all terminals together inject at each bus of the feeder. [W, var]"""
        rank = {bus: k for k, bus in enumerate(buses)}
        p_w, q_var = [0.0] * len(buses), [0.0] * len(buses)
        held_p, held_q = self.world.held()
        for bus, p, q in zip(self.buses, held_p, held_q, strict=True):
            p_w[rank[bus]] += p
            q_var[rank[bus]] += q
        return p_w, q_var

    def _add_inverter(self, device: Device) -> None:
        settings = dict(self._emulation(device.name).plant) | self._phase_of(device)
        self.devices[device.name] = self.world.add_pv(device.name, settings)
        self.sun[device.name] = str(self._emulation(device.name).profile)

    def _add_storage(self, device: Device) -> None:
        pack = self.rig.device(str(device.bms))
        if not pack.emulated:
            raise PlantError(
                "plant.no_pack",
                "storage {device} is modelled, but its battery {pack} is not emulated",
                device=device.name,
                pack=pack.name,
            )
        settings = dict(self._emulation(device.name).plant) | {
            "forms_grid": bool(self.rig.island and self.rig.island.former == device.name),
            "pack": dict(self._emulation(pack.name).plant),
            **self._phase_of(device),
        }
        self.devices[device.name] = self.world.add_storage(device.name, settings)

    def _add_fleet(self, fleet: Fleet) -> None:
        settings = asdict(fleet.emulate)
        del settings["model"]
        homes = self.fleets[fleet.name] = HeatedHomes(**settings)
        first, buses = len(self.world), list(self.loads)
        for place in range(homes.count):
            self.world.add_load(f"{fleet.name}/{place}")
            self.buses.append(buses[place % len(buses)])
        self.homes[fleet.name] = range(first, first + homes.count)

    def _add_vehicle(self, device: Device) -> None:
        emulation = self._emulation(device.name)
        face = emulation.face
        settings = face.terminal_settings() | dict(emulation.plant) | self._phase_of(device)
        self.devices[device.name] = index = self.world.add_storage(device.name, settings)
        self.vehicles[device.name] = Vehicle(
            self.world,
            index,
            target_soc=face.target_soc,
            p_w_max=face.vehicle_w_max,
            plugged=face.plugged,
            discharge_w_max=face.discharge_w_max,
            reserve_soc=face.reserve_soc,
        )

    def _add_heat_pump(self, device: Device) -> None:
        self.devices[device.name] = index = self.world.add_load(device.name)
        if (phase := self._phase_of(device)) and phase["phases"]:
            self.world.set_load_phases(index, phase["phases"])
        face = self._emulation(device.name).face
        self.pumps[device.name] = HeatPump(self.world, index, face)

    def _phase_of(self, device: Device) -> dict[str, str]:
        """Return the setting of the phase that a device is at, if it is at one."""
        bus = str(device.bus)
        return {"phases": self._phases[bus]} if bus in self._phases else {}

    def bus_of(self, name: str) -> str:
        """Return the bus that a device is at."""
        return str(self.rig.device(name).bus)

    def rating_va(self, name: str) -> float:
        """Return the rating of a modelled device. [VA]"""
        return float(self._emulation(name).plant["s_va"])

    def capacity_ah(self, pack: str) -> float:
        """Return the nominal capacity of a battery. [Ah]"""
        stated_ah = getattr(self.rig.device(pack).limits, "capacity_ah", None)
        if stated_ah is not None and not self.rig.device(pack).emulated:
            return float(stated_ah)
        return float(self._emulation(pack).plant["capacity_ah"])

    def pack_index(self, pack: str) -> int:
        """Return the terminal that a battery is behind."""
        return self.devices[next(d.name for d in self.rig.devices if d.bms == pack)]

    def _emulation(self, name: str) -> Emulation:
        emulation = self.rig.device(name).emulation
        if emulation is None:
            raise PlantError("plant.not_modelled", "{device} is not emulated", device=name)
        return emulation

    def shed_stages(self) -> dict[str, int]:
        """Return the shedding stage of each load bus that may be shed."""
        return {
            self.bus_of(participant.meter): participant.shed_stage
            for participant in self.rig.participants
            if participant.shed_stage is not None
        }


def _is_modelled(device: Device) -> bool:
    """Return whether the plant holds a device: on its feeder or behind an emulated source."""
    behind_source = isinstance(device.terminal, SourceTerminal) and device.emulated
    return device.terminal == "model" or behind_source
