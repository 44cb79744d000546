"""What judges bills, losses and outages finds what is wrong: runs of ten minutes, tampered with."""

import copy
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from altered_runs import with_trace
from criteria import assert_fails

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.lab import open_lab
from gridrig.campaign.loop import Loop
from gridrig.campaign.scenario import load_scenario
from gridrig.clock import Clock, run_virtual
from gridrig.promises.bills_again import bills_checked
from gridrig.promises.local_trade import losses_compared
from gridrig.promises.rerouting import rerouted
from gridrig.promises.single_outages import losing, loss
from gridrig.promises.voltage import held
from gridrig.rig.description import load_rig
from gridrig.settlement.bills import Bill, Metered, Tariff, bills, losers

RIG = load_rig(RIGS / "stressed-feeder.toml")
SCENARIO = load_scenario(SCENARIOS / "promise-8-outages.toml")
LOST_S = 420.0
TARIFF = Tariff((300_000,) * 24, 110_000, 90_000, 0, ZoneInfo("UTC"), 90_000)


@pytest.fixture(scope="module")
def runs() -> tuple[Loop, Loop]:
    """Ten minutes as they are, and with a roof lost."""

    async def run(clock: Clock) -> tuple[Loop, Loop]:
        async with open_lab(RIG, clock, [], []) as lab:
            base = await lab.run_loop(SCENARIO)
            return base, await lab.run_loop(losing(SCENARIO, RIG.device("pv-a4"), LOST_S))

    return run_virtual(run, start_utc_s=SCENARIO.start_utc_s)


def made(loop: Loop) -> list[Bill]:
    """Return everybody's bill, as `gridrig bills` would have it from the journal."""
    balances: dict[str, int] = {}
    for entry in loop.account.entries():
        balances[entry.credit] = balances.get(entry.credit, 0) + entry.amount_micro
        balances[entry.debit] = balances.get(entry.debit, 0) - entry.amount_micro
    metered = [
        Metered(m.participant, s.from_ms // 1000, 300, m.import_milliwh, m.export_milliwh)
        for s in loop.account.settled
        for m in s.meters
        if m.participant != loop.account.head
    ]
    names = {row.participant for row in metered}
    return bills(metered, {k: v for k, v in balances.items() if k in names}, TARIFF)


def test_a_bill_that_is_wrong_missing_or_uncounted_is_noticed(runs: tuple[Loop, Loop]) -> None:
    loop = runs[0]
    right = made(loop)
    lost = losers(right)
    assert lost
    found = bills_checked(loop, right, lost, TARIFF)
    assert (found.missing, found.unlike_micro, found.losers_uncounted) == (0, 0, 0)
    assert found.losers == tuple(sorted(bill.participant for bill in lost))

    missing = bills_checked(loop, right[1:], lost, TARIFF).missing
    assert_fails(missing, "test_market_or_utility.bills_missing")
    uncounted = bills_checked(loop, right, lost[1:], TARIFF).losers_uncounted
    assert_fails(uncounted, "test_market_or_utility.losers_uncounted")
    for key in ("market_micro", "utility_micro"):
        changed = replace(right[0], **{key: getattr(right[0], key) + 7})
        unlike = bills_checked(loop, [changed, *right[1:]], lost, TARIFF).unlike_micro
        assert unlike == 7
        assert_fails(unlike, "test_market_or_utility.bills_unlike_books_micro")


def test_losses_of_another_hour_and_false_losses_are_noticed(runs: tuple[Loop, Loop]) -> None:
    base, other = runs
    assert losses_compared(base, base).use_differs_wh == 0.0
    assert losses_compared(base, base).engines_differ_percent < 0.1
    assert losses_compared(base, other).use_differs_wh > 100.0

    def more(row: dict[str, float]) -> None:
        row["feeder.losses_w"] *= 1.01

    false = with_trace(base, more)
    differ = losses_compared(false, false).engines_differ_percent
    assert differ > 0.9
    assert_fails(differ, "test_market_or_utility.losses_engines_differ_percent")

    def lossy(row: dict[str, float]) -> None:
        row["feeder.losses_w"] += 0.06 * sum(
            -p_w for name, p_w in row.items() if name.startswith("load.")
        )

    change = losses_compared(with_trace(base, lossy), base).change_percent
    assert_fails(change, "test_market_or_utility.loss_change_percent")


def test_a_device_that_is_lost_is_compared_with_the_run_that_kept_it(
    runs: tuple[Loop, Loop],
) -> None:
    found = loss(*runs, RIG.device("pv-a4"), LOST_S)
    assert found.tripped
    assert found.own_wh > 1_000
    assert found.unlike_own_wh < 20
    assert (found.others, found.unserved_wh) == ((), 0.0)
    kept = copy.deepcopy(runs[1].trace._rows)
    runs[1].trace._rows[-1]["device.pv-a2.p_w"] = 0.0
    runs[1].trace._rows[-1]["bus.a3.v_pu"] = 0.0
    worse = loss(*runs, RIG.device("pv-a4"), LOST_S)
    assert worse.others == ("pv-a2",)
    assert worse.unserved_wh > 100
    assert_fails(worse.unserved_wh, "test_single_outages.unserved_wh")
    assert_fails(len([worse]), "test_single_outages.devices_lost")  # one run loses one device
    assert worse.v_change_pu > 0.9
    runs[1].trace._rows[:] = kept


def test_ten_minutes_of_a_morning_trade_too_little_and_stress_nobody(
    runs: tuple[Loop, Loop],
) -> None:
    base = runs[0]
    traded = sum(cleared.volume_milliwh for cleared in base.trading.cleared)
    assert_fails(traded / 10**6, "test_market_or_utility.traded_kwh")
    assert_fails(
        rerouted(base, 98.0).without_percent,
        "test_rerouting.loading_without_operator_percent",
        "test_shedding.loading_without_operator_percent",
    )
    calm = held(base, 0.44)
    assert_fails(calm.v_without_pu, "test_voltage_support.v_without_support_pu")
    assert_fails(calm.curtailed_wh, "test_voltage_support.curtailed_wh")
