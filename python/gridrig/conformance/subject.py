"""What is under test: one device of a rig, its face, and the driver that is to drive it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gridrig.conformance.case import EVERY
from gridrig.conformance.stated_world import StatedPack, StatedRoom, StatedTerminal
from gridrig.devices.emulators.fault_spec import FaultSpec, specs_of
from gridrig.errors import CampaignError
from gridrig.rig.description import Rig
from gridrig.rig.device import Device
from gridrig.rig.registry import EMULATORS, Registry
from gridrig.rig.toml_file import parse_toml

METER_RATING_W = 20_000.0


@dataclass(frozen=True)
class Subject:
    """A driver and the emulated device it is tried on.

    Parameters
    ----------
    driver : str
        Name in the entry-point group `gridrig.drivers`.
    parameters : dict
        The driver's, as the rig file has them.
    rig : Rig
        The bench, reduced to this device.
    device : Device
        Which one.
    pack : Device or None
        The battery manager of a storage, whose plant the storage's face may show.
    registry : Registry
        Where emulators are looked up.
    """

    driver: str
    parameters: Mapping[str, Any]
    rig: Rig
    device: Device
    pack: Device | None
    registry: Registry

    @property
    def capability(self) -> str:
        """What the device can do: one of `EVERY`."""
        return self.device.capability

    @property
    def faults(self) -> dict[str, FaultSpec]:
        """The faults its face can show on this wire."""
        assert self.device.emulation is not None
        face: Any = self.registry.load(EMULATORS, self.device.emulation.emulator)
        on_wire = getattr(face, "faults_on", None)
        return specs_of(on_wire(self.device.link.kind) if on_wire else face.FAULTS)

    @property
    def rating_w(self) -> float:
        """Nameplate active power; of a meter a usual connection's. [W]"""
        assert self.device.emulation is not None
        if self.capability in ("meter", "bms"):
            return METER_RATING_W
        if self.capability == "heat_pump":
            return float(self.device.emulation.face.p_w_max)
        own = getattr(self.device.emulation.face, "p_max_w", None)
        return float(own or self.device.emulation.plant["s_va"])

    @property
    def v_nominal_v(self) -> float:
        """Nominal voltage as the device tells it. [V]"""
        assert self.device.emulation is not None
        own = getattr(self.device.emulation.face, "v_nominal_v", None)
        return float(own or self.rig.nominal.v_ll)

    @property
    def storage_range_w(self) -> tuple[float, float]:
        """Most that a storage takes (negative) and gives. [W]"""
        assert self.device.emulation is not None
        face = self.device.emulation.face
        charge_w = getattr(face, "p_charge_max_w", None)
        discharge_w = getattr(face, "p_discharge_max_w", None)
        low_w = self.rating_w if charge_w is None else float(charge_w)
        return -low_w, self.rating_w if discharge_w is None else float(discharge_w)

    def terminal(self) -> StatedTerminal:
        """Make the truth at its terminal."""
        return StatedTerminal(self.rating_w)

    def stated_room(self) -> StatedRoom:
        """Make the truth of a heat pump and its room."""
        return StatedRoom(self.rating_w)

    def stated_pack(self, device: Device) -> StatedPack:
        """Make the truth of a pack."""
        assert device.emulation is not None
        plant = device.emulation.plant
        limits: Any = device.limits
        charge_a = plant.get("charge_a_max", limits.i_charge_a_max)
        discharge_a = plant.get("discharge_a_max", limits.i_discharge_a_max)
        return StatedPack(plant["cells"], plant["capacity_ah"], charge_a, discharge_a)


def subject_of(rig: Rig, name: str, driver: str) -> Subject:
    """Return what is to be tried.

    Raises
    ------
    CampaignError
        `conformance.no_device`, `conformance.no_catalogue` or `conformance.not_emulated`.
    """
    known = [device.name for device in rig.devices]
    if name not in known:
        raise CampaignError(
            "conformance.no_device",
            "{rig} has no device {device!r}; it has {known}",
            rig=rig.path,
            device=name,
            known=", ".join(known),
        )
    device = rig.device(name)
    if device.capability not in EVERY:
        raise CampaignError(
            "conformance.no_catalogue",
            "{device} is of capability {found!r}; the catalogue has cases for {expected}",
            device=name,
            found=device.capability,
            expected=", ".join(EVERY),
        )
    if not device.emulated:
        raise CampaignError(
            "conformance.not_emulated",
            "{device} of {rig} has no emulate table, and the catalogue's stimuli (stated values, "
            "faults, reboots) come from an emulated device; certify on an emulated one",
            device=name,
            rig=rig.path,
        )
    table = parse_toml(rig.text, rig.path).table["device"][known.index(name)]
    # Cases run beside each other, each with a device of its own: none may share its wire.
    free: Any = {"port": 0} if hasattr(device.link, "host") else {"port": "auto"}
    device = replace(device, link=replace(device.link, **free))
    pack = rig.device(device.bms) if device.bms else None
    alone = replace(rig, devices=(device,))
    parameters = table.get("parameters", {})
    return Subject(driver, parameters, alone, device, pack, Registry.installed())
