"""The parts of the loop that decide something, each by itself: what is allowed, kept, refused."""

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paper_street import NAMES, PERIOD_S, T0, Street, lived, new_log
from small_street import SCENARIO, rig_file, run_here, scenario_file

from gridrig._core import SettlementRules, Verifier
from gridrig.campaign.account import Account
from gridrig.campaign.builtin import RIGS
from gridrig.campaign.catalogue import CATALOGUE, Observed, measure
from gridrig.campaign.control import Control
from gridrig.campaign.dispatch import NOTHING, Bounds, battery_bounds, next_set_point
from gridrig.campaign.island_watch import IslandRecord, IslandWatch
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.metering_rounds import ATTEMPTS, MeteringRounds
from gridrig.campaign.records import ReadingRow
from gridrig.campaign.scenario import Scenario, load_scenario, units
from gridrig.campaign.sensing import Telemetry
from gridrig.campaign.settlement_terms import Terms
from gridrig.campaign.slicing import slice_scenario
from gridrig.campaign.timing import TickTimes
from gridrig.devices.capabilities import BmsReading, InverterReading
from gridrig.errors import CampaignError, RigError
from gridrig.events import EventLog
from gridrig.rig.description import load_rig
from gridrig.rig.device import BmsLimits
from gridrig.settlement.journal import Journal

# ------------------------------------------------------------------------------------ dispatch
LIMITS = BmsLimits(i_charge_a_max=70, i_discharge_a_max=70, soc_min=0.1, soc_max=0.95)
PACK = BmsReading(
    soc=0.5,
    v_v=100.0,
    i_a=0.0,
    cells_mv=(3300,),
    temperature_c=25.0,
    charge_limit_a=50.0,
    discharge_limit_a=60.0,
    charge_fet=True,
    discharge_fet=True,
    protections=(),
)


def bounds(**told: Any) -> Bounds:
    return battery_bounds(replace(PACK, **told), p_w_max=20_000, limits=LIMITS)


class _Heard:
    """Takes set-points as a storage inverter does, and remembers them."""

    def __init__(self) -> None:
        self.told_w: list[float] = []

    async def set_power_w(self, p_w: float) -> None:
        self.told_w.append(p_w)


def test_a_storage_that_did_not_answer_is_told_its_set_point_again() -> None:
    rig = load_rig(RIGS / "emulated-street.toml")
    storage, battery = rig.of("storage")[0].name, str(rig.of("storage")[0].bms)
    drivers = {device.name: _Heard() for device in rig.of("storage")}
    control = Control(rig, drivers, new_log())
    reading = InverterReading(0.0, 0.0, 400.0, 50.0, True, "running", None, 20_000.0)
    answered = Telemetry({name: reading for name in drivers}, {battery: PACK})

    async def steps() -> None:
        for telemetry in (answered, answered, Telemetry({}, {battery: PACK}), answered):
            control.look(telemetry)
            await control.step({storage: 0.0}, 1.0)

    asyncio.run(steps())
    assert drivers[storage].told_w == [0.0, 0.0]  # at first, and after its silence


def test_the_lowest_of_pack_rig_and_inverter_bounds_the_power() -> None:
    assert bounds() == Bounds(50 * 95.0, 60 * 95.0)
    assert bounds(charge_limit_a=500, discharge_limit_a=500) == Bounds(70 * 95.0, 70 * 95.0)
    assert bounds(v_v=1000.0) == Bounds(20_000, 20_000)


def test_an_open_switch_a_full_or_empty_pack_and_no_reading_allow_nothing() -> None:
    assert battery_bounds(None, p_w_max=20_000, limits=LIMITS) == NOTHING
    assert bounds(charge_fet=False).charge_w == 0
    assert bounds(discharge_fet=False).discharge_w == 0
    assert bounds(soc=0.95).charge_w == 0
    assert bounds(soc=0.95).discharge_w > 0
    assert bounds(soc=0.1).discharge_w == 0
    assert bounds(soc=0.1).charge_w > 0


def test_a_protection_that_is_told_ends_its_direction_whatever_the_limits_say() -> None:
    over, under = (bounds(protections=(f"cell_{word}_voltage",)) for word in ("over", "under"))
    assert (over.charge_w, over.discharge_w) == (0, 60 * 95.0)
    assert (under.charge_w, under.discharge_w) == (50 * 95.0, 0)


def test_a_lowered_limit_wins_at_once_and_a_rising_power_is_ramped() -> None:
    wide, narrow = Bounds(5000, 5000), Bounds(1000, 1000)

    def after(wanted_w: float, last_w: float, inside: Bounds, dt_s: float = 1.0) -> float:
        return next_set_point(wanted_w, last_w, inside, p_w_max=5000, dt_s=dt_s)

    assert after(5000, 0, wide) == 1000  # a fifth of the rating a second
    assert after(5000, 1000, wide) == 2000
    assert after(5000, 0, wide, dt_s=60) == 5000
    assert after(-5000, 500, wide) == -500  # through zero is ramped too
    assert after(0, 5000, wide) == 0  # down is not
    assert after(5000, 5000, narrow) == 1000  # nor is a limit
    assert after(-5000, -5000, narrow) == -1000
    assert after(5000, 5000, NOTHING) == 0


# ------------------------------------------------------------------------------------- slicing
def scenario(folder: Path, **more: Any) -> Scenario:
    criteria = [
        {"name": name, "unit": known.unit, "max": 1, "source": "test"}
        for name, known in CATALOGUE.items()
    ]
    return load_scenario(scenario_file(folder, criteria=criteria, **more), units(CATALOGUE))


def judged(sliced: Scenario) -> set[str]:
    return {criterion.name for criterion in sliced.criteria}


def test_a_slice_keeps_what_happens_in_it_and_judges_nothing_else(tmp_path: Path) -> None:
    lie = {"device": "meter-bus-3", "at_s": 70, "name": "altered_reading"}
    hand = {"at_s": 90, "do": "override", "target": "storage-b", "p_w": 0.0}
    whole = scenario(tmp_path, faults=[lie], events=[*SCENARIO["event"], hand])
    # The island from 20 to 80 s leaves neither of the two periods whole.
    everything = slice_scenario(whole, from_s=0, for_s=None, tick_s=None)
    assert judged(everything) == set(CATALOGUE) - {"oversold_percent"}
    calm = slice_scenario(whole, from_s=0, for_s=10, tick_s=None)
    assert (calm.events, calm.faults) == ((), ())
    assert {"bus_v_min_pu", "tick_lateness_max_s", "ledger_sum_micro"} <= judged(calm)
    assert {CATALOGUE[name].needs for name in judged(calm)} == {"tick"}
    opened = slice_scenario(whole, from_s=0, for_s=60, tick_s=None)
    assert {CATALOGUE[name].needs for name in judged(opened)} == {"tick", "opening", "period"}
    connected = slice_scenario(scenario(tmp_path, events=[]), from_s=60, for_s=60, tick_s=None)
    assert {CATALOGUE[name].needs for name in judged(connected)} == {
        *("tick", "period", "connected period")
    }


def test_a_slice_begins_where_it_was_asked_to_with_its_times_moved(tmp_path: Path) -> None:
    late = [{"name": "opening", "at_s": 70, "do": "open", "target": "pcc"}]
    whole = scenario(tmp_path, events=late)
    sliced = slice_scenario(whole, from_s=60, for_s=60, tick_s=2)
    assert sliced.start_utc_s == whole.start_utc_s + 60
    assert [event.at_s for event in sliced.events] == [10]
    assert [tick.t_s for tick in sliced.ticks()] == list(range(0, 60, 2))


@pytest.mark.parametrize(
    ("code", "from_s", "for_s", "tick_s"),
    [
        ("campaign.slice", 0, 121, None),
        ("campaign.slice", 60, 0, None),
        ("campaign.slice_period", 30, 60, None),
        ("campaign.slice_island", 60, 60, None),  # in the middle of the island from 20 to 80 s
        ("campaign.slice_tick", 0, 120, 7),
        ("campaign.slice_tick", 0, 120, 40),  # the period at 60 s would never settle
    ],
)
def test_a_slice_that_cannot_be_run_as_it_was_meant_is_refused(
    tmp_path: Path, code: str, from_s: int, for_s: int, tick_s: int | None
) -> None:
    with pytest.raises(CampaignError) as refused:
        slice_scenario(scenario(tmp_path), from_s=from_s, for_s=for_s, tick_s=tick_s)
    assert refused.value.code == code


def values(
    *islands: IslandRecord, events: EventLog | None = None, received: Sequence[ReadingRow] = ()
) -> dict[str, float | None]:
    log = events or new_log()
    watch = IslandWatch(log, {})
    watch.records.extend(islands)
    rounds = MeteringRounds({}, Verifier(), log, list(received))
    free = SettlementRules(long_price_micro_per_kwh=0, short_price_micro_per_kwh=0)
    account = Account({}, "", Terms(free), 0, Journal(Path(":memory:")), Verifier(), log)
    observed = Observed({}, {}, watch, rounds, account, log, TickTimes([0.0, 0.25, 0.125]), 0, 0)
    return {m.name: m.value for m in measure(observed)}


GOOD = IslandRecord(
    20.0,
    500.0,
    0,
    0,
    formed_s=0.05,
    reclosed_s=90.0,
    reclose_asked_s=80.0,
    f_min_hz=49.5,
    f_max_hz=50.1,
    sync={"df_hz": -0.1, "dv_pu": 0.02, "dtheta_deg": -5.0},
)


def test_the_worst_island_counts_and_one_that_never_got_there_is_the_worst_of_all() -> None:
    slow = replace(GOOD, formed_s=0.2, f_min_hz=48.0, sync={"df_hz": 0.05, "dtheta_deg": 8.0})
    found = values(GOOD, slow)
    assert found["island_formed_s"] == 0.2
    assert found["island_f_min_hz"] == 48.0
    assert found["sync_dtheta_deg"] == 8.0
    assert found["sync_df_hz"] == 0.1
    assert found["sync_dv_pu"] is None, "one island told no difference of voltage"
    assert found["islands_not_reclosed"] == 0
    open_still = values(GOOD, replace(GOOD, formed_s=None, reclosed_s=None))
    assert open_still["island_formed_s"] == math.inf
    assert open_still["islands_not_reclosed"] == 1


def test_what_did_not_come_to_pass_has_no_value_and_so_passes_nothing() -> None:
    found = values()
    for name, known in CATALOGUE.items():
        if known.needs in ("opening", "reclose", "false reading"):
            assert found[name] is None, name
    assert found["tick_lateness_max_s"] == 0.25


def test_a_false_reading_counts_when_it_was_made_and_not_refused() -> None:
    def count(fired: int, refused: int) -> float | None:
        log = new_log()
        log.record("fault_armed", "m", fault="forged_reading")
        for _ in range(fired):
            log.record("fault_fired", "m", fault="forged_reading")
        log.record("fault_fired", "m", fault="late_reply")
        rows = [ReadingRow(0, "m", b"", "metering.signature_false") for _ in range(refused)]
        truth = ReadingRow(0, "m", b"", "verified", digest="ab")
        return values(events=log, received=[*rows, truth])["false_readings_accepted"]

    assert count(fired=0, refused=0) is None, "armed, never made"
    assert count(fired=1, refused=1) == 0
    assert count(fired=1, refused=0) == 1
    assert count(fired=2, refused=1) == 1


# ------------------------------------------------------------------------- readings and account
def test_a_period_without_a_reading_is_estimated_and_trued_up_in_the_period_that_is_open() -> None:
    street = lived({1, 2})
    account = street.account
    assert account.not_settled == []
    posted = [(e.period, e.revision, e.booked_in, e.quality) for e in account.entries() if e.meter]
    # Posted at once on estimates, at the mean power before; corrected when the meter read again.
    assert (1, 0, 1, "estimated") in posted
    assert (2, 0, 2, "estimated") in posted
    assert (1, 1, 3, "interpolated") in posted
    assert (2, 1, 3, "interpolated") in posted
    assert [(one.period, one.revision, one.booked_in) for one in account.corrections] == [
        (1, 1, 3),
        (2, 1, 3),
    ]
    home = [
        meter for settled in account.settled for meter in settled.meters if meter.meter == "home"
    ]
    # 2 + 3 + 4 kWh were counted between the two readings, laid out evenly; all 15 are settled.
    assert [meter.import_milliwh for meter in home] == [1_000_000, *[3_000_000] * 3, 5_000_000]
    settled = sum(
        e.energy_milliwh
        for e in account.entries()
        if e.meter == "home" and e.kind in ("taken", "excess")
    )
    assert settled == 15_000_000
    assert [row.period for row in account.energy] == [0, 4]
    assert account.qualities() == {"measured": 7, "interpolated": 3}
    assert street.journal.sum_of_all_micro() == 0


def test_a_meter_that_never_reads_again_stays_estimated_and_stops_nobody() -> None:
    account = lived(range(2, 9)).account
    assert len(account.settled) == 5
    assert account.qualities()["estimated"] == 3
    assert account.corrections == []


@pytest.mark.parametrize("deposit_micro", [None, 1_000_000])
def test_readings_that_come_late_end_in_the_same_balances(deposit_micro: int | None) -> None:
    at_once = lived((), deposit_micro=deposit_micro)
    street = lived({1, 2}, deposit_micro=deposit_micro)
    late = [settled.meters for settled in at_once.account.settled if settled.period in {1, 2}]
    readings = [m.closing for meters in late for m in meters if m.meter == "home" and m.closing]
    # They come in no order, and one of them twice.
    street.account.take([*reversed(readings), readings[0]])
    for one in (street, at_once):
        one.settle(5)
    assert [c.revision for c in street.account.corrections] == [1, 1, 2, 2, 1]
    assert street.balances() == at_once.balances()
    assert street.account.qualities() == at_once.account.qualities()
    owed = [name for name in street.balances() if name.startswith("receivable:")]
    assert owed == ([] if deposit_micro is None else ["receivable:grid", "receivable:house"])


def test_a_reading_signed_twice_is_withdrawn_and_its_periods_are_as_if_it_had_never_come() -> None:
    street, without = lived(()), lived({2})
    # A second record under the counter of the reading at the end of period 2, the fourth.
    home = street.meters["home"]
    forged = home.signer.sign(4, T0 + PERIOD_S * 3, 1, 0)
    home.answers = [forged, forged]
    for one in (street, without):
        one.settle(5)
    assert street.balances() == without.balances()
    assert [(c.period, c.revision) for c in street.account.corrections] == [(2, 1), (3, 1)]
    withdrawn = [e for e in street.events.ordered() if e.kind == "reading_withdrawn"]
    assert [e.device for e in withdrawn] == ["home"]
    assert street.account.qualities()["interpolated"] == 2


def test_a_meter_that_is_silent_once_is_asked_again() -> None:
    street = Street()
    street.meters["home"].refuses = ATTEMPTS - 1
    assert list(street.read(0)) == list(NAMES)


def test_the_record_of_another_meter_is_refused_and_does_not_spend_that_meters_own() -> None:
    street = Street()
    head = street.meters["head"]
    stolen = asyncio.run(head.sign(T0 + PERIOD_S))
    head.answers = [stolen]
    street.meters["home"].answers = [stolen]
    readings = street.read(0)
    assert readings["head"].meter == "head"
    assert readings["home"].meter == "home"
    assert street.outcomes() == [
        ("home", "metering.other_meter"),
        ("head", "verified"),
        ("home", "verified"),
    ]


def test_a_record_signed_for_another_moment_is_refused() -> None:
    street = Street()
    home = street.meters["home"]
    home.answers = [asyncio.run(home.sign(T0))]
    assert street.read(0)["home"].time_s == T0 + PERIOD_S
    assert ("home", "metering.other_time") in street.outcomes()


# ---------------------------------------------------------------------------- rig and evidence
BALANCED = {"name": "ledger_sum_micro", "unit": "micro", "min": 0, "max": 0, "source": "test"}


def test_an_emulated_meter_cannot_measure_a_real_device(tmp_path: Path) -> None:
    def make_real(table: dict[str, Any]) -> None:
        (device,) = (d for d in table["device"] if d["name"] == "pv-4")
        del device["emulate"]
        device["link"]["port"] = "/dev/ttyUSB0"
        device["terminal"] = {"grid": True, "analyser": "meter-pv-4"}
        table["rig"]["clock"] = "wall"

    with pytest.raises(RigError, match='found "pv-4", which is real'):
        load_rig(rig_file(tmp_path, make_real))


def test_set_points_of_a_run_have_timers_of_three_ticks_and_never_fall(tmp_path: Path) -> None:
    def state(table: dict[str, Any]) -> None:
        by_name = {d["name"]: d for d in table["device"]}
        by_name["pv-3"]["parameters"] = {"revert_s": 40}
        by_name["pv-4"]["emulate"]["reversion"] = False

    rig = rig_file(tmp_path, state)
    run_here(tmp_path, rig, scenario_file(tmp_path, duration_s=60, criteria=[BALANCED]))
    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    told = {e["device"]: e for e in events if e["kind"] == "reversion"}
    assert {
        name: (e["revert_s"], e["stated"], len(e["set_points"])) for name, e in told.items()
    } == {
        "pv-3": (40, True, 3),
        "pv-4": (3, False, 0),
        "storage-a": (3, False, 3),
        "storage-b": (3, False, 3),
    }
    sent = [e for e in events if e["kind"] == "set_power_w"]
    assert sent, "no set-point that could fall"
    fallen = [e for e in events if e["kind"] in ("reverted", "read_failed")]
    assert not [e for e in fallen if e["t_s"] < 60], "then nobody reads any more"


def test_a_report_that_cannot_be_drawn_does_not_cost_the_evidence(tmp_path: Path) -> None:
    def render(_: Path) -> None:
        raise ZeroDivisionError("no axis")

    rig, short = rig_file(tmp_path), scenario_file(tmp_path, duration_s=60, criteria=[BALANCED])
    result = run_here(tmp_path, rig, short, render=render)
    assert result.verdicts.outcome is Outcome.PASS
    assert result.outcome is Outcome.ERROR
    assert "no axis" in result.flaw
    assert (tmp_path / "run" / "manifest.sig").exists()
