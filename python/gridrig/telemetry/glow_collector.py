"""Collects Glow's packets: reports by UDP, and by TCP what of them arrived.

A packet is judged in the order: its signature (by the Rust verifier, over the bytes received), then
the rules of `slot_table`. What is refused is counted by its reason. The collector's own history of
slots takes the place of the verifier's replay ledger, because a first report may be lost and come
days later.

Limits: one request on a TCP connection, within 10 s; datagrams of 80 octets, of others only the
length is looked at.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

from gridrig._core import Refusal, Verifier
from gridrig.clock import Clock
from gridrig.errors import MeteringError
from gridrig.metering.keccak_signing import GLOW_GENESIS_S, GLOW_SLOT_S, KeccakSigner, glow_slot
from gridrig.metering.keys import EnrolledKey, enrol_all
from gridrig.telemetry.slot_table import STORED, SlotTable
from gridrig.telemetry.sync_reply import UNKNOWN, SyncReply

FORMAT = "glow"
SYNC_S_MAX = 10.0
OF_AN_HOUR = GLOW_SLOT_S, 3600
Address = tuple[str, int]


class GlowCollector:
    """Takes reports of enrolled equipment.

    Parameters
    ----------
    keys : iterable of EnrolledKey
        Of format `glow`, in the form `even-x`; the serial is the number of the equipment, and
        `export_power_milliwatt_max` its capacity.
    signer : KeccakSigner
        What its answers are signed with.
    clock : Clock
        Of the run.
    on_report : callable
        Told meter, slot and energy [mWh] of each report that is stored.
    """

    def __init__(
        self,
        keys: Iterable[EnrolledKey],
        signer: KeccakSigner,
        clock: Clock,
        on_report: Callable[[str, int, int | None], object] = lambda _meter, _slot, _energy: None,
    ) -> None:
        self._signer, self._clock, self._on_report = signer, clock, on_report
        self._keys = {int(key.serial): key for key in keys if key.format == FORMAT}
        self._verifier = Verifier()
        enrol_all(self._verifier, self._keys.values())
        self.tables = {
            number: SlotTable(_capacity_milliwh(key), self.now())
            for number, key in self._keys.items()
        }
        self.outcomes: Counter[str] = Counter()
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None

    def now(self) -> int:
        """Return the slot that is now."""
        return glow_slot(self._clock.utc_s())

    async def start(self, host: str = "127.0.0.1", *, udp: int = 0, tcp: int = 0) -> None:
        """Listen; port 0 is any free one."""
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Packets(self), local_addr=(host, udp)
        )
        self._tcp = await asyncio.start_server(self._sync, host, tcp)

    @property
    def udp_address(self) -> Address:
        """Where reports go."""
        assert self._udp is not None
        address: Address = self._udp.get_extra_info("sockname")
        return address

    @property
    def tcp_address(self) -> Address:
        """Where is asked what arrived."""
        assert self._tcp is not None
        address: Address = self._tcp.sockets[0].getsockname()
        return address

    async def stop(self) -> None:
        """Stop listening; twice is allowed."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
            await self._tcp.wait_closed()

    def receive(self, packet: bytes) -> str:
        """Judge a packet; return "stored", "repeated" or the code of what is wrong with it."""
        outcome = self._judge(packet)
        self.outcomes[outcome] += 1
        return outcome

    def _judge(self, packet: bytes) -> str:
        # A slot may lie ahead of now: that is for the window to judge, not for the verifier.
        slot = int.from_bytes(packet[4:8], "little")
        at_s = max(self._clock.utc_s(), GLOW_GENESIS_S + (slot + 1) * GLOW_SLOT_S)
        try:
            staged = self._verifier.stage(
                self._verifier.authenticate([packet], at_s=at_s, format=FORMAT)
            )
            found = staged.outcome(0)
        finally:
            with suppress(MeteringError):
                self._verifier.roll_back()
        if isinstance(found, Refusal):
            return found.code
        value = (found.interval_export_milliwh or 0) - (found.interval_import_milliwh or 0)
        table = self.tables[int(found.serial)]
        outcome = table.take(slot, value, packet[:16], self.now())
        if outcome == STORED:
            self._on_report(found.meter, slot, table.slots[slot].energy_milliwh)
        return outcome

    async def _sync(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, TimeoutError, OSError):
                asked = await asyncio.wait_for(reader.readexactly(4), SYNC_S_MAX)
                writer.write(self._answer(int.from_bytes(asked, "little")))
                await writer.drain()
        finally:
            writer.close()

    def _answer(self, equipment: int) -> bytes:
        table = self.tables.get(equipment)
        if table is None:
            return UNKNOWN
        key_x = self._keys[equipment].public_key
        reply = SyncReply(key_x, table.offset, table.bitmap(), self._clock.utc_s())
        return reply.encode(self._signer)


def _capacity_milliwh(key: EnrolledKey) -> int | None:
    power = key.export_power_milliwatt_max
    return None if power is None else power * OF_AN_HOUR[0] // OF_AN_HOUR[1]


class _Packets(asyncio.DatagramProtocol):
    def __init__(self, collector: GlowCollector) -> None:
        self._collector = collector

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._collector.receive(data)
