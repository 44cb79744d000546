"""Faults of the wire, whatever is spoken on it: what becomes of one reply on its way to the client.

`WireFaults.plan` takes a request's bytes and the reply's and returns the steps in which the reply
goes out: waits, pieces of bytes, and what happens to the wire. It does nothing itself, so a TCP
server, an RTU bus, a battery's serial line and a SCPI socket show the same faults. `TCP_FAULTS` and
`LINE_FAULTS` are the entries of the catalogue for sockets and for serial lines; a protocol whose
frames state a length adds `LENGTH_FAULTS`, a wire that comes back under its name `OUTAGE`.

Limits: 4,096 bytes of noise, 64 KiB a plan, 100 waits inside one reply.
"""

import random
from collections.abc import Callable, Iterable, Mapping

from gridrig.devices.emulators.fault import FaultBoard
from gridrig.devices.emulators.fault_spec import (
    DAY_S,
    FaultParameter,
    FaultSpec,
)
from gridrig.devices.wire.steps import ANYTHING, Asked, Step
from gridrig.devices.wire.uart import misheard

NOISE_BYTES_MAX = 4096
WAITS_MAX = 100
Alter = Callable[[bytes], bytes]

_DELAY_S = FaultParameter("delay_s", float, "added before the reply", 0, DAY_S)
_GAP_S = FaultParameter("gap_s", float, "silence between two pieces", 0, DAY_S, 0.0)
_N_BYTES = FaultParameter("n_bytes", int, "random bytes", 1, NOISE_BYTES_MAX)
_FIRST_BYTES = FaultParameter(
    "n_bytes", int, "how many bytes of it; 0: a seeded number", 0, NOISE_BYTES_MAX, 0
)

_FRAME_FAULTS = (
    FaultSpec(
        "late_reply",
        "timing",
        "the reply comes later, and with it those behind it",
        (_DELAY_S,),
        'name = "late_reply", delay_s = 1.5',
    ),
    FaultSpec(
        "jitter",
        "timing",
        "the reply comes later by a seeded time",
        (FaultParameter("jitter_s", float, "most that is added", 0, DAY_S),),
        'name = "jitter", jitter_s = 0.3, for_s = 600',
    ),
    FaultSpec(
        "gap",
        "timing",
        "silence inside the reply",
        (
            FaultParameter("gap_s", float, "how long", 0, DAY_S),
            FaultParameter("at_byte", int, "bytes before it; 0: a seeded number", 0, 4096, 0),
        ),
        'name = "gap", gap_s = 0.05, at_byte = 3',
    ),
    FaultSpec(
        "burst_only",
        "timing",
        "silent unless the request before it came shortly before",
        (FaultParameter("within_s", float, "how shortly", 0, DAY_S),),
        'name = "burst_only", within_s = 0.2, for_s = 60',
    ),
    FaultSpec(
        "no_reply", "timing", "no reply", (), 'name = "no_reply", probability = 0.1, count = 5'
    ),
    FaultSpec(
        "split",
        "framing",
        "the reply comes in pieces, each sent by itself",
        (FaultParameter("piece_bytes", int, "bytes of a piece", 1, 4096, 1), _GAP_S),
        'name = "split", piece_bytes = 1, gap_s = 0.001',
    ),
    FaultSpec(
        "coalesce",
        "framing",
        "the reply waits for the next one; both come in one piece",
        (),
        'name = "coalesce"',
    ),
    FaultSpec(
        "noise",
        "framing",
        "seeded bytes directly before the reply",
        (_N_BYTES,),
        'name = "noise", n_bytes = 7',
    ),
    FaultSpec(
        "noise_after",
        "framing",
        "seeded bytes directly after the reply",
        (_N_BYTES,),
        'name = "noise_after", n_bytes = 7',
    ),
    FaultSpec(
        "truncate",
        "framing",
        "the end of the reply is missing",
        (
            FaultParameter(
                "keep_bytes", int, "bytes that come; 0: a seeded number", 0, NOISE_BYTES_MAX, 0
            ),
        ),
        'name = "truncate"',
    ),
    FaultSpec("line_feed", "framing", "a line feed behind the reply", (), 'name = "line_feed"'),
    FaultSpec("duplicate", "framing", "the reply comes twice", (_GAP_S,), 'name = "duplicate"'),
    FaultSpec(
        "stale_reply",
        "framing",
        "the reply to the request before comes again, and this one's never",
        (),
        'name = "stale_reply"',
    ),
)
_LINE_ONLY = (
    FaultSpec("corrupt", "framing", "the checksum is wrong", (), 'name = "corrupt", count = 2'),
    FaultSpec("echo", "framing", "the client hears its own request first", (), 'name = "echo"'),
    FaultSpec(
        "echo_part",
        "framing",
        "the client hears the beginning of its own request first",
        (_FIRST_BYTES,),
        'name = "echo_part", n_bytes = 3',
    ),
    FaultSpec(
        "wrong_baud",
        "connection",
        "the device sends at another speed: what arrives is what a receiver makes of that",
        (FaultParameter("baudrate", int, "the device's speed in bit/s", 50, 4_000_000),),
        'name = "wrong_baud", baudrate = 19200, for_s = 30',
    ),
    FaultSpec("unplug", "connection", "the plug is pulled and stays out", (), 'name = "unplug"'),
)
_SOCKET_ONLY = (
    FaultSpec(
        "reset",
        "connection",
        "the connection is reset after the beginning of the reply",
        (_FIRST_BYTES,),
        'name = "reset", n_bytes = 4',
    ),
    FaultSpec(
        "half_open",
        "connection",
        "the connection stays open and nothing comes on it any more",
        (),
        'name = "half_open"',
    ),
    FaultSpec(
        "close_idle",
        "connection",
        "a connection on which nothing was asked for a while is closed",
        (FaultParameter("idle_s", float, "how long a while", 0, DAY_S),),
        'name = "close_idle", idle_s = 5, for_s = 600',
    ),
    FaultSpec(
        "max_clients",
        "connection",
        "a client beyond this number is disconnected as it comes",
        (FaultParameter("clients", int, "connections it bears", 0, 64),),
        'name = "max_clients", clients = 1, for_s = 600',
    ),
    FaultSpec("unplug", "connection", "the plug is pulled and stays out", (), 'name = "unplug"'),
)


def by_name(specs: Iterable[FaultSpec]) -> dict[str, FaultSpec]:
    """Return entries of the catalogue by their names."""
    return {spec.name: spec for spec in specs}


TCP_FAULTS: Mapping[str, FaultSpec] = by_name((*_FRAME_FAULTS, *_SOCKET_ONLY))
LINE_FAULTS: Mapping[str, FaultSpec] = by_name((*_FRAME_FAULTS, *_LINE_ONLY))
OUTAGE: Mapping[str, FaultSpec] = by_name(
    (
        FaultSpec(
            "outage",
            "connection",
            "the wire is lost at once, with every unit on it, and is back after a time",
            (FaultParameter("down_s", float, "how long it is away", 0, DAY_S),),
            'name = "outage", down_s = 5',
        ),
    )
)
LENGTH_FAULTS: Mapping[str, FaultSpec] = by_name(
    (
        FaultSpec(
            "wrong_length",
            "framing",
            "the length that the reply states is not its length; its checksum is right",
            (),
            'name = "wrong_length"',
        ),
    )
)
BIT_FLIP: Mapping[str, FaultSpec] = by_name(
    (
        FaultSpec(
            "bit_flip",
            "framing",
            "one seeded bit of the reply is turned; its checksum is that of what was meant",
            (),
            'name = "bit_flip", probability = 0.05, for_s = 3600',
        ),
    )
)
"""For wires whose every frame has a checksum that finds one turned bit."""


class WireFaults:
    """What one device's wire does to its replies.

    Parameters
    ----------
    board : FaultBoard
        Where they are armed.
    random : random.Random
        The device's stream for noise and places.
    spoil : callable or None
        Returns a frame with a wrong checksum; None where frames have none.
    mislength : callable or None
        Returns a frame whose stated length is wrong and whose checksum is right.
    baudrate : int
        Speed of a serial line; 0 on a socket. [bit/s]
    """

    def __init__(
        self,
        board: FaultBoard,
        random: random.Random,
        *,
        spoil: Alter | None = None,
        mislength: Alter | None = None,
        baudrate: int = 0,
    ) -> None:
        self._board = board
        self._random = random
        self._spoil = spoil
        self._mislength = mislength
        self._baudrate = baudrate
        self._before = b""
        self._held = b""
        self._asked_at_s = float("-inf")

    def plan(
        self,
        request: bytes,
        reply: bytes | None,
        *,
        now_s: float,
        asked: Asked = ANYTHING,
        delay_s: float = 0.0,
    ) -> list[Step]:
        """Return the steps in which a reply goes out; empty if nothing does.

        Parameters
        ----------
        request, reply : bytes
            Frames as on the wire; a reply of None is a device that stays silent.
        now_s : float
            When the request was complete. [s]
        asked : Asked
            What the request is, for faults that choose by it.
        delay_s : float
            The device's own time from request to reply. [s]
        """
        before, self._before = self._before, self._before if reply is None else reply
        earlier_s, self._asked_at_s = self._asked_at_s, now_s
        if self._board.quiet and not self._held:
            return [] if reply is None else [Step(reply, delay_s)]
        fire = self._board.fire
        steps = self._echo(request, asked)
        if reply is None or fire("no_reply", asked) is not None:
            return steps
        burst = self._board.peek("burst_only", asked)
        if burst is not None and now_s - earlier_s > float(burst["within_s"]):
            fire("burst_only", asked)
            return steps
        if (late := fire("late_reply", asked)) is not None:
            delay_s += float(late["delay_s"])
        if (jitter := fire("jitter", asked)) is not None:
            delay_s += self._random.uniform(0.0, float(jitter["jitter_s"]))
        if fire("stale_reply", asked) is not None:
            reply = before
        frame = self._held + self._altered(reply, asked)
        self._held = b""
        if fire("coalesce", asked) is not None:
            self._held = frame
            return steps
        return steps + self._pieces(frame, delay_s, asked)

    def _echo(self, request: bytes, asked: Asked) -> list[Step]:
        if self._board.fire("echo", asked) is not None:
            return [Step(request)]
        if (part := self._board.fire("echo_part", asked)) is not None:
            return [Step(request[: self._place(int(part["n_bytes"]), len(request))])]
        return []

    def _place(self, stated: int, length: int) -> int:
        """Return a place inside a frame: the stated one, or a seeded one if that is 0."""
        if length < 2:
            return length
        return min(stated, length) if stated else self._random.randrange(1, length)

    def _altered(self, frame: bytes, asked: Asked) -> bytes:
        fire, random = self._board.fire, self._random
        if self._mislength is not None and fire("wrong_length", asked) is not None:
            frame = self._mislength(frame)
        if self._spoil is not None and fire("corrupt", asked) is not None:
            frame = self._spoil(frame)
        if frame and fire("bit_flip", asked) is not None:
            bit = random.randrange(8 * len(frame))
            frame = (int.from_bytes(frame, "big") ^ 1 << bit).to_bytes(len(frame), "big")
        if (cut := fire("truncate", asked)) is not None:
            frame = frame[: self._place(int(cut["keep_bytes"]), len(frame))]
        if fire("line_feed", asked) is not None:
            frame += b"\n"
        if (noise := fire("noise", asked)) is not None:
            frame = random.randbytes(int(noise["n_bytes"])) + frame
        if (noise := fire("noise_after", asked)) is not None:
            frame += random.randbytes(int(noise["n_bytes"]))
        if self._baudrate and (wrong := fire("wrong_baud", asked)) is not None:
            frame = misheard(frame, int(wrong["baudrate"]), self._baudrate)
        return frame

    def _pieces(self, frame: bytes, delay_s: float, asked: Asked) -> list[Step]:
        fire = self._board.fire
        steps = [Step(frame, delay_s)]
        if (gap := fire("gap", asked)) is not None:
            at = self._place(int(gap["at_byte"]), len(frame))
            steps = [Step(frame[:at], delay_s), Step(frame[at:], float(gap["gap_s"]))]
        if (split := fire("split", asked)) is not None:
            # Beyond the bound the rest comes in one piece.
            size, wait_s = int(split["piece_bytes"]), float(split["gap_s"])
            places = [*range(size, len(frame), size)][:WAITS_MAX]
            parts = zip([0, *places], [*places, len(frame)], strict=True)
            steps = [Step(frame[a:b], wait_s if a else delay_s) for a, b in parts]
        if (twice := fire("duplicate", asked)) is not None:
            steps.append(Step(frame, float(twice["gap_s"])))
        if (reset := fire("reset", asked)) is not None:
            kept = frame[: self._place(int(reset["n_bytes"]), len(frame))]
            steps = [Step(kept, delay_s, "reset")]
        if fire("half_open", asked) is not None:
            steps = [Step(b"", delay_s, "mute")]
        return steps
