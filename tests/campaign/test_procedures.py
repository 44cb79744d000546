"""Procedures: what is refused as one, and what an execution comes to."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.procedure_summary import Executed, properties, verdict_lines
from gridrig.campaign.procedures import (
    Criterion,
    Lab,
    Mutant,
    Procedure,
    execute,
    missing_capabilities,
    procedure,
)
from gridrig.devices.capture.reader import read_capture
from gridrig.errors import CampaignError, RigError
from gridrig.rig.calibration import Calibration
from gridrig.rig.description import Rig, load_rig

LIMIT = Criterion("power_w", "W", max=9000.0, source="here")
OTHER = Criterion("energy_milliwh", "mWh", min=1, source="here")
MUTANTS = (
    Mutant("ignores the limit", "pv-1", {"ignores_limit": True}, "power_w"),
    Mutant("is read high", "meter", {"scale": 1.5}, "power_w"),
)


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig(RIGS / "one-inverter.toml")


def declared(body: Callable[[Lab], Awaitable[None]], **changes: object) -> Procedure:
    facts: dict[str, object] = {
        "claim": "a claim",
        "clause": "a clause",
        "hazards": "none",
        "rig": "one-inverter",
        "needs": ("inverter", "meter"),
        "criteria": (LIMIT, OTHER),
        "mutants": MUTANTS,
    }
    made = procedure(**(facts | changes))(body)
    return made.procedure


async def nothing(lab: Lab) -> None:
    """Record nothing."""


@pytest.mark.parametrize(
    "changes",
    [
        {"criteria": ()},
        {"mutants": MUTANTS[:1]},
        {"mutants": (MUTANTS[0], MUTANTS[0])},
        {"mutants": (*MUTANTS, Mutant("is odd", "pv-1", {"sign": -1}, "voltage_v"))},
    ],
    ids=["no criterion", "one mutant", "one mutant twice", "a mutant caught by nothing"],
)
def test_procedure_that_could_not_fail_is_refused(changes):
    with pytest.raises(CampaignError) as caught:
        declared(nothing, **changes)
    assert caught.value.code == "campaign.procedure_cannot_fail"


def test_procedure_that_is_not_async_is_refused():
    def sync(lab: Lab) -> None:
        lab.record("power_w", "W", 1.0)

    with pytest.raises(CampaignError) as caught:
        declared(sync)
    assert caught.value.code == "campaign.procedure_not_async"


def test_measurements_recorded_within_their_limits_pass(rig):
    async def body(lab: Lab) -> None:
        lab.record("power_w", "W", 8000.0)
        lab.record("energy_milliwh", "mWh", 5)

    execution = execute(declared(body), rig)
    assert execution.verdicts.outcome is Outcome.PASS
    assert execution.verdicts.devices_end == {"pv-1": "safe", "meter-1": "safe"}
    assert execution.identities["meter-1"].serial == "GR-0201"


def test_measurement_that_is_not_recorded_is_inconclusive(rig):
    async def body(lab: Lab) -> None:
        lab.record("power_w", "W", 8000.0)

    verdicts = execute(declared(body), rig).verdicts
    assert [v.outcome for v in verdicts.verdicts] == [Outcome.PASS, Outcome.INCONCLUSIVE]
    assert verdicts.outcome is Outcome.INCONCLUSIVE


def test_measurement_in_another_unit_or_recorded_twice_is_an_error(rig):
    async def body(lab: Lab) -> None:
        lab.record("power_w", "kW", 8.0)
        lab.record("energy_milliwh", "mWh", 5)
        lab.record("energy_milliwh", "mWh", 6)

    verdicts = execute(declared(body), rig).verdicts
    assert [v.outcome for v in verdicts.verdicts] == [Outcome.ERROR, Outcome.ERROR]


@pytest.mark.parametrize(
    "failure",
    [ValueError("a bug"), AssertionError("a wish"), pytest.skip.Exception("no wish")],
    ids=["exception", "assertion", "pytest.skip"],
)
def test_whatever_a_procedure_raises_is_an_error_and_the_bench_is_left_safe(rig, failure):
    logs = []

    async def body(lab: Lab) -> None:
        logs.append(lab.events)
        lab.give("pv-1", 10_000.0)
        await lab.pass_time(2.0)
        assert (await lab.measured("pv-1")).p_w == 10_000.0
        lab.record("power_w", "W", 9500.0)
        raise failure

    execution = execute(declared(body), rig)
    verdicts = execution.verdicts
    assert verdicts.outcome is Outcome.ERROR
    # What was measured before is judged as usual.
    assert [v.outcome for v in verdicts.verdicts] == [Outcome.FAIL, Outcome.ERROR]
    assert type(failure).__name__ in verdicts.cause
    assert "in body" in execution.trace_back
    steps = [event.data for event in logs[0].ordered() if event.kind == "safe_step"]
    assert "settle" in {step["step"] for step in steps}
    assert {step["result"] for step in steps} == {"done"}
    assert verdicts.devices_end == {"pv-1": "safe", "meter-1": "safe"}


def test_a_procedure_on_the_wall_clock_that_loses_a_deadline_is_invalid(rig):
    async def body(lab: Lab) -> None:
        lab.record("power_w", "W", 8000.0)
        lab.record("energy_milliwh", "mWh", 5)
        # As a driver that blocks: nothing else runs for a while.
        asyncio.get_running_loop().call_later(0.05, time.sleep, 0.3)
        await lab.pass_time(0.4, step_s=0.1)

    execution = execute(declared(body), replace(rig, clock="wall"))
    assert execution.verdicts.outcome is Outcome.INCONCLUSIVE
    assert [v.outcome for v in execution.verdicts.verdicts] == [Outcome.PASS, Outcome.PASS]
    (reason,) = execution.verdicts.invalid
    assert "ticks missed their deadline" in reason
    assert execution.times is not None
    assert len(execution.times.work_s) == 4
    assert f"  INVALID: {reason}" in list(verdict_lines(Executed(None, rig, None, execution)))


def test_a_procedure_with_an_instrument_that_is_overdue_is_invalid(rig):
    async def body(lab: Lab) -> None:
        lab.record("power_w", "W", 8000.0)
        lab.record("energy_milliwh", "mWh", 5)

    inverter, meter = rig.devices
    record = Calibration("K-1", "a laboratory", "2020-01-01", "2021-01-01", {"p_percent": 0.1})
    devices = (inverter, replace(meter, calibration=record))
    execution = execute(declared(body), replace(rig, clock="wall", devices=devices))
    assert execution.verdicts.outcome is Outcome.INCONCLUSIVE
    assert execution.verdicts.invalid == ("the calibration of meter-1 was due on 2021-01-01",)
    told = dict(
        properties(Executed(declared(body), replace(rig, devices=devices), None, execution))
    )
    expected = "K-1, a laboratory, 2020-01-01, due 2021-01-01: p_percent 0.1 (k = 2)"
    assert told["device.meter-1.calibration"] == expected


def test_cancelled_procedure_is_aborted_and_the_bench_is_left_safe(rig):
    async def body(lab: Lab) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await lab.pass_time(1.0)

    verdicts = execute(declared(body), rig).verdicts
    assert verdicts.outcome is Outcome.ABORTED
    assert verdicts.left_unsafe == ()


def test_device_that_cannot_be_reached_at_the_end_is_left_unsafe(rig):
    async def body(lab: Lab) -> None:
        lab.record("power_w", "W", 8000.0)
        lab.record("energy_milliwh", "mWh", 5)
        lab.bench.emulators["pv-1"].unplug()

    verdicts = execute(declared(body), rig).verdicts
    assert verdicts.left_unsafe == ("pv-1",)
    assert verdicts.outcome is Outcome.UNSAFE


async def follows_its_limit(lab: Lab) -> None:
    """Limit an inverter to 8 kW and measure."""
    lab.give("pv-1", 10_000.0)
    await lab.driver("pv-1").set_limit_w(8000.0)
    await lab.pass_time(5.0)
    reading = await lab.measured("pv-1")
    lab.record("power_w", "W", reading.p_w)
    lab.record("energy_milliwh", "mWh", reading.export_milliwh)


def test_wires_of_an_execution_are_recorded_and_no_record_is_written_over(rig, tmp_path):
    path = tmp_path / "captures" / "one.jsonl"

    async def body(lab: Lab) -> None:
        await lab.bench.devices["pv-1"].read()

    assert execute(declared(body), rig, capture=path).verdicts.ended is Outcome.PASS
    capture, text = read_capture(path), path.read_bytes()
    assert {"pv-1", "meter-1"} <= {piece.wire for piece in capture.pieces}
    assert {piece.way for piece in capture.on("pv-1")} == {"out", "in"}
    verdicts = execute(declared(body), rig, capture=path).verdicts
    assert verdicts.ended is Outcome.ERROR
    assert verdicts.cause.startswith("capture.file_exists: ")
    assert path.read_bytes() == text


def test_mutant_is_killed_by_fail_on_its_criterion(rig):
    tested = declared(follows_its_limit)
    assert execute(tested, rig).verdicts.outcome is Outcome.PASS
    for mutant in MUTANTS:
        assert Executed(tested, rig, mutant, execute(tested, rig, mutant)).killed


def test_mutant_that_breaks_the_procedure_is_not_killed(rig):
    async def body(lab: Lab) -> None:
        await follows_its_limit(lab)
        raise ValueError("what a crash this is")

    tested = declared(body)
    executed = Executed(tested, rig, MUTANTS[0], execute(tested, rig, MUTANTS[0]))
    assert executed.caught.outcome is Outcome.FAIL
    assert not executed.killed


def test_mutant_that_only_another_criterion_finds_is_not_killed(rig):
    deaf = Mutant("ignores the limit", "pv-1", {"ignores_limit": True}, "energy_milliwh")
    tested = declared(follows_its_limit)
    executed = Executed(tested, rig, deaf, execute(tested, rig, deaf))
    assert executed.execution.verdicts.outcome is Outcome.FAIL
    assert not executed.killed


def test_mutant_with_a_setting_nobody_knows_is_refused(rig):
    odd = Mutant("is odd", "pv-1", {"respons_s": 1.0}, "power_w")
    with pytest.raises(RigError):
        execute(declared(nothing), rig, odd)


def test_rig_without_a_battery_misses_what_a_procedure_of_batteries_needs(rig):
    tested = declared(nothing, needs=("inverter", "bms", "model"))
    assert missing_capabilities(tested, rig) == ["bms"]
    real = load_rig(RIGS / "lab-example.toml")
    assert missing_capabilities(tested, real) == ["model"]
    assert MUTANTS[1].device_of(real) is None


def test_meter_counts_what_the_inverter_gave_while_time_passed(rig):
    async def body(lab: Lab) -> None:
        lab.give("pv-1", 10_000.0)
        await lab.pass_time(5.0)  # until it gives it
        before = (await lab.measured("pv-1")).export_milliwh
        await lab.pass_time(36.0)
        lab.record("energy_milliwh", "mWh", (await lab.measured("pv-1")).export_milliwh - before)

    (energy,) = execute(declared(body, criteria=(LIMIT, OTHER)), rig).verdicts.verdicts[1:]
    assert energy.value == 100_000  # 10 kW x 36 s
