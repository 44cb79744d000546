"""Whether the rooms of homes stayed in the bands that their households state.

The room of an emulated heat pump is the true one, as the plant has it, never what the pump tells.
Of a real pump there is only what it tells, to a tenth of a kelvin: then comfort is the device's
word, and a tick at which it told none is not known.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Columns = Mapping[str, Sequence[float]]
TOLD_UNCERTAINTY_K = 0.05  # half of the tenth that a pump tells


@dataclass(frozen=True)
class RoomStay:
    """How one room stood to its band over a run.

    Parameters
    ----------
    pump : str
        The heat pump that warms it.
    excess_k : float
        By how much it was beyond its band at worst, negative if always within; NaN if never seen.
        [K]
    at_s, room_c, limit_c : float
        When that was, how warm the room, and the end of the band it was next to. [s, deg C]
    outside_s : float
        How long it was outside: all ticks that began so. [s]
    ticks, unseen : int
        Ticks of the run, and those at which nobody knew the room.
    is_told : bool
        Whether this is a real pump's word, not the room of the plant.
    """

    pump: str
    excess_k: float
    at_s: float
    room_c: float
    limit_c: float
    outside_s: float
    ticks: int
    unseen: int
    is_told: bool

    def text(self) -> str:
        """Return where the room was at worst, as one line for people."""
        by_whom = ", as it tells" if self.is_told else ""
        return (
            f"{self.pump}{by_whom}: room at {self.room_c:.2f} deg C, limit {self.limit_c:g}, "
            f"at {self.at_s:.0f} s"
        )


def room_stays(columns: Columns, end_c: Mapping[str, float], ends_s: float) -> list[RoomStay]:
    """Return how each room with a band stood to it, at the beginning of each tick and at the end.

    Parameters
    ----------
    columns : mapping of str to sequence of float
        The trace.
    end_c : mapping of str to float
        By pump, the true room at the last instant, where the plant has it; it is held to the band
        of the tick that ends there. Empty if the run did not get there. [deg C]
    ends_s : float
        That instant. [s]
    """
    found = []
    for column in columns:
        if column.startswith("room.") and column.endswith(".low_c"):
            pump = column.removeprefix("room.").removesuffix(".low_c")
            found.append(_stay(columns, pump, end_c.get(pump), ends_s))
    return found


def comfort_findings(stays: Sequence[RoomStay]) -> list[str]:
    """Return by how much and how long rooms were outside their bands, and what was not seen."""
    lines = []
    for stay in stays:
        if stay.excess_k > 0:
            side = "below" if stay.room_c < stay.limit_c else "above"
            lines.append(
                f"{stay.text()}: {stay.excess_k:.2f} K {side} its household's band at worst; "
                f"outside for {stay.outside_s:.0f} s in all"
            )
        if stay.unseen:
            lines.append(f"{stay.pump}: {_unseen(stay)}")
    return lines


def worst_excess(stays: Sequence[RoomStay]) -> tuple[float | None, float, str]:
    """Return the worst excess of all rooms with its uncertainty and where it was. [K]

    None where there is no room with a band, or where one that was not seen all the time may have
    been outside then; what was seen outside counts whatever was not.
    """
    seen = [stay for stay in stays if not math.isnan(stay.excess_k)]
    worst = max(seen, key=lambda stay: stay.excess_k, default=None)
    unseen = next((stay for stay in stays if stay.unseen), None)
    if unseen is not None and (worst is None or worst.excess_k <= 0):
        return None, 0.0, f"{unseen.pump}: {_unseen(unseen)}"
    if worst is None:
        return None, 0.0, ""
    return worst.excess_k, TOLD_UNCERTAINTY_K if worst.is_told else 0.0, worst.text()


def _unseen(stay: RoomStay) -> str:
    return f"told no room temperature at {stay.unseen} of {stay.ticks} ticks"


def _stay(columns: Columns, pump: str, end_c: float | None, ends_s: float) -> RoomStay:
    is_told = f"room.{pump}.c" not in columns
    worst = math.nan, math.nan, math.nan, math.nan
    outside_s, ticks, unseen = 0.0, len(columns["t_s"]), 0
    for at_s, dt_s, room_c, low_c, high_c in _instants(columns, pump, end_c, ends_s):
        if math.isnan(room_c):
            unseen += 1
            continue
        excess_k, limit_c = max((low_c - room_c, low_c), (room_c - high_c, high_c))
        if excess_k > 0:
            outside_s += dt_s
        if not excess_k <= worst[0]:
            worst = excess_k, at_s, room_c, limit_c
    return RoomStay(pump, *worst, outside_s, ticks, unseen, is_told)


def _instants(
    columns: Columns, pump: str, end_c: float | None, ends_s: float
) -> Iterator[tuple[float, ...]]:
    """Yield time, the tick's length, room and band of each instant. [s, s, deg C, deg C, deg C]"""
    true_c = columns.get(f"room.{pump}.c")
    told_c = columns.get(f"room.{pump}.telemetry_c")
    if true_c is not None:
        rooms_c = true_c
    elif told_c is not None:
        rooms_c = told_c
    else:
        rooms_c = [math.nan] * len(columns["t_s"])
    low_c, high_c = columns[f"room.{pump}.low_c"], columns[f"room.{pump}.high_c"]
    yield from zip(columns["t_s"], columns["dt_s"], rooms_c, low_c, high_c, strict=True)
    if end_c is not None and low_c:
        yield ends_s, 0.0, end_c, low_c[-1], high_c[-1]
