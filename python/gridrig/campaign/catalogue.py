"""The measurements a run can give, by name: what each is, in which unit, and where it comes from.

A scenario's criterion names one of these. A measurement whose occasion did not come (an island that
never opened) is absent, and its criterion is then INCONCLUSIVE, never PASS.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gridrig.campaign.account import Account
from gridrig.campaign.comfort import room_stays, worst_excess
from gridrig.campaign.feeder_watch import Extreme
from gridrig.campaign.hands import override_periods
from gridrig.campaign.island_watch import IslandRecord, IslandWatch
from gridrig.campaign.measurements import Measurement
from gridrig.campaign.metering_rounds import MeteringRounds
from gridrig.campaign.timing import TickTimes
from gridrig.events import EventLog

STEP_S = 0.001  # of the island model: a time read from it is known to one step
# A battery's own protection bears this much beyond the limits it reports.
CURRENT_SLACK, CURRENT_SLACK_A = 1.1, 1.0
VOLTAGE_UNCERTAINTY_PU = 1e-4  # agreement of the two feeder engines


@dataclass
class Observed:
    """What the measurements are taken from.

    `room_end_c` are the true rooms by heat pump when the run was over, at `ends_s`.
    """

    columns: Mapping[str, list[float]]
    feeder: Mapping[str, Extreme]
    islands: IslandWatch
    rounds: MeteringRounds
    account: Account
    events: EventLog
    times: TickTimes
    periods: int
    journal_sum_micro: int
    room_end_c: Mapping[str, float] = field(default_factory=dict)
    ends_s: float = 0.0


Taken = tuple[float | int | None, float] | tuple[float | int | None, float, str]
"""Value, uncertainty, and where it was if it has a place."""


Occasion = Literal[
    "tick", "opening", "reclose", "period", "connected period", "false reading", "override"
]


@dataclass(frozen=True)
class Known:
    """One measurement of the catalogue.

    `needs` is what has to happen in a run for it: a scenario, or a slice of one, in which it does
    not happen cannot be judged by it.
    """

    unit: str
    text: str
    take: Callable[[Observed], Taken]
    needs: Occasion = "tick"


def measure(observed: Observed) -> list[Measurement]:
    """Take every measurement of the catalogue."""
    measurements = []
    for name, known in CATALOGUE.items():
        value, uncertainty, *place = known.take(observed)
        measurements.append(Measurement(name, known.unit, value, uncertainty, note="".join(place)))
    return measurements


def _add(values: Iterable[float]) -> float:
    return sum(values)


def _worst(values: Iterable[float | None], pick: Callable[..., float]) -> float | None:
    found = list(values)
    # One island that never got there is the worst of all.
    if not found or any(value is None for value in found):
        return None
    return pick(value for value in found if value is not None)


def _island(
    take: Callable[[IslandRecord], float | None], pick: Callable[..., float], uncertainty: float
) -> Callable[[Observed], Taken]:
    def taken(o: Observed) -> Taken:
        return _worst((take(r) for r in o.islands.records), pick), uncertainty

    return taken


def _formed_s(record: IslandRecord) -> float | None:
    # An island that was watched and did not form took for ever.
    return math.inf if record.formed_s is None else record.formed_s


def _sync(key: str) -> Callable[[Observed], Taken]:
    return _island(lambda r: abs(r.sync[key]) if r.sync and key in r.sync else None, max, 0.0)


def _extreme(quantity: str, uncertainty: float = 0.0) -> Callable[[Observed], Taken]:
    def taken(o: Observed) -> Taken:
        found = o.feeder.get(quantity)
        return (None, uncertainty) if found is None else (found.value, uncertainty, found.text())

    return taken


def _count_events(*kinds: str) -> Callable[[Observed], Taken]:
    def taken(o: Observed) -> Taken:
        return sum(event.kind in kinds for event in o.events.ordered()), 0.0

    return taken


def _losses(o: Observed) -> Taken:
    if not o.account.energy:
        return None, 0.0
    return max(
        abs(row.losses_milliwh - row.engine_losses_milliwh) / row.allowed_difference_milliwh
        for row in o.account.energy
    ), 0.0


def _unbacked(o: Observed) -> Taken:
    verified = {bytes.fromhex(row.digest) for row in o.rounds.received if row.digest}
    # An estimate is no payment for good: what it paid is corrected, or counted as an estimate.
    entries = [e for e in o.account.entries() if e.meter and e.quality != "estimated"]
    if not entries:
        return None, 0.0
    return sum(
        not (e.opening_digest in verified and e.closing_digest in verified) for e in entries
    ), 0.0


def _false_accepted(o: Observed) -> Taken:
    # A fault that was armed and never came to fire made no false reading.
    made = Counter(
        event.device
        for event in o.events.ordered()
        if event.kind == "fault_fired" and str(event.data["fault"]).endswith("_reading")
    )
    if not made:
        return None, 0.0
    refused = Counter(row.meter for row in o.rounds.received if row.outcome != "verified")
    return (made - refused).total(), 0.0


def _oversold_percent(o: Observed) -> Taken:
    # What an opening cut off nobody could foresee: a period in which there was an island is left
    # out. So is the main grid, which delivers whatever is needed.
    start_ms = 1000 * o.account.start_utc_s
    islands = [
        (start_ms + 1000 * r.opened_s, start_ms + 1000 * (r.reclosed_s or math.inf))
        for r in o.islands.records
    ]
    head = o.account.meter_of.get(o.account.head)
    sold = missed = 0
    for settled in o.account.settled:
        if any(settled.from_ms < to and settled.to_ms > begin for begin, to in islands):
            continue
        for entry in settled.entries:
            if entry.kind in ("delivered", "shortfall") and entry.meter != head:
                sold += entry.energy_milliwh
                missed += entry.energy_milliwh if entry.kind == "shortfall" else 0
    return (100.0 * missed / sold if sold else None), 0.0


def _override_periods(o: Observed) -> Taken:
    return override_periods(o.columns, o.events.ordered()), 0.0


def _comfort(o: Observed) -> Taken:
    return worst_excess(room_stays(o.columns, o.room_end_c, o.ends_s))


def _bms_response(o: Observed) -> Taken:
    packs = [n[5:-4] for n in o.columns if n.startswith("pack.") and n.endswith(".i_a")]
    if not packs:
        return None, 0.0
    longest_s = 0.0
    for pack in packs:
        outside_s = 0.0
        for i_a, charge_a, discharge_a, dt_s in zip(
            o.columns[f"pack.{pack}.i_a"],
            o.columns[f"pack.{pack}.charge_limit_a"],
            o.columns[f"pack.{pack}.discharge_limit_a"],
            o.columns["dt_s"],
            strict=True,
        ):
            lowest_a = -charge_a * CURRENT_SLACK - CURRENT_SLACK_A
            highest_a = discharge_a * CURRENT_SLACK + CURRENT_SLACK_A
            inside = lowest_a <= i_a <= highest_a
            outside_s = 0.0 if inside else outside_s + dt_s
            longest_s = max(longest_s, outside_s)
    return longest_s, 0.0


CATALOGUE: Mapping[str, Known] = {
    "island_formed_s": Known(
        "s",
        "opening of the connection until voltage and frequency stay in their bands; slowest island",
        _island(_formed_s, max, STEP_S),
        "opening",
    ),
    "island_f_min_hz": Known(
        "Hz", "lowest frequency of any island", _island(lambda r: r.f_min_hz, min, 0.0), "opening"
    ),
    "island_f_max_hz": Known(
        "Hz", "highest frequency of any island", _island(lambda r: r.f_max_hz, max, 0.0), "opening"
    ),
    "island_v_min_pu": Known(
        "pu", "lowest voltage of any island", _island(lambda r: r.v_min_pu, min, 0.0), "opening"
    ),
    "island_v_max_pu": Known(
        "pu", "highest voltage of any island", _island(lambda r: r.v_max_pu, max, 0.0), "opening"
    ),
    "islands_not_reclosed": Known(
        "1",
        "islands that were asked to close and did not",
        _island(lambda r: float(r.reclose_asked_s is None or r.reclosed_s is None), _add, 0.0),
        "reclose",
    ),
    "sync_df_hz": Known(
        "Hz", "frequency difference at closing, largest", _sync("df_hz"), "reclose"
    ),
    "sync_dv_pu": Known("pu", "voltage difference at closing, largest", _sync("dv_pu"), "reclose"),
    "sync_dtheta_deg": Known(
        "deg", "angle difference at closing, largest", _sync("dtheta_deg"), "reclose"
    ),
    "islands_with_throttling": Known(
        "1",
        "islands in which an inverter throttled on over-frequency",
        _island(lambda r: float(bool(r.throttled)), _add, 0.0),
        "opening",
    ),
    "islands_with_shedding": Known(
        "1",
        "islands in which load was shed",
        _island(lambda r: float(bool(r.shed)), _add, 0.0),
        "opening",
    ),
    "shed_out_of_order": Known(
        "1",
        "loads shed before one of a lower stage",
        _island(lambda r: float(r.shed_out_of_order), _add, 0.0),
        "opening",
    ),
    "inverters_tripped_in_island": Known(
        "1",
        "inverters that tripped",
        _island(lambda r: float(len(r.tripped)), _add, 0.0),
        "opening",
    ),
    "grid_energy_while_islanded_milliwh": Known(
        "mWh",
        "energy through the feeder head while the connection was open",
        _island(lambda r: float(r.head_energy_milliwh), _add, 0.0),
        "opening",
    ),
    "bus_v_min_pu": Known(
        "pu", "lowest bus voltage while connected", _extreme("v_min", VOLTAGE_UNCERTAINTY_PU)
    ),
    "bus_v_max_pu": Known(
        "pu", "highest bus voltage while connected", _extreme("v_max", VOLTAGE_UNCERTAINTY_PU)
    ),
    "buses_dead_max": Known(
        "1", "most buses without a source at one tick while connected", _extreme("dead")
    ),
    "trafo_loading_max_percent": Known(
        "%", "highest loading of any transformer", _extreme("trafo")
    ),
    "line_loading_max_percent": Known("%", "highest loading of any line", _extreme("line")),
    "losses_difference_of_allowed": Known(
        "1",
        "losses from signed registers against the feeder engine's, over (meters + 1) x resolution",
        _losses,
        "period",
    ),
    "periods_not_settled": Known(
        "1",
        "delivery periods without a settlement",
        lambda o: (o.periods - len(o.account.settled), 0.0),
        "period",
    ),
    "meter_periods_estimated": Known(
        "1",
        "periods of a meter settled on an estimate that no later reading has replaced",
        lambda o: (o.account.qualities()["estimated"], 0.0),
        "period",
    ),
    "meter_periods_interpolated": Known(
        "1",
        "periods of a meter settled on readings further apart than the period",
        lambda o: (o.account.qualities()["interpolated"], 0.0),
        "period",
    ),
    "devices_lost": Known(
        "1",
        "how often a device was lost, whether it was asked again or that was the end of the run",
        _count_events("device_lost"),
    ),
    "periods_grid_infeasible": Known(
        "1",
        "delivery periods of which the feeder can carry no clearing that was found",
        _count_events("grid_infeasible"),
        "period",
    ),
    "oversold_percent": Known(
        "%",
        "energy sold and not delivered, of what all but the main grid sold, in periods without "
        "an island",
        _oversold_percent,
        "connected period",
    ),
    "orders_clamped": Known(
        "1",
        "orders cut to what their participant may ask for",
        _count_events("order_clamped"),
        "period",
    ),
    "override_response_periods": Known(
        "1",
        "control periods from a manual override until the device is where it was told to be, "
        "to 5 % and 1 W, at most 100 W; 0: at once; slowest",
        _override_periods,
        "override",
    ),
    "ledger_sum_micro": Known(
        "micro", "sum over all accounts of the journal", lambda o: (o.journal_sum_micro, 0.0)
    ),
    "payments_unbacked": Known(
        "1",
        "entries of meters not estimated without a verified reading at both ends",
        _unbacked,
        "period",
    ),
    "false_readings_accepted": Known(
        "1",
        "altered, forged or replayed readings that were not refused",
        _false_accepted,
        "false reading",
    ),
    "bms_limit_response_s": Known(
        "s",
        "longest time that a battery's current was over its reported limits by 10 % and 1 A",
        _bms_response,
    ),
    "comfort_excess_k": Known(
        "K",
        "how far any room of a home was beyond its household's band of the hour, at worst; "
        "negative: within. The true room of an emulated heat pump, a real one's own word",
        _comfort,
    ),
    "switches_opened_under_load": Known(
        "1",
        "battery switches that opened while current flowed",
        _count_events("island_fet_opened", "plant_fet_opened"),
    ),
    "tick_lateness_max_s": Known(
        "s",
        "how late a step began, at worst",
        lambda o: (o.times.jitter_p_s(1.0), 0.0),
    ),
    "tick_jitter_p99_s": Known(
        "s",
        "how late a step began, all but one in a hundred",
        lambda o: (o.times.jitter_p_s(0.99), 0.0),
    ),
    "deadlines_missed": Known(
        "1",
        "ticks whose work was not done when the next one was due",
        lambda o: (len(o.times.missed), 0.0),
    ),
}
