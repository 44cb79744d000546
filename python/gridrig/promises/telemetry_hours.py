"""Hours of boxes beside the meters of a bench, over a network that loses what they tell."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gridrig.campaign.lab import Lab
from gridrig.metering.keccak_signing import GLOW_SLOT_S, KeccakSigner
from gridrig.metering.keys import EnrolledKey
from gridrig.rig.device import InverterLimits
from gridrig.telemetry.enrolled_boxes import arkreen_key, glow_key
from gridrig.telemetry.glow_box import GlowBox
from gridrig.telemetry.glow_collector import GlowCollector
from gridrig.telemetry.lossy_relay import LossyRelay
from gridrig.telemetry.miner_box import SAMPLES, MinerBox
from gridrig.telemetry.miner_collector import MinerCollector

SLOTS = 54  # four and a half hours, after which a box of Glow's asks what arrived
LOSS, DOUBLED, LATE_S = 0.4, 0.1, 700.0
STEP_S = 30.0
SEED = 1
_LAST_SAMPLE = SLOTS - SLOTS % SAMPLES  # of the last hour that is full


@dataclass(frozen=True)
class Place:
    """An inverter and the meter beside it, where two boxes are put up."""

    number: int
    inverter: str
    meter: str
    power_milliwatt_max: int

    def signer(self, kind: str) -> KeccakSigner:
        """Return what the box of a kind signs with."""
        return KeccakSigner.from_seed(SEED, f"{kind} box of {self.meter}")

    def enrolled(self) -> tuple[EnrolledKey, EnrolledKey]:
        """Return how both boxes are enrolled."""
        most = self.power_milliwatt_max
        return (
            glow_key(self.meter, self.number, self.signer("glow"), power_milliwatt_max=most),
            arkreen_key(self.meter, self.signer("arkreen"), power_milliwatt_max=most),
        )


@dataclass
class Boxes:
    """The boxes beside one meter, and what is known of its place from elsewhere.

    `inverter_milliwh` is what the inverter's own telemetry says it gave; `registers_milliwh` where
    the meter's net register stood, at first and at the end of each slot. [mWh]
    """

    inverter: str
    meter: str
    glow: GlowBox
    relay: LossyRelay
    miner: MinerBox
    inverter_milliwh: float = 0.0
    registers_milliwh: list[int] = field(default_factory=list)

    @property
    def metered_milliwh(self) -> int:
        """What the register moved by. [mWh]"""
        return self.registers_milliwh[-1] - self.registers_milliwh[0]


@dataclass
class Telemetry:
    """Both collectors and all boxes, while they run."""

    glow: GlowCollector
    miners: MinerCollector
    boxes: list[Boxes]
    missing_before_sync: int = 0

    @property
    def lost_share(self) -> float:
        """Share of the reports that did not get through by themselves."""
        return self.missing_before_sync / (SLOTS * len(self.boxes))

    def judged(self) -> Iterator[tuple[str, str, float | None]]:
        """Yield name, unit and value of what is judged of the boxes; None without any."""
        missing = banned = aside = 0
        slots_off = hours_off = 0
        energy_off = 0.0
        for boxes in self.boxes:
            heard = self.glow.tables[boxes.glow.equipment].slots
            missing += sum(slot not in heard for slot in boxes.glow.history)
            banned += sum(slot.banned for slot in heard.values())
            told = sum(slot.energy_milliwh or 0 for slot in heard.values())
            slots_off = max(slots_off, abs(told - boxes.metered_milliwh))
            of = max(boxes.inverter_milliwh, 1.0)
            energy_off = max(energy_off, abs(boxes.metered_milliwh - of) / of)
            first, last = boxes.registers_milliwh[SAMPLES], boxes.registers_milliwh[_LAST_SAMPLE]
            counted = self.miners.energy_milliwh[boxes.meter]
            hours_off = max(hours_off, abs(counted - (last - first)))
            aside += sum(meter == boxes.meter for meter, _, _ in self.miners.set_aside)
        yield "slots_missing", "1", missing if self.boxes else None
        yield "slots_unlike_register_milliwh", "mWh", slots_off if self.boxes else None
        yield "slots_banned", "1", banned if self.boxes else None
        yield "energy_unlike_inverter", "1", energy_off if self.boxes else None
        yield "samples_set_aside", "1", aside if self.boxes else None
        yield "samples_unlike_register_milliwh", "mWh", hours_off if self.boxes else None


async def run_hours(
    lab: Lab,
    others: Sequence[EnrolledKey],
    then: Callable[[Telemetry], Awaitable[None]] | None,
    box_kind: type[GlowBox] = GlowBox,
) -> Telemetry:
    """Let the boxes report for 54 slots and sync once; do `then` while everybody listens.

    `others` are keys that are enrolled beside those of the boxes.
    """
    server = KeccakSigner.from_seed(SEED, "collector")
    places = [
        Place(number, device.name, meter.name, round(1000 * rated_w(lab, device.name)))
        for number, device in enumerate(lab.rig.of("inverter"), start=7)
        if (meter := lab.rig.meter_of(device.name)) is not None
    ]
    keys = [key for place in places for key in place.enrolled()]
    glow = GlowCollector([*keys, *others], server, lab.clock)
    miners = MinerCollector([*keys, *others], lab.clock)
    found = Telemetry(glow, miners, [])
    await glow.start()
    await miners.server.start()
    try:
        for place in places:
            meter = lab.driver(place.meter)
            relay = LossyRelay(
                glow.udp_address, place.number, loss=LOSS, doubled=DOUBLED, late_s_max=LATE_S
            )
            box = box_kind(
                meter, place.number, place.signer("glow"), server.public_key_x, lab.clock
            )
            miner = MinerBox(meter, place.signer("arkreen"), miners.server.address, lab.clock)
            found.boxes.append(Boxes(place.inverter, place.meter, box, relay, miner))
        await _hours(lab, found)
        if then is not None:
            await then(found)
    finally:
        for boxes in found.boxes:
            boxes.glow.close()
            boxes.relay.stop()
        await glow.stop()
        await miners.server.stop()
    return found


async def _hours(lab: Lab, found: Telemetry) -> None:
    await lab.pass_time(GLOW_SLOT_S - lab.clock.utc_s() % GLOW_SLOT_S, step_s=STEP_S)
    for boxes in found.boxes:
        await boxes.glow.open(await boxes.relay.start(), found.glow.tcp_address)
        await _note_register(lab, boxes)
    for number in range(SLOTS):
        sun = 0.2 + 0.6 * math.sin(math.pi * number / SLOTS)
        for boxes in found.boxes:
            lab.give(boxes.inverter, sun * rated_w(lab, boxes.inverter))
        await lab.pass_time(GLOW_SLOT_S / 2, step_s=STEP_S)
        for boxes in found.boxes:
            reading = await lab.driver(boxes.inverter).read()
            boxes.inverter_milliwh += reading.p_w * 1000 * GLOW_SLOT_S / 3600
        await lab.pass_time(GLOW_SLOT_S / 2, step_s=STEP_S)
        ended = found.glow.now() - 1
        for boxes in found.boxes:
            await _note_register(lab, boxes)
            await boxes.miner.sample()
            await boxes.glow.report(ended)
    for boxes in found.boxes:
        heard = found.glow.tables[boxes.glow.equipment].slots
        found.missing_before_sync += sum(slot not in heard for slot in boxes.glow.history)
        boxes.relay.loss = 0.0
    await asyncio.gather(*(boxes.glow.sync() for boxes in found.boxes))
    await lab.clock.sleep(LATE_S)


async def _note_register(lab: Lab, boxes: Boxes) -> None:
    reading = await lab.driver(boxes.meter).read()
    net_milliwh = (reading.export_milliwh or 0) - (reading.import_milliwh or 0)
    boxes.registers_milliwh.append(net_milliwh)


def rated_w(lab: Lab, inverter: str) -> float:
    """Return what an inverter can give, as the rig declares it. [W]"""
    limits = lab.rig.device(inverter).limits
    assert isinstance(limits, InverterLimits)
    return limits.p_w_max
