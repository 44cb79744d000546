"""Packs in a rig file: a bus of them opened whole; what no wire can carry or promise refused."""

from pathlib import Path

import pytest

from gridrig.campaign.assembly import make_bench, make_street
from gridrig.clock import Clock, run_virtual
from gridrig.errors import RigError
from gridrig.events import EventLog
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.safe_end import SAFE

START_UTC_S = 1_468_152_000
HEAD = """\
[rig]
name = "rack"
clock = "virtual"
nominal = { f_hz = 50, v_ll = 400 }
"""
STORAGE = """
[[device]]
name = "storage-{n}"
capability = "storage"
driver = "sunspec-storage"
bus = "bench"
link = {{ kind = "modbus-tcp", host = "127.0.0.1", port = 0, unit = 1 }}
terminal = "model"
bms = "pack-{n}"
limits = {{ p_w_max = 4000, s_va_max = 5000 }}
safe_state = {{ connect = false, power_w = 0 }}
emulate = {{ model = "storage", s_va = 5000 }}
"""
PACK = """
[[device]]
name = "pack-{n}"
capability = "bms"
driver = "{driver}"
link = {{ kind = "serial", port = "auto:rack", baudrate = 9600, address = {address} }}
parameters = {{ {parameters} }}
limits = {{ i_charge_a_max = 100, i_discharge_a_max = 100, soc_min = 0.1 }}
safe_state = {{ {safe} }}
emulate = {{ model = "pack", cells = 16, capacity_ah = 200, soc = {soc}{more} }}
"""
RULE = "charge_a_max = 100, discharge_a_max = 100"
OPEN, CLOSED = "charge = false, discharge = false", "charge = true, discharge = true"


def rack(tmp_path: Path, *packs: str) -> Path:
    path = tmp_path / "rack.toml"
    storages = "".join(STORAGE.format(n=n) for n in range(1, 1 + len(packs)))
    path.write_text(HEAD + storages + "".join(packs))
    return path


def daly(n: int, *, address: int | None = None, more: str = "", soc: float = 0.5) -> str:
    at = n if address is None else address
    fields = {"driver": "daly", "parameters": RULE, "safe": OPEN, "soc": soc, "more": more}
    return PACK.format(n=n, address=at, **fields)


def pylontech(n: int, *, address: int, safe: str = CLOSED, more: str = "") -> str:
    fields = {"driver": "pylontech", "parameters": "", "safe": safe, "soc": 0.5, "more": more}
    return PACK.format(n=n, address=address, **fields)


def issues(path: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(RigError) as caught:
        load_rig(str(path))
    return [(one.key, one.found, one.expected) for one in caught.value.issues]


def on_bench(rig: Rig, body) -> tuple[object, EventLog, dict[str, str]]:
    async def main(clock: Clock):
        events = EventLog(clock, [device.name for device in rig.devices])
        bench = make_bench(rig, make_street(rig, None, 1), clock, events)
        async with bench:
            result = await body(bench)
        return result, events, dict(bench.safe_report.devices)

    return run_virtual(main, start_utc_s=START_UTC_S)


def test_packs_on_one_bus_are_read_and_left_safe(tmp_path):
    path = rack(tmp_path, *(daly(n, soc=n / 10) for n in (1, 2, 3)))

    async def read(bench):
        ports = {bench.emulators[f"pack-{n}"].endpoint["port"] for n in (1, 2, 3)}
        readings = [await bench.devices[f"pack-{n}"].read() for n in (1, 2, 3)]
        return len(ports), [round(reading.soc, 3) for reading in readings]

    found, _, safe = on_bench(load_rig(str(path)), read)
    assert found == (1, [0.1, 0.2, 0.3])
    assert set(safe.values()) == {SAFE}


def test_foreign_protocols_can_share_a_line_at_one_speed(tmp_path):
    path = rack(tmp_path, daly(1), pylontech(2, address=2))

    async def read(bench):
        return [(await bench.devices[name].read()).v_v for name in ("pack-1", "pack-2")]

    volts, _, safe = on_bench(load_rig(str(path)), read)
    assert all(51 < v_v < 54 for v_v in volts)
    assert set(safe.values()) == {SAFE}


def test_two_packs_at_one_address_are_an_issue(tmp_path):
    (one,) = issues(rack(tmp_path, daly(1), daly(2, address=1)))
    assert one[0].endswith("'pack-2'.link.address")
    assert one[2] == "an address of its own on that wire"


def test_address_that_the_protocol_has_not_is_an_issue(tmp_path):
    (one,) = issues(rack(tmp_path, daly(1, address=17)))
    assert one[1:] == ("17", 'an address of driver "daly", 1..16')
    jbd = daly(1).replace('driver = "daly"', 'driver = "jbd"')
    (one,) = issues(rack(tmp_path, jbd))
    assert one[2] == 'an address of driver "jbd", none: it has no addresses'


@pytest.mark.parametrize("key", ["charge", "discharge"])
def test_safe_state_that_the_wire_cannot_reach_is_refused_with_the_file(tmp_path, key):
    safe = CLOSED.replace(f"{key} = true", f"{key} = false", 1)
    if key == "charge":
        safe = "charge = false, discharge = true"
    (one,) = issues(rack(tmp_path, pylontech(1, address=2, safe=safe)))
    assert one[0].endswith(f"'pack-1'.safe_state.{key}")
    assert one[1:] == ("false", 'true: driver "pylontech" cannot change it')


@pytest.mark.parametrize(
    ("pack", "key", "expected"),
    [
        (daly(1, more=", discharge_a_max = 276.8"), "discharge_a_max", "0..276.7"),
        (daly(1, more=", charge_a_max = 3001"), "charge_a_max", "0..3000"),
        (pylontech(1, address=2, more=", discharge_a_max = 3277"), "discharge_a_max", "0..3276.7"),
        (pylontech(1, address=2).replace("cells = 16", "cells = 19"), "cells", "0..18"),
    ],
)
def test_pack_beyond_its_wire_is_refused_at_its_key(tmp_path, pack, key, expected):
    async def never(bench):
        raise AssertionError("the bench opened")

    with pytest.raises(RigError) as caught:
        on_bench(load_rig(str(rack(tmp_path, pack))), never)
    assert caught.value.code == "rig.cannot_serve"
    (one,) = caught.value.issues
    assert one.key.endswith(f"'pack-1'.emulate.{key}")
    assert one.expected == f"{expected}, which its frames carry"
    assert one.line > 0


def test_full_power_that_a_protection_cuts_shows_on_every_wire(tmp_path):
    """A switch opens at 4 kW: the pack tells no current, the inverter tells that it tripped."""
    path = rack(tmp_path, daly(1))
    path.write_text(path.read_text().replace("s_va = 5000 }", "s_va = 4000, obeys_pack = false }"))

    async def main(clock: Clock):
        rig = load_rig(str(path))
        street = make_street(rig, None, 1)
        events = EventLog(clock, [device.name for device in rig.devices])
        bench = make_bench(rig, street, clock, events)

        async def hold(seconds: int) -> None:
            for _ in range(seconds):
                street.world.held()
                street.world.impose([1.0] * len(street.buses), 50.0)
                street.world.integrate(1.0)
                street.world.advance(1.0)
                await clock.sleep(1.0)

        async with bench:
            await bench.devices["storage-1"].set_connect(True)
            await bench.devices["storage-1"].set_power_w(4000.0)
            await hold(10)
            before = await bench.devices["pack-1"].read()
            index = street.pack_index("pack-1")
            street.world.set_protection(index, "discharge_over_current", 50.0)
            await hold(12)
            pack = await bench.devices["pack-1"].read()
            inverter = await bench.devices["storage-1"].read()
            return before, pack, inverter, street.world.terminal(index).trip_cause

    before, pack, inverter, cause = run_virtual(main, start_utc_s=START_UTC_S)
    assert before.i_a > 70
    assert (pack.i_a, pack.discharge_fet, pack.discharge_limit_a) == (0.0, False, 0.0)
    assert pack.protections == ("discharge_over_current",)
    # The grid is in order, so it already waits out its delay.
    assert (inverter.p_w, inverter.state, cause) == (0.0, "starting", "dc_under_voltage")
