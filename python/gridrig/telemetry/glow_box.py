"""A box that reads a meter of the rig and reports its energy by slots, as Glow's monitors do.

Each slot is what the meter counted since the last report that told an energy, so energy that is
too small for a report, or that a silent meter kept, is in the next one. What the collector has not
heard is found by its bitmap and sent again, one report a second.

Limits: the history of 4,032 slots; known gap: a box that restarts forgets what it reported.
"""

import asyncio
from typing import Any, Protocol

from gridrig.clock import Clock
from gridrig.errors import DriverError, MeteringError
from gridrig.metering.keccak_signing import KeccakSigner, glow_report
from gridrig.telemetry.slot_table import NOT_READ, SLOTS, ZERO_POWER
from gridrig.telemetry.sync_reply import decode_sync

RESEND_S = 1.0
SYNC_S_MAX = 10.0
REPLY_BYTES_MAX = 4096
_SAID_OTHERWISE = range(0, 4)  # energies whose numbers mean something else


class ReadMeter(Protocol):
    """What a box needs of a meter's driver."""

    async def read(self) -> Any:
        """Return a `MeterReading`."""


class GlowBox:
    """A box beside one meter.

    Parameters
    ----------
    meter : driver
        Whose registers are told.
    equipment : int
        Its number at the collector.
    signer : KeccakSigner
        Its key.
    server_key_x : bytes
        The collector's key.
    clock : Clock
        Of the run.
    """

    def __init__(
        self, meter: ReadMeter, equipment: int, signer: KeccakSigner, server_key_x: bytes,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._meter, self._signer, self._clock = meter, signer, clock
        self.equipment, self._server_key_x = equipment, server_key_x
        self.history: dict[int, int] = {}  # what was told of each slot
        self._told_milliwh = 0  # the meter's net register as far as it was told
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp = ("", 0)

    async def open(self, udp: tuple[str, int], tcp: tuple[str, int]) -> None:
        """Take the collector's addresses, and where the meter stands now."""
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=udp
        )
        self._tcp = tcp
        self._told_milliwh = await self._net_milliwh()

    def close(self) -> None:
        """Send nothing any more."""
        if self._udp is not None:
            self._udp.close()

    async def report(self, slot: int) -> None:
        """Read the meter at the end of a slot and tell what it counted."""
        try:
            energy = await self._net_milliwh() - self._told_milliwh
        except DriverError:
            value = NOT_READ
        else:
            value = ZERO_POWER if energy in _SAID_OTHERWISE else energy
            self._told_milliwh += energy if value == energy else 0
        self.history[slot] = value
        self.history.pop(slot - SLOTS, None)
        self._send(slot)

    async def sync(self) -> int:
        """Ask what arrived, send the others again; return how many.

        Raises
        ------
        MeteringError
            `telemetry.sync_*`.
        """
        reply = decode_sync(await asyncio.wait_for(self._ask(), SYNC_S_MAX), self._server_key_x)
        if reply.key_x != self._signer.public_key_x:
            raise MeteringError("telemetry.sync_format", "the answer is for another equipment")
        missing = [slot for slot in sorted(self.history) if not reply.heard(slot)]
        for slot in missing:
            self._send(slot)
            await self._clock.sleep(RESEND_S)
        return len(missing)

    def _send(self, slot: int) -> None:
        assert self._udp is not None
        self._udp.sendto(glow_report(self._signer, self.equipment, slot, self.history[slot]))

    async def _ask(self) -> bytes:
        reader, writer = await asyncio.open_connection(*self._tcp)
        try:
            writer.write(self.equipment.to_bytes(4, "little"))
            await writer.drain()
            reply = b""
            while len(reply) < REPLY_BYTES_MAX and (part := await reader.read(REPLY_BYTES_MAX)):
                reply += part
            return reply
        finally:
            writer.close()

    async def _net_milliwh(self) -> int:
        reading = await self._meter.read()
        return int(reading.export_milliwh or 0) - int(reading.import_milliwh or 0)
