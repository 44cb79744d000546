"""The `emulate` table: who serves the wire, what he says, and what the plant is made of.

The table is flat for its writer. Here it is parted: `model` names the physics, `emulator` the face
(by default the one registered under the driver's name), `profile` the series that drives it; keys
of the face's `PARAMETERS` go to the face, all others to the plant, and `s_va` to both.
"""

import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

from gridrig.errors import GridrigError, RigError
from gridrig.rig.instruments import INSTRUMENTS, InstrumentCapability
from gridrig.rig.issues import At, Issues, misspelt, near_miss, one_of, shown
from gridrig.rig.registry import DRIVERS, EMULATORS, Registry
from gridrig.rig.schema import BROKEN, described, read_value

Model = Literal["pv", "storage", "pack", "meter"] | InstrumentCapability
MODEL_OF: Mapping[str, Model] = {
    "inverter": "pv",
    "storage": "storage",
    "bms": "pack",
    "meter": "meter",
    **{name: name for name in INSTRUMENTS},
}
# Whose settings, beyond those of the face, are the plant's.
OF_THE_PLANT = ("pv", "storage", "pack", "ev_charger")
RESERVED = ("model", "emulator", "profile")
# The nameplate a face shows is the one the plant has.
SHARED = ("s_va", "category", "normal_category")
# What a model cannot do without, though the plant may have a default.
PLANT_NEEDS: Mapping[str, tuple[str, ...]] = {
    "pv": ("s_va",),
    "storage": ("s_va",),
    "pack": ("cells", "capacity_ah", "soc"),
    "meter": (),
    **dict.fromkeys(INSTRUMENTS, ()),
}


@dataclass(frozen=True)
class Emulation:
    """An emulate table, parted.

    Parameters
    ----------
    model : str
        Its physics: one of `OF_THE_PLANT`; the others have none of their own.
    emulator : str
        Name registered in the entry-point group `gridrig.emulators`.
    face : dataclass
        The emulator's own parameters, an instance of its `PARAMETERS`.
    plant : dict
        Settings for the plant, as written.
    profile : str or None
        Element of the network whose profile gives the power available.
    """

    model: Model
    emulator: str
    face: Any
    plant: Mapping[str, Any]
    profile: str | None = None


def read_emulation(
    table: Mapping[str, Any],
    at: At,
    *,
    capability: str,
    driver: str,
    registry: Registry,
    issues: Issues,
) -> Emulation | None:
    """Part and check one emulate table; None if it has an issue, which is noted."""
    model = MODEL_OF[capability]
    if table.get("model") != model:
        found = shown(table["model"]) if "model" in table else "nothing"
        issues.add(at.key("model"), found, f'{shown(model)}, the model of "{capability}"')
    emulator = table.get("emulator", driver)
    if not isinstance(emulator, str):
        issues.add(at.key("emulator"), shown(emulator), "a text")
        return None
    if "emulator" not in table and emulator not in registry.names(EMULATORS):
        if emulator in registry.names(DRIVERS):
            expected = one_of(registry.names(EMULATORS))
            issues.add(at.key("emulator"), f"nothing, and no emulator {emulator!r}", expected)
        return None  # else the driver's name is the mistake, and has been noted
    cls = load_or_issue(registry, EMULATORS, emulator, at.key("emulator"), issues)
    if cls is None:
        return None
    schema: Any = getattr(cls, "PARAMETERS", None)
    known = {f.name for f in fields(schema)} if schema is not None else set()
    said = {key: value for key, value in table.items() if key in known and key not in RESERVED}
    face = read_parameters(schema, said, at, issues)
    face_only = (known | set(RESERVED)) - set(SHARED)
    plant = {key: value for key, value in table.items() if key not in face_only}
    for key in PLANT_NEEDS[model]:
        if key not in plant and key not in misspelt(plant, PLANT_NEEDS[model]):
            issues.add(at.key(key), "nothing", f'a number, which the model "{model}" needs')
    profile = table.get("profile")
    if profile is not None and (not isinstance(profile, str) or model != "pv"):
        issues.add(at.key("profile"), shown(profile), "the name of a PV element of the network")
        return None
    if model not in OF_THE_PLANT:
        for key in plant:
            issues.add(at.key(key), "an unknown key", one_of(sorted(known)), near_miss(key, known))
    return None if face is BROKEN else Emulation(model, emulator, face, plant, profile)


def read_parameters(cls: Any, table: Mapping[str, Any], at: At, issues: Issues) -> Any:
    """Return an instance of a `PARAMETERS` dataclass; `BROKEN` if there is an issue.

    The class's own `__post_init__` has the last word: its error becomes an issue.
    """
    if cls is None:
        for key in table:
            issues.add(at.key(key), "an unknown key", "no key: this class takes no parameters")
        return None if not table else BROKEN
    values, good = {}, True
    hints = typing.get_type_hints(cls, include_extras=True)
    for field in fields(cls):
        place = at.key(field.name)
        if field.name in table:
            values[field.name] = read_value(hints[field.name], table[field.name], place, issues)
            good &= values[field.name] is not BROKEN
        elif not _has_default(field):
            if field.name not in misspelt(table, hints):
                issues.add(place, "nothing", described(hints[field.name]))
            good = False
    for key in table:
        if key not in hints:
            issues.add(at.key(key), "an unknown key", one_of(hints), near_miss(key, hints))
            good = False
    if not good:
        return BROKEN
    try:
        return cls(**values)
    except GridrigError as error:
        named = error.facts.get("key")
        place = at.key(named) if isinstance(named, str) and named in hints else at
        found = shown(error.facts["found"]) if place is not at else error.message
        expected = error.facts.get("expected") if place is not at else None
        issues.add(place, found, str(expected or f"parameters {cls.__name__} accepts"))
    except (TypeError, ValueError) as error:
        issues.add(at, str(error), f"parameters {cls.__name__} accepts")
    return BROKEN


def _has_default(field: Any) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def load_or_issue(registry: Registry, group: Any, name: str, at: At, issues: Issues) -> Any:
    """Return a registered class; None if it has an issue, which is noted."""
    try:
        return registry.load(group, name)
    except RigError as error:
        issues.add(at, error.found, error.expected, error.near)
        return None
