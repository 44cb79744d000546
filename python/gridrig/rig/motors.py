"""`[[motor]]`: an induction motor of the plant beside the load of a bus.

Its own keys are `name` and `bus`; every other is a setting of the plant, which is asked whether it
takes it. A motor has no wire: a scenario starts and stops it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gridrig.plant import World
from gridrig.rig.device_reading import DeviceDraft
from gridrig.rig.header import Nominal
from gridrig.rig.issues import At, Issues, near_miss, shown
from gridrig.rig.plant_fit import TRIAL_S_VA, try_all
from gridrig.rig.schema import Draft, Name, read_draft

OWN = ("name", "bus")


@dataclass(frozen=True)
class Motor:
    """One motor.

    Parameters
    ----------
    name : str
        By which a scenario knows it.
    bus : str
        Whose load it is part of, in power and in what that load's meter counts.
    settings : mapping
        Of the plant, as `docs/plant.md` lists them.
    """

    name: Name
    bus: Name
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Written:
    name: Name
    bus: Name


@dataclass(frozen=True)
class MotorDraft:
    """A motor on its way."""

    fields: Draft[_Written]
    settings: Mapping[str, Any]

    def build(self) -> Motor:
        """Return the motor; call it only when there is no issue."""
        return Motor(settings=self.settings, **self.fields.values)


def read_motors(
    tables: Sequence[Mapping[str, Any]], at: At, nominal: Nominal | None, issues: Issues
) -> list[MotorDraft]:
    """Read every `[[motor]]`, and ask the plant for its settings."""
    drafts = []
    for index, table in enumerate(tables):
        place = at.item(index, table.get("name"))
        # A key like one of these that is absent is that one misspelt, not a setting.
        absent = [key for key in OWN if key not in table]
        own = {k: v for k, v in table.items() if k in OWN or near_miss(k, absent) is not None}
        settings = {key: value for key, value in table.items() if key not in own}
        drafts.append(MotorDraft(read_draft(_Written, own, place, issues), settings))
        if nominal is not None:
            try_all(partial(_trial, nominal.f_hz), dict(settings), place, issues)
    return drafts


def check_motors(
    motors: Sequence[MotorDraft],
    devices: Sequence[DeviceDraft],
    feeder: object,
    issues: Issues,
) -> None:
    """Check that motors have names and buses of their own, and a feeder to hang on."""
    taken = {device.label for device in devices}
    buses: set[str] = set()
    for motor in motors:
        name, bus, at = motor.fields.text("name"), motor.fields.text("bus"), motor.fields.at
        if feeder is None:
            issues.add(at, "a motor", "a [feeder] for it to hang on")
        if name is not None and name in taken:
            issues.add(at.key("name"), f"{shown(name)} twice", "a name of its own")
        if bus is not None and bus in buses:
            expected = "one motor at a bus: add up their ratings"
            issues.add(at.key("bus"), f"{shown(bus)} twice", expected)
        taken |= {name} if name is not None else set()
        buses |= {bus} if bus is not None else set()


def _trial(f_nominal_hz: float, settings: Mapping[str, Any]) -> None:
    world = World(f_nominal_hz=f_nominal_hz, s_base_va=TRIAL_S_VA, seed=0)
    world.set_motor(world.add_load("motor"), dict(settings))
