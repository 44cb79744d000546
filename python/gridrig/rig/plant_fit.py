"""Whether the plant accepts the settings of the emulated devices: it is asked, on a world of trial.

The plant reads its own settings and knows their ranges, so they are written down nowhere twice.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gridrig.errors import PlantError
from gridrig.plant import World
from gridrig.rig.device_reading import DeviceDraft
from gridrig.rig.emulation import OF_THE_PLANT, Emulation
from gridrig.rig.issues import At, Issues, shown

TRIAL_S_VA = 1000.0
OWN_KEYS = ("forms_grid", "pack")  # of the rig's island and bms; not to be written in emulate


def check_plant(
    devices: Sequence[DeviceDraft], former: str | None, f_nominal_hz: float, issues: Issues
) -> None:
    """Note every setting the plant refuses.

    Parameters
    ----------
    devices : sequence of DeviceDraft
        Those without a parted emulate table are left out; they have an issue already.
    former : str or None
        The storage that forms the island.
    f_nominal_hz : float
        Of the rig. [Hz]
    """
    for device in devices:
        emulation = device.emulation
        if emulation is None or emulation.model not in OF_THE_PLANT:
            continue
        at = device.at.key("emulate")
        settings = dict(emulation.plant)
        for key in OWN_KEYS:
            if key in settings:
                expected = "no such key: [island] and bms say it"
                issues.add(at.key(key), shown(settings.pop(key)), expected)
        forms = former is not None and former == device.name
        trial = _trial(device.label, emulation, forms, f_nominal_hz)
        try_all(trial, settings, at, issues)


def _trial(
    name: str, emulation: Emulation, forms_grid: bool, f_nominal_hz: float
) -> Callable[[Mapping[str, Any]], object]:
    """Return what puts settings into a new world, as a run would."""

    def trial(settings: Mapping[str, Any]) -> object:
        world = World(f_nominal_hz=f_nominal_hz, s_base_va=TRIAL_S_VA, seed=0)
        if emulation.model == "ev_charger":
            return world.add_storage(name, {**emulation.face.terminal_settings(), **settings})
        if emulation.model == "pv":
            return world.add_pv(name, dict(settings))
        if emulation.model == "storage":
            return world.add_storage(name, {**settings, "forms_grid": forms_grid})
        return world.add_storage(name, {"s_va": TRIAL_S_VA, "pack": dict(settings)})

    return trial


def try_all(
    trial: Callable[[Mapping[str, Any]], object],
    settings: dict[str, Any],
    at: At,
    issues: Issues,
) -> None:
    """Put settings into a world of trial, noting each that the plant refuses."""
    refused: set[str] = set()
    for _ in range(len(settings) + 1):
        try:
            trial(settings)
        except PlantError as error:
            key = error.facts.get("key")
            if key in refused:  # it has no default, and is missed now
                return
            if key not in settings:
                issues.add(at, error.message, "settings the plant accepts")
                return
            refused.add(key)
            found = settings.pop(key)
            if error.code == "plant.setting_unknown":
                near = error.facts.get("near_miss")
                issues.add(at.key(key), "an unknown key", "a setting the plant knows", near)
            else:
                expected = str(error.facts.get("expected", error.message))
                issues.add(at.key(key), shown(found), expected)
        except (TypeError, OverflowError) as error:
            issues.add(at, str(error), "settings the plant accepts")
            return
        else:
            return
