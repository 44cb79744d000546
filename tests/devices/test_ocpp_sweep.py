"""Under every fault of its wire the charger's driver is right or says by name why not.

The vehicle changes before every call, so that a late, repeated or foreign answer shows in what is
read.
"""

import logging
from collections import Counter
from typing import Any

import pytest
from fault_sweep import some_parameters
from test_ev_charger import UTC_S, VERSIONS

from gridrig.clock import Clock, run_virtual, stream
from gridrig.devices.drivers.ev_charger import OcppCharger, OcppParameters
from gridrig.devices.emulators.charge_point import EvChargerParameters
from gridrig.devices.emulators.ev_charger import EvChargerEmulator
from gridrig.devices.emulators.ocpp_wire import OCPP_WIRE_FAULTS
from gridrig.devices.emulators.vehicle_terminal import VehicleState
from gridrig.devices.links import OcppLink
from gridrig.errors import DriverError

CALLS = 8
NAMED = {"timeout", "framing", "refused", "unavailable", "readback"}
SEEDS = 40


class Plug:
    """What the vehicle at the plug would be."""

    def __init__(self) -> None:
        self.now = VehicleState(True, 1.0, 1.0, 0.5, 1_000)

    def state(self) -> VehicleState:
        return self.now

    def offer(self, p_w: float) -> None:
        pass

    def plug(self, plugged: bool) -> None:
        pass


async def swept(version: str, names: list[str], seed: int, clock: Clock) -> Counter[str]:
    """Use the driver under faults drawn by a seed; return how often each outcome came."""
    draw, plug = stream(seed, f"ocpp/{version}/{names}"), Plug()
    link = OcppLink("127.0.0.1", 0, "CP-1", version)
    own = EvChargerParameters(meter_s=3600, autostart=True, seed=seed)
    emulator = EvChargerEmulator("cp", link, own, plug)
    await emulator.start()
    driver = OcppCharger("cp", emulator.endpoint_link, OcppParameters(timeout_s=0.4))
    driver.use_clock(clock.utc_s)
    outcomes: Counter[str] = Counter()

    async def one_call(call: int) -> str:
        if draw.random() < 0.5:
            p_w = float(draw.randrange(1_500, 11_000))
            await driver.set_limit_w(p_w)
            assert emulator._charger.allowed_w() == p_w
            return "written"
        before_w = emulator._charger.allowed_w()
        reading: Any = await driver.read()
        assert reading.p_w == 0.0 - plug.now.p_w
        assert reading.import_milliwh == plug.now.import_milliwh
        assert reading.soc == pytest.approx(plug.now.soc, abs=0.001)
        # A profile begins by the charger's clock, which may be a moment behind: then meanwhile.
        assert reading.allowed_w in (round(before_w), round(emulator._charger.allowed_w()))
        return "right"

    try:
        await driver.open()
        for call in range(CALLS):
            if call == 2:
                for name in names:
                    emulator.arm(name, **some_parameters(OCPP_WIRE_FAULTS[name], draw))
            plug.now = VehicleState(True, 1.0, 100.0 * (call + 1), 0.5, 1_000_000 * (call + 1))
            await clock.sleep(draw.choice([0.0, 0.1, 1.0]))
            try:
                outcomes[await one_call(call)] += 1
            except DriverError as error:
                if error.kind not in NAMED:
                    raise
                outcomes[error.code] += 1
    finally:
        await driver.close()
        await emulator.stop()
    return outcomes


def run(version: str, names: list[str], seed: int) -> Counter[str]:
    logging.getLogger("ocpp").setLevel(logging.CRITICAL)  # it tells every damaged message at length
    return run_virtual(lambda clock: swept(version, names, seed, clock), start_utc_s=UTC_S)


FAULTS = sorted(OCPP_WIRE_FAULTS)


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=FAULTS)
def test_a_charger_is_read_right_or_by_a_named_error_under(number: int) -> None:
    outcomes = run(VERSIONS[number % len(VERSIONS)], [FAULTS[number]], 1)
    assert sum(outcomes.values()) == CALLS
    assert outcomes["right"] + outcomes["written"] >= 2


@pytest.mark.soak
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", FAULTS)
def test_many_seeds_under(version: str, name: str) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(100, 100 + SEEDS):
        outcomes += run(version, [name], seed)
    print(version, name, dict(outcomes))
    assert outcomes["right"] > SEEDS
    assert any(code not in ("right", "written") for code in outcomes) or name in HARMLESS


HARMLESS = ("duplicate", "jitter")


@pytest.mark.soak
@pytest.mark.parametrize("version", VERSIONS)
def test_two_faults_at_once(version: str) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(1000, 1100):
        outcomes += run(version, stream(seed, "two").sample(FAULTS, 2), seed)
    assert outcomes["right"] > 100
