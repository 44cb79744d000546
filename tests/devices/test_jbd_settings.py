"""JBD's factory mode on the wire: entered by its password, kept or forgotten when it is left."""

from collections.abc import Sequence

import pytest
from bms_bench import JBD, START

from gridrig.campaign.plant_terminals import DeviceTerminal
from gridrig.clock import Clock, run_virtual
from gridrig.clock.ptys import open_serial
from gridrig.devices.emulators.fault import no_log
from gridrig.devices.emulators.jbd_factory import FactoryMode
from gridrig.devices.wire import jbd
from gridrig.devices.wire import jbd_settings as settings
from gridrig.plant import World

ENTER = (0x00, settings.ENTER)
SAVE = (0x01, settings.LEAVE_AND_SAVE)
FORGET = (0x01, settings.LEAVE)
REFUSED = (jbd.STATUS_REJECTED, b"")
DONE = (jbd.STATUS_OK, b"")

Step = int | tuple[int, bytes]  # a read, or a write


def talk(*steps: Step):
    """Return each reply's (status, payload), the events and the pack's settings afterwards."""

    async def main(clock: Clock):
        async with JBD.bench(opened=False) as bench:
            reader, writer = await open_serial(bench.emulator.endpoint["port"], 9600)
            replies = []
            for step in steps:
                register, payload = (step, b"") if isinstance(step, int) else step
                writer.write(
                    jbd.encode_request(jbd.Request(register, not isinstance(step, int), payload))
                )
                head = await reader.readexactly(4)
                rest = await reader.readexactly(head[3] + 3)
                (reply,) = jbd.Decoder("reply").feed(head + rest)
                assert reply.register == register
                replies.append((reply.status, reply.payload))
            writer.close()
            return replies, bench.events, {s.name: s.trip for s in bench.pack.state.settings}

    return run_virtual(main, start_utc_s=START)


def word(value: int) -> bytes:
    return value.to_bytes(2, "big", signed=value < 0)


def only(steps: Sequence[Step]):
    return talk(*steps)[0]


def test_settings_are_refused_outside_factory_mode_and_with_a_wrong_password():
    replies = only([0x24, (0x24, word(3600)), (0x00, b"\x12\x34"), 0x24])
    assert replies == [REFUSED] * 4


def test_settings_are_those_of_the_pack_in_the_wires_units():
    replies = only([ENTER, 0x10, 0x24, 0x25, 0x28, 0x29, 0x2D, 0x2F, 0x26])
    assert [payload.hex() for _, payload in replies[1:-1]] == [
        "4e20",  # 200.00 Ah
        "0e42",  # 3650 mV
        "0d7a",  # 3450 mV
        "2b5c",  # 111.00 A
        "d058",  # -122.00 A: a discharge is negative on this wire
        "000c",
        "0010",  # 16 cells
    ]
    assert replies[-1] == REFUSED  # this pack has no such protection


def test_saved_settings_act_on_the_packs_protections():
    replies, events, trips = talk(
        ENTER,
        (0x24, word(3600)),
        (0x28, word(5000)),
        (0x29, word(-6000)),
        (0x10, word(15000)),
        SAVE,
    )
    assert replies == [DONE] * 6
    assert trips == {
        "cell_over_voltage": 3.6,
        "charge_over_current": 50.0,
        "discharge_over_current": 60.0,
    }
    assert events[-1][0] == "settings_saved"
    assert events[-1][1] == {"covp": 3.6, "chgoc": 50.0, "dsgoc": 60.0, "design_cap": 150.0}


def test_told_capacity_is_the_one_that_was_saved():
    replies = only([ENTER, (0x10, word(15000)), SAVE, 0x03])
    assert replies[-1][1][6:8] == word(15000)  # nominal, 10 mAh


def test_settings_that_were_not_saved_are_forgotten():
    replies, events, trips = talk(ENTER, (0x24, word(3600)), 0x24, FORGET, ENTER, 0x24)
    assert replies[2] == (0, word(3600))  # staged
    assert replies[-1] == (0, word(3650))
    assert trips["cell_over_voltage"] == 3.65
    assert "settings_saved" not in [kind for kind, _ in events]


@pytest.mark.parametrize(
    ("register", "payload"),
    [
        (0x29, word(6000)),  # a discharge current must be negative
        (0x28, word(-5000)),
        (0x28, word(0)),
        (0x24, b"\x0e"),
        (0x25, word(3400)),  # a release follows its threshold
        (0x2F, word(8)),  # the cells are what they are
        (0x77, word(1)),
    ],
)
def test_setting_that_cannot_be_meant_is_rejected_and_changes_nothing(register, payload):
    replies, _, trips = talk(ENTER, (register, payload), SAVE)
    assert replies == [DONE, REFUSED, DONE]
    assert trips["cell_over_voltage"] == 3.65


def test_leaving_with_neither_word_is_rejected():
    assert only([ENTER, (0x01, b"\x11\x11"), 0x24])[1:] == [REFUSED, (0, word(3650))]


def test_every_register_carries_its_value_both_ways():
    for register in settings.REGISTERS.values():
        for value in (1.0, 3.65, 27.5, 120.0):
            raw = register.to_wire(value)
            step = {"mv": 1e-3, "10mv": 1e-2, "10ma": 1e-2, "-10ma": 1e-2, "10mah": 1e-2, "dk": 0.1}
            if raw is not None:
                found = register.from_wire(raw)
                assert found == pytest.approx(value, abs=step.get(register.unit, 1.0) / 2)
    assert settings.REGISTERS[0x29].to_wire(400.0) is None  # beyond 327.67 A


def test_setting_that_the_pack_refuses_is_rejected_as_it_is_saved_and_named():
    replies, events, trips = talk(ENTER, (0x24, word(3600)), (0x28, word(32_000)), SAVE)
    assert replies[-1] == REFUSED
    refused = next(data for kind, data in events if kind == "settings_refused")
    assert refused == {"register": "chgoc", "value": 320.0, "kept": ["covp"]}
    assert trips["cell_over_voltage"] == 3.6
    assert trips["charge_over_current"] == 111.0


def test_saved_threshold_is_the_one_the_plants_pack_acts_by():
    world = World(s_base_va=10e3, seed=1)
    index = world.add_storage("battery", {"s_va": 5e3, "pack": {"capacity_ah": 200.0}})
    factory = FactoryMode(DeviceTerminal(world, index), no_log)
    assert factory.enter(settings.ENTER)
    before = factory.read(0x28)
    assert factory.write(0x28, word(2000))  # 20 A
    assert factory.leave(settings.LEAVE_AND_SAVE)
    world.set_power_w(index, -2500.0)
    for _ in range(12):
        world.held()
        world.impose([1.0], 50.0)
        world.integrate(1.0)
        world.advance(1.0)
    assert before == word(11_100)  # 1.1 x 100 A + 1 A, the plant's own rule
    assert world.pack(index).protections == ["charge_over_current"]
    assert not world.pack(index).charge_fet
