"""What is tried against an inverter by those who have no business on its wire."""

import asyncio
import random
import ssl
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gridrig.clock import Clock
from gridrig.devices.links import ModbusTcpLink
from gridrig.devices.wire.modbus_authority import EXPIRED, WITHOUT_ROLE, files_of, make_keys
from gridrig.devices.wire.sunspec_roles import GRID_SERVICE, READ_ONLY
from gridrig.errors import DriverError
from gridrig.promises.strangers import (
    BROADCAST,
    Refused,
    Session,
    SetPoints,
    Target,
    connected,
    owner,
    stranger,
    tapped,
    target_of,
)

HIGH, LOW, HOSTILE = 0.6, 0.5, 0.2  # of the rating: what the bench sets, and what strangers would
BETWEEN_S = 0.1
RECORDINGS, REPLAYS = 4, 5
REPLAY_S = 2.0
ROUNDS = 3
MALFORMED, IN_A_ROW, NO_TLS = 120, 3, 60
FLOOD_S = 20.0
FLOODERS, FLOOD_EVERY_S = 30, 0.5
HALF_OPEN = 100
HELD_WAIT_S = 40.0
HELLO = bytes.fromhex("1603010200010001fc0303")  # a ClientHello begins so; more never comes


@dataclass
class Tried:
    """What strangers tried, and what came of it.

    Parameters
    ----------
    set_points : int
        Requests to set something.
    unsafe : list of str
        Those after which the device was not as its bench had set it, or did not say.
    answered : list of str
        Requests to set something that were answered as if by right.
    refused : Counter
        How the others ended, by who tried and what he was told.
    flooded : int
        Requests and handshakes of the flood.
    held_s : float
        How long the longest half-open handshake was held. [s]
    """

    set_points: int = 0
    unsafe: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    flooded: int = 0
    held_s: float = 0.0

    def told(self) -> str:
        """Return how strangers were refused, each with its count."""
        return "; ".join(f"{who}: {how} x{n}" for (who, how), n in sorted(self.refused.items()))


@dataclass(frozen=True)
class Attacked:
    """A device under attack, and the owner's own connection, which looks at it after each attempt.

    A driver reads settings only now and then, so what it says of a limit may be older than a write.

    Parameters
    ----------
    link : ModbusTcpLink
        The bench's own way to it.
    driver : driver of an inverter
        The bench's.
    rating_w : float
        What shares are of. [W]
    clock : Clock
        The run's.
    session : Session
        The owner's, open all the time.
    set_points : SetPoints
        Where they are.
    high_raw : int
        What the limit register says when the bench has set `HIGH`.
    """

    link: ModbusTcpLink
    driver: Any
    rating_w: float
    clock: Clock
    session: Session
    set_points: SetPoints
    high_raw: int

    @property
    def target(self) -> Target:
        """Where strangers find it."""
        return target_of(self.link)

    def writes(self) -> dict[str, bytes]:
        """Return what strangers write, by what it would do."""
        return self.set_points.writes(round(self.high_raw * HOSTILE / HIGH))

    async def record(self) -> list[bytes]:
        """Return recordings of an owner's set points, as they went over the wire."""
        pdu = self.writes()["limit by function 16"]
        heard = []
        for _ in range(RECORDINGS):
            async with tapped(self.target) as (through, bytes_sent):
                async with connected(through, owner(self.link)) as session:
                    await session.ask(pdu)
                heard.append(bytes(bytes_sent))
        await self.driver.set_limit_w(HIGH * self.rating_w)
        return heard

    async def replay(self, recordings: Sequence[bytes], tried: Tried) -> None:
        """Send each recording again, several times, on connections of a stranger's own."""
        for recording in list(recordings) * REPLAYS:
            tried.set_points += 1
            try:
                async with connected(self.target, None) as session:
                    await session.throw(recording)
                    closed = await session.ended(REPLAY_S)
                how = "closed" if closed else "left open"
            except Refused as refusal:
                how = str(refusal)
            tried.refused["recorded bytes", how] += 1
            await self.look("recorded bytes", tried)

    async def look(self, who: str, tried: Tried) -> None:
        """Read the device; note and put right what its bench has not set."""
        try:
            enable, share, service = await self._registers()
            shares = (self.high_raw, round(self.high_raw * LOW / HIGH))
            if (enable, service) != (1, 1) or min(abs(share - right) for right in shares) > 1:
                tried.unsafe.append(who)
                await self.driver.set_connect(True)
                await self.driver.set_limit_w(HIGH * self.rating_w)
        except (Refused, DriverError) as error:
            tried.unsafe.append(f"{who}: unknown, {error}")
        await self.clock.sleep(BETWEEN_S)

    async def _registers(self) -> tuple[int, int, int]:
        try:
            return await self.set_points.read(self.session)
        except Refused:  # a device may close what is idle
            async with connected(self.target, owner(self.link)) as session:
                return await self.set_points.read(session)


async def attack(attacked: Attacked, recordings: Sequence[bytes], keys: Path) -> Tried:
    """Try everything, one after the other.

    Parameters
    ----------
    attacked : Attacked
        The device.
    recordings : sequence of bytes
        Of an owner's set points.
    keys : Path
        Folder with certificates of a reader, of somebody without role, and of one that is over.
    """
    tried = Tried()
    writes = attacked.writes()
    await attacked.replay(recordings, tried)
    with TemporaryDirectory() as folder:
        foreign = Path(folder) / "keys"
        make_keys(foreign, [attacked.link.host], name="a stranger", days=2)
        for who, tls in _strangers(attacked.link, keys, foreign).items():
            for what, pdu in writes.items():
                await _set(attacked, tls, who, what, pdu, tried)
    reader = stranger(*files_of(keys, READ_ONLY)[1:])
    for _ in range(ROUNDS):
        for what, pdu in writes.items():
            await _set(attacked, reader, "reader", what, pdu, tried)
    await _set(attacked, reader, "reader", "broadcast", writes["out of service"], tried, BROADCAST)
    await _malformed(attacked, reader, tried)
    await _flood(attacked, reader, tried)
    await _half_open(attacked, tried)
    return tried


def _strangers(link: ModbusTcpLink, keys: Path, foreign: Path) -> dict[str, ssl.SSLContext | None]:
    return {
        "plain Modbus": None,
        "no certificate": stranger(),
        "foreign authority": stranger(*files_of(foreign, GRID_SERVICE)[1:]),
        "expired": stranger(*files_of(keys, EXPIRED)[1:]),
        "no role": stranger(*files_of(keys, WITHOUT_ROLE)[1:]),
    }


async def _set(
    attacked: Attacked,
    tls: ssl.SSLContext | None,
    who: str,
    what: str,
    pdu: bytes,
    tried: Tried,
    unit: int | None = None,
) -> None:
    tried.set_points += 1
    try:
        async with connected(attacked.target, tls) as session:
            await session.ask(pdu, unit=unit)
        tried.answered.append(f"{who}: {what}")
    except Refused as refusal:
        tried.refused[who, str(refusal)] += 1
    await attacked.look(f"{who}: {what}", tried)


async def _malformed(attacked: Attacked, reader: ssl.SSLContext, tried: Tried) -> None:
    """Throw what is no frame, or nearly one: within TLS as a reader, and without TLS."""
    chance = random.Random(1)
    for tls, who, count in ((reader, "malformed", MALFORMED), (None, "no TLS", NO_TLS)):
        for _ in range(count // IN_A_ROW):
            try:
                async with connected(attacked.target, tls) as session:
                    for _ in range(IN_A_ROW):
                        await session.throw(_nearly_a_frame(chance))
                        await attacked.clock.sleep(BETWEEN_S)
                how = "not closed"
            except Refused as refusal:
                how = str(refusal)
            tried.refused[who, how] += 1
            await attacked.look(who, tried)


def _nearly_a_frame(chance: random.Random) -> bytes:
    body = chance.randbytes(chance.randrange(0, 60))
    head = struct.pack(
        ">HHH", chance.randrange(65_536), chance.choice((0, 0, 1)), chance.randrange(300)
    )
    function = bytes((chance.choice((0, 1, 255)), chance.choice((0, 3, 6, 15, 16, 22, 23, 90))))
    return chance.choice((body, head + body, head + function + body)) or b"\0"


async def _flood(attacked: Attacked, reader: ssl.SSLContext, tried: Tried) -> None:
    """Ask as a reader and knock without a certificate, both many times as often as the bench."""
    end_s = attacked.clock.now_s() + FLOOD_S
    nobody = stranger()

    async def asks() -> None:
        while attacked.clock.now_s() < end_s:
            try:
                async with connected(attacked.target, reader) as session:
                    while attacked.clock.now_s() < end_s:
                        tried.flooded += 1
                        await session.read(40_000, 100)
                        await attacked.clock.sleep(FLOOD_EVERY_S)
            except Refused as refusal:
                tried.refused["flood of a reader", str(refusal)] += 1
                await attacked.clock.sleep(FLOOD_EVERY_S)

    async def knocks() -> None:
        while attacked.clock.now_s() < end_s:
            tried.flooded += 1
            try:
                async with connected(attacked.target, nobody) as session:
                    await session.read(40_000, 2)
                tried.answered.append("flood without certificate: reading")
            except Refused as refusal:
                tried.refused["flood without certificate", str(refusal)] += 1
            await attacked.clock.sleep(FLOOD_EVERY_S)

    await asyncio.gather(*(asks() if k % 2 else knocks() for k in range(FLOODERS)))
    await attacked.look("flood", tried)


async def _half_open(attacked: Attacked, tried: Tried) -> None:
    """Begin handshakes and never go on with them; learn how long the device waits."""
    clock = attacked.clock

    async def waits() -> float:
        begin_s = clock.now_s()
        try:
            async with connected(attacked.target, None) as session:
                await session.throw(HELLO)
                ended = await session.ended(HELD_WAIT_S)
            tried.refused["half open", "closed" if ended else "held"] += 1
        except Refused as refusal:
            tried.refused["half open", str(refusal)] += 1
        return clock.now_s() - begin_s

    tried.held_s = max(await asyncio.gather(*(waits() for _ in range(HALF_OPEN))))
    await attacked.look("half open", tried)
