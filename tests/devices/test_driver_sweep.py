"""Under every fault of the catalogue a SunSpec or meter driver is right or says by name why not."""

from collections import Counter

import pytest
from driver_sweep import driver_swept
from fault_sweep import deceives_together

from gridrig.clock import Clock, run_virtual, stream
from gridrig.devices.emulators.modbus_faults import MODBUS_RTU_FAULTS, MODBUS_TCP_FAULTS

ON = {
    "modbus-tcp": MODBUS_TCP_FAULTS,
    "modbus-rtu": MODBUS_RTU_FAULTS,
    "modbus-tls": MODBUS_TCP_FAULTS,
}
DRIVERS = (
    "sunspec",
    "sunspec-storage",
    "sunspec-legacy",
    "sunspec-meter",
    "signed-meter",
    "bsm-meter",
)
# A write that is ignored reads back as it was: the drivers see it, though the wire does not.
FAULTS = [
    (kind, name)
    for kind, faults in ON.items()
    for name, spec in faults.items()
    if not spec.deceives or name == "write_ignored"
]
SEEDS = 20


def run(driver: str, kind: str, names: list[str], seed: int) -> Counter[str]:
    async def main(clock: Clock) -> Counter[str]:
        return await driver_swept(driver, kind, [ON[kind][name] for name in names], seed, clock)

    return run_virtual(main, start_utc_s=0)


def test_the_catalogue_is_swept_with_every_driver() -> None:
    assert len(FAULTS) >= 57
    assert {DRIVERS[n % len(DRIVERS)] for n in range(len(FAULTS))} == set(DRIVERS)


@pytest.mark.parametrize(
    ("driver", "kind", "name"),
    [(DRIVERS[n % len(DRIVERS)], kind, name) for n, (kind, name) in enumerate(FAULTS)],
)
def test_a_driver_is_right_or_names_its_error_under(driver: str, kind: str, name: str) -> None:
    outcomes = run(driver, kind, [name], 1)
    assert sum(outcomes.values()) >= 8


@pytest.mark.soak
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(("kind", "name"), FAULTS)
def test_many_seeds_under(driver: str, kind: str, name: str) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(100, 100 + SEEDS):
        outcomes += run(driver, kind, [name], seed)
    print(driver, kind, name, dict(outcomes))
    assert outcomes["right"] > 0


@pytest.mark.soak
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("kind", ON)
def test_two_faults_at_once(driver: str, kind: str) -> None:
    names = [name for on, name in FAULTS if on == kind and name != "unplug"]
    outcomes: Counter[str] = Counter()
    for seed in range(1000, 1200):
        drawn = stream(seed, "two").sample(names, 2)
        if deceives_together(kind, drawn):
            continue
        outcomes += run(driver, kind, drawn, seed)
    print(driver, kind, dict(outcomes))
    assert outcomes["right"] > 0
