"""Protections of a pack that end one direction and leave the other, by the names drivers give."""

CHARGE_ONLY = frozenset(
    {
        "cell_over_voltage",
        "pack_over_voltage",
        "charge_over_temperature",
        "charge_under_temperature",
        "charge_over_current",
    }
)
DISCHARGE_ONLY = frozenset(
    {
        "cell_under_voltage",
        "pack_under_voltage",
        "discharge_over_temperature",
        "discharge_under_temperature",
        "discharge_over_current",
    }
)
