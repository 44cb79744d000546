"""Hostile traffic against an inverter on plain Modbus TCP: what is refused, and what is not.

Row M28 of `gridrig promises` is proven on a secured wire, `hil/promises/test_hostile_traffic.py`.
Plain Modbus has nobody to refuse, and these tests keep the measured answer.
"""

import asyncio
import random
import struct

import pytest

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.lab import Lab, open_lab
from gridrig.clock import Clock, run_virtual
from gridrig.rig.description import load_rig

START = 1_466_424_000
STRANGERS = 40
POLL_S = 1.0
FLOOD_S = 20.0


async def stranger(lab: Lab) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    where = lab.bench.emulators["pv-1"].endpoint
    return await asyncio.open_connection(where["host"], where["port"])


def limit_w(lab: Lab) -> float | None:
    return lab.world.terminal(lab.street.devices["pv-1"]).limit_w


def attack(act):
    async def main(clock: Clock):
        async with open_lab(load_rig(RIGS / "one-inverter.toml"), clock, [], []) as lab:
            await lab.pass_time(60.0, step_s=5.0)
            await lab.driver("pv-1").set_limit_w(6_000.0)
            await lab.pass_time(5.0, step_s=1.0)
            return await act(lab)

    return run_virtual(main, start_utc_s=START)


def test_no_malformed_frame_changes_anything_and_the_driver_reads_on():
    chance = random.Random(1)

    async def act(lab: Lab) -> None:
        before = limit_w(lab)
        for _ in range(200):
            _, writer = await stranger(lab)
            body = chance.randbytes(chance.randrange(0, 60))
            head = struct.pack(
                ">HHH", chance.randrange(65536), chance.choice((0, 0, 1)), chance.randrange(300)
            )
            # A valid write is not malformed: the function codes of writes are left out.
            unit_and_function = bytes((1, chance.choice((0, 3, 4, 7, 43, 90, 131, 255))))
            writer.write(chance.choice((body, head + body, head + unit_and_function + body)))
            await lab.clock.sleep(0.05)
            writer.close()
        reading = await lab.driver("pv-1").read()
        assert (limit_w(lab), reading.connected) == (before, True)

    attack(act)


def test_a_flood_at_forty_times_the_poll_is_over_within_ten_seconds():
    async def act(lab: Lab) -> float:
        end_s = lab.clock.now_s() + FLOOD_S

        async def flood() -> None:
            reader, writer = await stranger(lab)
            number = 0
            while lab.clock.now_s() < end_s:
                number += 1
                writer.write(struct.pack(">HHHBBHH", number, 0, 6, 1, 3, 40_000, 100))
                await reader.read(512)
                await lab.clock.sleep(POLL_S)
            writer.close()

        attackers = [asyncio.create_task(flood()) for _ in range(STRANGERS)]
        read = 0
        while lab.clock.now_s() < end_s:
            read += (await lab.driver("pv-1").read()).connected
            await lab.clock.sleep(POLL_S)
        await asyncio.gather(*attackers)
        assert read >= 15, "the driver must be served during the flood"
        begin_s = lab.clock.now_s()
        await lab.driver("pv-1").read()
        return lab.clock.now_s() - begin_s

    assert attack(act) <= 10.0


@pytest.mark.parametrize("times", [1, 20])
def test_on_plain_modbus_a_strangers_replayed_set_point_is_carried_out(times):
    """The measured no on plain wires: there is nobody to ask who writes."""

    async def act(lab: Lab) -> int:
        driver, carried = lab.driver("pv-1"), 0
        reader, writer = await stranger(lab)
        device = driver.driver
        for _ in range(times):
            sent = await recorded_limit(lab, 2_000.0)
            await driver.set_limit_w(6_000.0)
            await lab.pass_time(2.0, step_s=1.0)
            before = limit_w(lab)
            for frame in sent:
                writer.write(frame)
                await reader.read(512)
            await lab.pass_time(2.0, step_s=1.0)
            carried += limit_w(lab) != before
        writer.close()
        assert device is not None
        return carried

    assert attack(act) == times


async def recorded_limit(lab: Lab, p_w: float) -> list[bytes]:
    """Set a limit and return what its writes were on the wire."""
    server = lab.bench.emulators["pv-1"]._server
    seen: list[bytes] = []

    def guard(_transport, unit: int, pdu: bytes) -> None:
        if pdu[0] in (6, 16):
            seen.append(struct.pack(">HHHB", 1, 0, len(pdu) + 1, unit) + pdu)

    server.guard = guard
    try:
        await lab.driver("pv-1").set_limit_w(p_w)
    finally:
        server.guard = None
    return seen
