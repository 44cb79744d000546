"""Cases of what a driver makes a battery pack do, and of what the pack forbids."""

from gridrig.conformance.case import Case, at_most, case
from gridrig.conformance.readings import move
from gridrig.conformance.stand import Stand

PACK = ("bms",)


@case(
    "switches",
    1,
    PACK,
    title="Each switch opens and closes alone, and reads back",
    why="Both switches are one register on some wires: setting one must not move the other.",
    stimulus="No current flows. All four states of the two switches, in both orders.",
    not_covered="Opening under load, which is the driver's own rule; wires that switch nothing.",
    limits=(at_most("switches_wrong", "1", 0), at_most("readings_wrong", "1", 0)),
)
async def switches(stand: Stand) -> None:
    assert stand.pack is not None
    stand.pack.place(i_a=0.0)
    states = [(False, True), (False, False), (True, False), (True, True), (False, False)]
    for wanted in [*states, (True, False), (False, True), (True, True)]:
        await stand.value("set_fets", *wanted)
        found = (stand.pack.now.charge_fet, stand.pack.now.discharge_fet)
        stand.count("switches_wrong", found != wanted, f"asked {wanted}, pack {found}")
        reading = await stand.value("read")
        told = (reading.charge_fet, reading.discharge_fet)
        stand.count("readings_wrong", told != wanted, f"pack {wanted}, told {told}")


@case(
    "current-limits",
    1,
    PACK,
    title="An open switch and an acting protection take the current limit to zero",
    why="The storage inverter is scheduled by these limits: a number is a promise to carry it.",
    stimulus="Charge switch open; discharge switch open; cell over-voltage acts; all well again. "
    "The pack's own limits, where its wire tells them, go with it.",
    not_covered="Tapers by voltage and temperature.",
    limits=(at_most("limits_wrong", "1", 0),),
)
async def current_limits(stand: Stand) -> None:
    assert stand.pack is not None
    move(stand, 4)
    stand.pack.place(i_a=0.0)
    well = stand.pack.now
    most = (well.charge_a_max, well.discharge_a_max)
    over = ("cell_over_voltage",)
    scenes: list[tuple[str, dict[str, object], tuple[bool, bool]]] = [
        ("charge switch open", {"charge_fet": False, "charge_limit_a": 0.0}, (False, True)),
        (
            "discharge switch open",
            {"discharge_fet": False, "discharge_limit_a": 0.0},
            (True, False),
        ),
        (
            "cell over-voltage",
            {"charge_fet": False, "charge_limit_a": 0.0, "protections": over},
            (False, True),
        ),
        ("all well", {}, (True, True)),
    ]
    for name, values, may in scenes:
        as_well = {key: getattr(well, key) for _, said, _ in scenes for key in said}
        stand.pack.place(**{**as_well, **values})
        reading = await stand.value("read")
        told = (reading.charge_limit_a, reading.discharge_limit_a)
        for limit_a, allowed, most_a in zip(told, may, most, strict=True):
            right = 0 < limit_a <= most_a if allowed else limit_a == 0
            stand.count("limits_wrong", not right, f"{name}: {told} A")


@case(
    "protections",
    1,
    PACK,
    title="A protection that acts is told by name, and is gone when it is over",
    why="A protection that is not told is a battery that stops for no reason.",
    stimulus="None; pack over-voltage; that and pack under-voltage; none.",
    not_covered="Names that the wire does not have.",
    limits=(at_most("protections_untold", "1", 0), at_most("protections_invented", "1", 0)),
)
async def protections(stand: Stand) -> None:
    assert stand.pack is not None
    stand.measure("protections_untold", 0)
    for acting in ((), ("pack_over_voltage",), ("pack_over_voltage", "pack_under_voltage"), ()):
        stand.pack.place(protections=acting)
        told = (await stand.value("read")).protections
        few = len(told) < len(acting)
        stand.count("protections_untold", few, f"acting {acting}, told {told}")
        stand.count("protections_invented", bool(told) and not acting, f"none acts, told {told}")


@case(
    "safe.pack",
    1,
    PACK,
    title="The declared safe state is reached, an unknown one refused, and restore keeps it",
    why="Restoring 'as found' what was made safe would close the switches again.",
    stimulus="No current flows. A safe state with an unknown key; the rig's; restore.",
    not_covered="The wait for the current to fall.",
    limits=(
        at_most("unknown_accepted", "1", 0),
        at_most("commands_for_unknown", "1", 0),
        at_most("settings_unsafe", "1", 0),
        at_most("settings_undone", "1", 0),
    ),
)
async def safe_pack(stand: Stand) -> None:
    assert stand.pack is not None
    stand.pack.place(i_a=0.0)
    answer = await stand.attempt("make_safe", {"charge": False, "no_such_setting": True})
    stand.measure("unknown_accepted", float(answer.failure is None))
    stand.measure("commands_for_unknown", len(stand.commands))
    settings = stand.subject.device.safe_settings()
    await stand.value("make_safe", settings)
    _look_safe(stand, "settings_unsafe", settings)
    await stand.value("restore")
    _look_safe(stand, "settings_undone", settings)


def _look_safe(stand: Stand, name: str, settings: dict[str, object]) -> None:
    assert stand.pack is not None
    found = {"charge": stand.pack.now.charge_fet, "discharge": stand.pack.now.discharge_fet}
    for key, wanted in settings.items():
        unlike = found[key] is not wanted
        stand.count(name, unlike, f"{key} is {found[key]}, declared {wanted}")


@case(
    "restore.pack",
    1,
    PACK,
    title="Switches are written back as they were found",
    why="A pack found with its discharge switch open was open for a reason.",
    stimulus="Found with the discharge switch open; both closed, then restored.",
    not_covered="Settings that the capability has no method for.",
    limits=(at_most("switches_wrong", "1", 0),),
)
async def restore_pack(stand: Stand) -> None:
    assert stand.pack is not None
    stand.pack.place(i_a=0.0, discharge_fet=False)
    await stand.value("set_fets", True, True)
    await stand.value("restore")
    found = (stand.pack.now.charge_fet, stand.pack.now.discharge_fet)
    stand.measure("switches_wrong", float(found != (True, False)), f"found {found}")


CASES: tuple[Case, ...] = (switches, current_limits, protections, safe_pack, restore_pack)
