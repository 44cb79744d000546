"""What a collector keeps of one equipment: a report a slot, or the proof that it told two.

A slot is five minutes. The table holds four weeks by their first slot, `offset`, moves on by two
when they fill up, and forgets what is older; with a window of three days about now no slot that
is taken lies outside it.

Rules, in the order in which they are asked: the window; the values that say nothing; a slot that
is banned; the same report again; a second report of a slot, which bans it; the capacity of the
place, beyond which the slot is banned too. What a slot was banned for is kept.

References
----------
.. [1] Glow, gca-backend (MIT), read for facts: `server/report_listener_udp.go`.
"""

from dataclasses import dataclass, field

SLOTS = 4032
"""Kept at once: fourteen days."""

WINDOW = 432
"""Most slots between now and a report: a day and a half."""

CAPACITY_PERCENT = 135
"""Of its stated capacity an equipment may give less than this in a slot."""

_MOVE_AT, _MOVE_BY = 3200, 2016
NOTHING = (0, 1)  # values that are passed over
ZERO_POWER, NOT_READ = 2, 3  # values that tell of a slot without energy, and of one not known

STORED, REPEATED = "stored", "repeated"
OUTSIDE_WINDOW = "telemetry.slot_window"
SAYS_NOTHING = "telemetry.value_nothing"
BANNED = "telemetry.slot_banned"
EQUIVOCATION = "telemetry.equivocation"
OVER_CAPACITY = "telemetry.over_capacity"


@dataclass
class Slot:
    """What is known of one slot: its value, and every report that bears on it."""

    value: int
    reports: list[bytes] = field(default_factory=list)
    banned: bool = False

    @property
    def energy_milliwh(self) -> int | None:
        """Energy given, negative if taken; None if it is not known. [mWh]"""
        if self.banned or self.value == NOT_READ:
            return None
        return 0 if self.value == ZERO_POWER else self.value


class SlotTable:
    """The slots of one equipment.

    Parameters
    ----------
    capacity_milliwh : int or None
        What it can give in a slot; None if nobody stated it. [mWh]
    now : int
        The slot that is now.
    """

    def __init__(self, capacity_milliwh: int | None, now: int) -> None:
        self.capacity_milliwh = capacity_milliwh
        self.offset = max(0, now - SLOTS // 2)
        self.slots: dict[int, Slot] = {}

    def take(self, slot: int, value: int, report: bytes, now: int) -> str:
        """Judge a report whose signature holds; return "stored", "repeated" or why not."""
        self._move_on(now)
        if abs(slot - now) > WINDOW or not 0 <= slot - self.offset < SLOTS:
            return OUTSIDE_WINDOW
        if value in NOTHING:
            return SAYS_NOTHING
        known = self.slots.get(slot)
        if known is not None and report in known.reports:
            return REPEATED
        if known is not None and known.banned:
            return BANNED
        if known is not None:
            known.reports.append(report)
            known.banned = True
            return EQUIVOCATION
        most = self.capacity_milliwh
        over = most is not None and abs(value) * 100 >= most * CAPACITY_PERCENT
        self.slots[slot] = Slot(value, [report], over)
        return OVER_CAPACITY if over else STORED

    def bitmap(self) -> bytes:
        """Return a bit for each slot from `offset` on, least significant first: heard or not."""
        bits = bytearray(SLOTS // 8)
        for slot in self.slots:
            place = slot - self.offset
            bits[place // 8] |= 1 << place % 8
        return bytes(bits)

    def _move_on(self, now: int) -> None:
        while now - self.offset >= _MOVE_AT:
            self.offset += _MOVE_BY
        for slot in [slot for slot in self.slots if slot < self.offset]:
            del self.slots[slot]
