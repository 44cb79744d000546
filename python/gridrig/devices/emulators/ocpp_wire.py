"""What an emulated charger's connection does to its answers: the wire faults that OCPP can show.

A websocket carries whole messages in order, so nothing is cut into pieces, merged or echoed. What
remains: an answer that comes late, twice, damaged, with another's identifier, as an error, or not.
The charger's own messages go out as they are; `offline` takes them all.
"""

import asyncio
import json
import random
from collections.abc import Mapping
from typing import Any, Protocol

from gridrig.devices.emulators.fault import Asked, FaultBoard
from gridrig.devices.emulators.fault_spec import FaultSpec
from gridrig.devices.emulators.wire_faults import LINE_FAULTS, WireFaults, by_name

CALL, ANSWERS = 2, (3, 4)
CALL_ERROR = 4
OF_EVERY_WIRE = (
    *("late_reply", "jitter", "burst_only", "no_reply"),
    *("truncate", "corrupt", "noise_after", "duplicate", "stale_reply"),
)
OCPP_WIRE_FAULTS: Mapping[str, FaultSpec] = {
    **{name: LINE_FAULTS[name] for name in OF_EVERY_WIRE},
    **by_name(
        (
            FaultSpec(
                "wrong_id",
                "identity",
                "the answer carries an identifier that nobody asked with",
                (),
                'name = "wrong_id"',
            ),
            FaultSpec(
                "call_error",
                "semantics",
                "the answer is the error InternalError",
                (),
                'name = "call_error", command = "SetChargingProfile"',
            ),
        )
    ),
}


class Connection(Protocol):
    """What carries messages."""

    async def recv(self) -> str | bytes:
        """Return the next message."""

    async def send(self, message: str) -> None:
        """Send a message."""


class FaultyConnection:
    """A charger's connection that shows the faults armed on it.

    Parameters
    ----------
    connection : Connection
        What is spoken on.
    board : FaultBoard
        Where they are armed; `command` chooses by the action that was asked.
    stream : random.Random
        The device's stream for places and noise.
    """

    def __init__(self, connection: Connection, board: FaultBoard, stream: random.Random) -> None:
        self._connection, self._board = connection, board
        self._wire = WireFaults(board, stream, spoil=_spoilt)
        self._asked: dict[str, str] = {}  # action by identifier, until it is answered

    async def recv(self) -> str | bytes:
        """Return the management system's next message."""
        message = await self._connection.recv()
        said = _parts(message)
        if said and said[0] == CALL and len(said) > 2:
            self._asked[str(said[1])] = str(said[2])
        return message

    async def send(self, message: str) -> None:
        """Send a message; an answer may fare badly."""
        said = _parts(message)
        if not said or said[0] not in ANSWERS:
            await self._connection.send(message)
            return
        asked = Asked(command=self._asked.pop(str(said[1]), None))
        if self._board.fire("wrong_id", asked) is not None:
            said[1] = f"{said[1]}-of-another"
        if self._board.fire("call_error", asked) is not None:
            said = [CALL_ERROR, said[1], "InternalError", "", {}]
        reply = json.dumps(said).encode()
        now_s = asyncio.get_running_loop().time()
        for step in self._wire.plan(b"", reply, now_s=now_s, asked=asked):
            await asyncio.sleep(step.wait_s)
            await self._connection.send(step.data.decode("latin-1"))


def _parts(message: str | bytes) -> list[Any]:
    try:
        said = json.loads(message)
    except ValueError:
        return []
    return said if isinstance(said, list) and len(said) > 1 else []


def _spoilt(reply: bytes) -> bytes:
    """Return an answer with a bracket lost: JSON has no checksum that would tell more."""
    return reply[1:]
