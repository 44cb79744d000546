"""Campaign 7 for as long as its name says: an hour and a week, on demand.

python -m pytest -m soak tests/campaign/test_promise_bad_week.py
"""

from types import SimpleNamespace
from typing import Any

import pytest

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.scenario import load_scenario, units
from gridrig.clock import Clock, run_virtual
from gridrig.promises.bad_week import (
    Stretch,
    bad_time,
    energy_unlike_registers_milliwh,
    stretched,
)
from gridrig.quantity import DAY_S
from gridrig.rig.description import Rig, load_rig, override_emulate

RIG = load_rig(RIGS / "emulated-street.toml")
MINUTES = load_scenario(SCENARIOS / "promise-7-bad-network.toml", units(CATALOGUE))
TICK_S = 300.0
HOUR_S = 3600


def run_for(duration_s: int, rig: Rig = RIG) -> Stretch:
    scenario = stretched(MINUTES, duration_s, TICK_S)

    async def main(clock: Clock) -> Stretch:
        return await bad_time(rig, scenario, clock)

    return run_virtual(main, start_utc_s=scenario.start_utc_s)


def judge(found: Stretch, periods: int) -> None:
    assert found.troubles >= 4 * periods
    assert found.unlike_registers_milliwh == 0
    assert found.not_once == 0
    assert found.measured["periods_not_settled"] == 0
    assert found.measured["payments_unbacked"] == 0
    assert found.measured["ledger_sum_micro"] == 0
    assert found.measured["meter_periods_estimated"] == 0
    assert found.anchoring.roots == periods
    assert found.anchoring.unlike == ()
    assert found.anchoring.in_doubt == 0
    assert found.left_unsafe == ()
    assert len(found.away_s) == len(found.lost) == found.measured["devices_lost"]


@pytest.mark.soak
def test_a_week_of_it_loses_and_doubles_nothing() -> None:
    found = run_for(7 * DAY_S)
    judge(found, 672)
    assert found.lost, "a week in which nobody is lost shows nothing of coming back"
    assert max(found.away_s) < MINUTES.away_s_max


@pytest.mark.soak
def test_a_meter_that_counts_one_per_cent_too_much_is_found() -> None:
    wrong = override_emulate(RIG, "meter-pv-2", {"scale": 1.01})
    assert run_for(HOUR_S, wrong).unlike_registers_milliwh > 1000


@pytest.mark.soak
def test_an_hour_of_it_loses_and_doubles_nothing() -> None:
    judge(run_for(HOUR_S), 4)


def test_one_milliwatt_hour_beside_the_registers_is_found() -> None:
    meter: Any = SimpleNamespace(meter="m", import_milliwh=5, export_milliwh=7)
    loop: Any = SimpleNamespace(account=SimpleNamespace(settled=[SimpleNamespace(meters=[meter])]))
    right = {("m", "import"): 5, ("m", "export"): 7}
    assert energy_unlike_registers_milliwh(loop, right) == 0
    assert energy_unlike_registers_milliwh(loop, right | {("m", "export"): 8}) == 1
    assert energy_unlike_registers_milliwh(loop, right | {("n", "import"): 2}) == 2
