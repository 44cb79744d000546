"""Under every fault of the catalogue a read ends as the right value or a named error."""

from collections import Counter

import pytest
from fault_sweep import deceives_together, swept

from gridrig.clock import Clock, run_virtual, stream
from gridrig.devices.emulators.modbus_faults import MODBUS_RTU_FAULTS, MODBUS_TCP_FAULTS

ON = {"modbus-tcp": MODBUS_TCP_FAULTS, "modbus-rtu": MODBUS_RTU_FAULTS}
CASES = [
    (kind, name)
    for kind, faults in ON.items()
    for name, spec in faults.items()
    if not spec.deceives
]


def run(kind: str, names: list[str], seed: int) -> Counter[str]:
    async def main(clock: Clock) -> Counter[str]:
        return await swept(kind, [ON[kind][name] for name in names], seed, clock)

    return run_virtual(main, start_utc_s=0)


def test_the_catalogue_is_swept() -> None:
    assert len(CASES) >= 55


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_read_is_right_or_a_named_error_under(kind: str, name: str) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(2):
        outcomes += run(kind, [name], seed)
    assert outcomes["right"] > 0
    if name != "unplug":
        return
    assert outcomes["modbus.no_connection"] + outcomes["modbus.hung_up"] > 0


@pytest.mark.soak
@pytest.mark.parametrize(("kind", "name"), CASES)
def test_thousands_of_seeds_under(kind: str, name: str) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(100, 140):
        outcomes += run(kind, [name], seed)
    print(kind, name, dict(outcomes))
    assert outcomes["right"] > 0


@pytest.mark.soak
@pytest.mark.parametrize("kind", ON)
def test_three_faults_at_once(kind: str) -> None:
    names = [name for name, spec in ON[kind].items() if not spec.deceives and name != "unplug"]
    outcomes: Counter[str] = Counter()
    for seed in range(1000, 1400):
        drawn = stream(seed, "three").sample(names, 3)
        if deceives_together(kind, drawn):
            continue
        outcomes += run(kind, drawn, seed)
    print(kind, dict(outcomes))
    assert outcomes["right"] > 0
