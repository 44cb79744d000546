"""An emulated contactor with a status contact, behind a SCPI relay card, and what wears out in it.

    emulate = { model = "switch", operate_s = 0.015, bounce_s = 0.003, status = "true" }

`ROUTe:CLOSe (@1)` and `ROUTe:OPEN (@1)` move it; `ROUTe:CLOSe? (@1)` answers the coil's command,
`SENSe:CONTact? (@1)` the status contact, which is what tells where the main contacts are: it
follows them `status_lag_s` behind and then bounces for `bounce_s`.

With `sync_check = true` it has a synchronism check (ANSI 25): told to close onto a live island it
waits until the differences of frequency, voltage and angle are within `sync_df_hz`, `sync_dv_pu`
and `sync_dtheta_deg`, and closes where the angles meet, within `sync_aim_deg`; an opening ends it.

Mutants: `status` is "true", "stuck_open", "stuck_closed" or "inverted"; `jams` leaves both contacts
where they are. Fault `weld`: the next opening leaves the main contacts closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from gridrig.clock import stream
from gridrig.devices.emulators.bench_terminal import SwitchTerminal
from gridrig.devices.emulators.fault import FaultSpec, OnEvent, no_log
from gridrig.devices.emulators.modbus_face import require
from gridrig.devices.emulators.scpi_face import WIRE_FAULTS, ScpiEmulator
from gridrig.devices.emulators.scpi_instrument import Instrument, ScpiParameters
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.devices.wire.scpi_tree import Handler
from gridrig.devices.wire.scpi_values import parse_channels

STATUSES = ("true", "stuck_open", "stuck_closed", "inverted")
BOUNCES = 2


@dataclass(frozen=True, kw_only=True)
class SwitchParameters(ScpiParameters):
    """What the `emulate` table may say of an emulated contactor.

    Parameters
    ----------
    operate_s, operate_jitter_s : float
        From the command to the contacts, and how much that varies. [s]
    bounce_s : float
        How long the status contact bounces when it moves. [s]
    status_lag_s : float
        How far the status contact follows behind the main ones. [s]
    status : str
        "true", or how the status contact lies.
    jams : bool
        Whether its contacts stay where they are, whatever its coil is told.
    sync_check : bool
        Whether it closes onto a live island only within the following.
    sync_df_hz, sync_dv_pu, sync_dtheta_deg : float
        Largest differences. [Hz, pu, deg]
    sync_aim_deg : float
        Angle at which it closes, if that is within the largest. [deg]
    """

    operate_s: float = 0.015
    operate_jitter_s: float = 0.002
    bounce_s: float = 0.003
    status_lag_s: float = 0.001
    status: str = "true"
    jams: bool = False
    sync_check: bool = False
    sync_df_hz: float = 0.25
    sync_dv_pu: float = 0.10
    sync_dtheta_deg: float = 20.0
    sync_aim_deg: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what no contactor can be."""
        super().__post_init__()
        require("operate_s", self.operate_s, 0.001 <= self.operate_s <= 1, "0.001 to 1")
        jitter = 0 <= self.operate_jitter_s < self.operate_s
        require("operate_jitter_s", self.operate_jitter_s, jitter, "0 to below operate_s")
        require("bounce_s", self.bounce_s, 0 <= self.bounce_s <= 0.1, "0 to 0.1")
        require("status_lag_s", self.status_lag_s, 0 <= self.status_lag_s <= 0.1, "0 to 0.1")
        require("status", self.status, self.status in STATUSES, " or ".join(STATUSES))
        require("sync_df_hz", self.sync_df_hz, 0.001 <= self.sync_df_hz <= 10, "0.001 to 10")
        require("sync_dv_pu", self.sync_dv_pu, 0.0001 <= self.sync_dv_pu <= 1, "0.0001 to 1")
        for key in ("sync_dtheta_deg", "sync_aim_deg"):
            require(key, getattr(self, key), 0.1 <= getattr(self, key) <= 180, "0.1 to 180")

    def closes_within(self) -> dict[str, float]:
        """Return the differences within which it closes onto a live island; empty for any."""
        if not self.sync_check:
            return {}
        return {
            "df_hz": self.sync_df_hz,
            "dv_pu": self.sync_dv_pu,
            "dtheta_deg": self.sync_dtheta_deg,
            "aim_deg": self.sync_aim_deg,
        }


class SwitchEmulator(ScpiEmulator):
    """A contactor: a face on the circuit's switch.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ScpiEmulator`.
    terminal : SwitchTerminal
        Its contacts.
    """

    kind = "switch"
    PARAMETERS: ClassVar[type[SwitchParameters]] = SwitchParameters
    FAULTS: ClassVar[Mapping[str, FaultSpec]] = {
        **WIRE_FAULTS,
        "weld": FaultSpec(
            "weld", "state", "an opening leaves the main contacts closed", (), 'name = "weld"'
        ),
    }

    def __init__(
        self,
        name: str,
        link: SocketLink | SerialLink,
        parameters: SwitchParameters,
        terminal: SwitchTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        self._p, self._terminal = parameters, terminal
        self._random = stream(parameters.seed, f"{name}/contacts")
        self._coil = terminal.contacts()[0]  # one in a feeder may stand closed
        super().__init__(name, link, parameters, self._instrument, on_event)

    def _instrument(self) -> Instrument:
        commands: dict[str, Handler] = {
            "ROUTe:CLOSe": lambda text: self._move(text, True),
            "ROUTe:OPEN": lambda text: self._move(text, False),
        }
        queries: dict[str, Handler] = {
            "ROUTe:CLOSe": lambda text: self._told(text, self._coil),
            "ROUTe:OPEN": lambda text: self._told(text, not self._coil),
            "SENSe:CONTact": lambda text: self._told(text, self._terminal.contacts()[1]),
        }
        return Instrument(
            self.name,
            self._p,
            "contactor",
            self._terminal.now_s,
            commands,
            queries,
            reset=lambda: self._move("(@1)", False),
            trigger=None,
            on_event=self._on_event,
        )

    @staticmethod
    def _told(text: str, closed: bool) -> str:
        return ",".join(str(int(closed)) for _ in parse_channels(text, 1))

    def _status(self, closed: bool) -> bool:
        lies = {"true": closed, "inverted": not closed}
        return lies.get(self._p.status, self._p.status == "stuck_closed")

    def _move(self, text: str, closed: bool) -> None:
        parse_channels(text, 1)
        if closed == self._coil:
            return
        self._coil = closed
        _, status = self._terminal.contacts()
        if self._p.jams:
            return
        if not closed and self._faults.fire("weld") is not None:
            return
        p = self._p
        at_s = p.operate_s + self._random.uniform(-p.operate_jitter_s, p.operate_jitter_s)
        moves = [(at_s, closed, status)]
        shown = self._status(closed)
        if p.bounce_s > 0 and shown != status:
            gaps = sorted(self._random.uniform(0, p.bounce_s) for _ in range(2 * BOUNCES))
            moves += [
                (at_s + p.status_lag_s + gap, closed, shown if k % 2 == 0 else status)
                for k, gap in enumerate(gaps)
            ]
        moves.append((at_s + p.status_lag_s + p.bounce_s, closed, shown))
        moved_s = self._terminal.operate(moves, p.closes_within())
        self._on_event("closes" if closed else "opens", at_s=round(moved_s, 6))
