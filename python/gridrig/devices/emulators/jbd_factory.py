"""A JBD board's factory mode: settings that are read, staged and kept when it is left.

What is written is staged; it is kept, and acts on the pack's protections, when the host leaves with
28 28, and is forgotten with 00 00. Registers that the pack's protections have are the pack's own:
the release of a protection follows its threshold and cannot be written.
"""

from gridrig.devices.emulators.fault import OnEvent
from gridrig.devices.emulators.terminal import PackTerminal
from gridrig.devices.wire import jbd_settings as settings
from gridrig.errors import GridrigError

TRIP_MIN = -100.0  # below it no threshold can be meant


class FactoryMode:
    """The settings registers of one board.

    Parameters
    ----------
    terminal : PackTerminal
        The pack whose protections they set.
    on_event : OnEvent
        Gets `settings_saved`, with what was kept.
    """

    def __init__(self, terminal: PackTerminal, on_event: OnEvent) -> None:
        self._terminal = terminal
        self._on_event = on_event
        self._entered = False
        self._staged: dict[int, int] = {}
        self._kept: dict[int, int] = {0x2D: 0b0000_1100}  # balancing, also while charging

    def enter(self, payload: bytes) -> bool:
        """Take a write of register 00; False if it is not the password."""
        if payload != settings.ENTER:
            return False
        self._entered = True
        return True

    def leave(self, payload: bytes) -> bool:
        """Take a write of register 01; False if it is neither to keep nor to forget."""
        if payload not in {settings.LEAVE, settings.LEAVE_AND_SAVE}:
            return False
        staged, self._staged = self._staged, {}
        entered, self._entered = self._entered, False
        if payload == settings.LEAVE_AND_SAVE and entered:
            return self._keep(staged)
        return True

    def read(self, number: int) -> bytes | None:
        """Return a register's content; None if there is none, or not now."""
        register = settings.REGISTERS.get(number)
        if register is None or not self._entered:
            return None
        word = self._staged.get(number, self._word(register))
        return None if word is None else word.to_bytes(2, "big")

    def write(self, number: int, payload: bytes) -> bool:
        """Stage a register; False if it cannot be written, not now, or not with this."""
        register = settings.REGISTERS.get(number)
        if register is None or not self._entered or len(payload) != 2:
            return False
        value = register.from_wire(int.from_bytes(payload, "big"))
        current = register.unit in {"10ma", "-10ma"}
        if register.side == "release" or number in {0x17, 0x2F} or value < TRIP_MIN:
            return False
        if (current or register.unit in {"mv", "10mv", "10mah"}) and value <= 0:
            return False
        self._staged[number] = int.from_bytes(payload, "big")
        return True

    @property
    def design_ah(self) -> float:
        """The capacity that the board was told, or that the pack has. [Ah]"""
        word = self._kept.get(0x10)
        return self._terminal.pack().capacity_ah if word is None else word / 100

    def _word(self, register: settings.SettingsRegister) -> int | None:
        pack = self._terminal.pack()
        if register.protection is not None:
            for one in pack.settings:
                if one.name == register.protection:
                    return register.to_wire(one.trip if register.side == "trip" else one.release)
            return None
        own = {0x10: pack.capacity_ah, 0x11: pack.capacity_ah, 0x17: pack.cycles & 0xFFFF}
        own[0x2F] = len(pack.cells_mv)
        if register.number in self._kept:
            return self._kept[register.number]
        return register.to_wire(own[register.number])

    def _keep(self, staged: dict[int, int]) -> bool:
        kept: dict[str, float] = {}
        for number, word in staged.items():
            register = settings.REGISTERS[number]
            value = register.from_wire(word)
            if register.protection is not None:
                try:
                    self._terminal.set_protection(register.protection, value)
                except GridrigError:
                    # What came before it in the same save stands, and is named.
                    told = {"register": register.name, "value": value, "kept": sorted(kept)}
                    self._on_event("settings_refused", **told)
                    return False
            else:
                self._kept[number] = word
            kept[register.name] = value
        if kept:
            self._on_event("settings_saved", **kept)
        return True
