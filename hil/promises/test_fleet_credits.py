"""Campaign 4, a virtual power plant: row N4, an event is followed and only followers are paid.

Stimulus: 200 homes of a programme are told at 16:45 to give 50 kW from 17:00 to 17:30; the order
comes from a VTN over OpenADR. What they
gave is measured at the feeder head, against the same afternoon without the event; what they are
credited comes from what their own meters signed, on this day and the ten weekdays before. One
member switches a heater on after the notice and follows nothing; one, on other meters of the same
afternoon, wasted energy on all ten days, one heats more just before a notice that it expects, and
ten run their pumps on a neighbour's meter. Then a tenth of the meters is not heard from the event's
beginning to its end.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.home_meters import HomeMeters
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises import fleet_credits as credits
from gridrig.promises.fleet_neighbours import shifted_gain_micro
from gridrig.promises.fleet_response import response, without_orders
from gridrig.promises.fleet_silence import of_silent, silent_homes, unlike_share_percent
from gridrig.promises.fleet_told import told

SCENARIO = load_scenario(SCENARIOS / "promise-4-response.toml", units(CATALOGUE))
MEMBERS, HEATER, WASTER, PREHEATER = "members", 0, 1, 2  # the fleet, and which homes cheat
PREHEATED_W = (100.0, 1000.0)  # within what the adjustment of a baseline is capped to, and above
NEIGHBOURS = [(home, home + 1) for home in range(3, 23, 2)]
SILENT = 20  # a tenth of the members
WASTED_W, COMMITMENT_MILLIWH, POOL_MICRO = 1000.0, 400_000, 10_000_000
CREDITS = "credits_unlike_feeder_percent"


@procedure(
    claim="an event of 50 kW is followed at the feeder head, and who cheats earns nothing",
    clause="promise N4",
    hazards="pumps are held back for half an hour, within their comfort bands",
    rig="emulated-programme",
    needs=("fleet", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("devices", "1", min=200, source="members of the programme"),
        Criterion("orders_heard", "1", min=1, max=1, source="over OpenADR 2.0b, answered optIn"),
        Criterion("head_delta_w", "W", min=47_500, max=52_500, source="ours: 50 kW, 5 %"),
        Criterion("response_s", "s", max=60, source="ours: 90 % of it at the feeder head"),
        Criterion(
            CREDITS,
            "%",
            max=2,
            source="ours: responses by the meters against the head, less losses saved",
        ),
        Criterion("reports_missing", "1", max=0, source="energy and power of each quarter-hour"),
        Criterion(
            "reports_unlike_meters_milliwh", "mWh", max=0, source="what the heard meters signed"
        ),
        Criterion("reports_unmarked", "1", max=0, source="of fewer meters than they say"),
        Criterion("reported_meters_percent", "%", min=90, source="ours: heard at both ends"),
        Criterion("credits_missing", "1", max=0, source="every member has a baseline"),
        Criterion(
            "inflated_after_notice_paid_micro", "micro", max=0, source="a heater after the notice"
        ),
        Criterion("inflating_gain_micro", "micro", max=0, source="wasting on all baseline days"),
        Criterion("preheating_gain_micro", "micro", max=0, source="100 W and 1 kW before a notice"),
        Criterion(
            "shifted_gain_micro",
            "micro",
            max=2,
            source="load on a member's meter; four dues, each rounded to the micro",
        ),
        Criterion("silent_members", "1", min=SILENT, max=SILENT, source="drawn by the seed"),
        Criterion("silent_paid_micro", "micro", max=0, source="what is not heard earns nothing"),
        Criterion("silent_untold", "1", max=0, source="each is told: event-unread"),
        Criterion(
            "heard_unlike_feeder_percent",
            "%",
            max=5,
            source="ours: the heard members' share of the feeder; homes are not alike",
        ),
        Criterion("credited_twice", "1", max=0, source="four ways to be paid again"),
        Criterion("paid_micro", "micro", min=1, max=POOL_MICRO, source="the pool"),
    ),
    mutants=(
        Mutant("three in ten only say it", MEMBERS, {"follows": 0.7}, "head_delta_w"),
        Mutant("they respond late", MEMBERS, {"response_s": 120}, "response_s"),
        Mutant("baselines are inflated", MEMBERS, {"inflates_w": 300}, CREDITS),
        Mutant("meters read a tenth low", MEMBERS, {"meter_scale": 0.9}, CREDITS),
        Mutant("readings are lost", MEMBERS, {"heard": 0.9}, "reported_meters_percent"),
    ),
)
async def test_fleet_credits(lab: Lab) -> None:
    """Run the afternoon without the event and with it, and read the members' meters."""
    reference = await without_orders(lab, SCENARIO)
    loop = await lab.run_loop(SCENARIO)
    (order,) = loop.aggregating.orders(MEMBERS)
    found = response(reference, loop, [order])
    heard = [event.kind for event in loop.events.ordered()].count("order_heard")
    lab.record("orders_heard", "1", heard)
    lab.record("head_delta_w", "W", found.mean_w(order.from_s, order.to_s))
    lab.record("response_s", "s", found.answered_s(order), found.tick_s(order.from_s))

    start, homes = SCENARIO.start_utc_s, lab.street.fleets[MEMBERS]
    told_s = next(e.at_s for e in SCENARIO.events if e.do == "dispatch")
    event = credits.Event(*(start + int(t_s) for t_s in (told_s, order.from_s, order.to_s)))
    meters = HomeMeters(MEMBERS, homes, loop.aggregating, start)
    lab.record("devices", "1", len(meters.names))
    fleet = credits.enrolled(meters.names, COMMITMENT_MILLIWH)
    measured = credits.responses(meters, fleet, event)
    missing = sum(one.shortcoming is not None for one in measured.values())
    lab.record("credits_missing", "1", missing)
    feeder_wh = found.energy_wh(order.from_s, order.to_s)
    credited_wh = credits.response_milliwh(measured) / 1000
    ordered_wh = order.p_w * (order.to_s - order.from_s) / 3600
    off = 100 * abs(credited_wh - feeder_wh) / ordered_wh
    note = f"{credited_wh:.0f} Wh by the meters, {feeder_wh:.0f} Wh at the feeder"
    lab.record(CREDITS, "%", off, note=note)

    assert loop.aggregating.wire is not None
    vtn = loop.aggregating.wire.vtn
    reports = told(
        vtn.figures if vtn else {},
        MEMBERS,
        homes,
        HomeMeters(MEMBERS, homes, loop.aggregating, start),
        event.quarters(),
        start,
    )
    lab.record("reports_missing", "1", reports.missing)
    lab.record("reports_unlike_meters_milliwh", "mWh", reports.off_milliwh)
    lab.record("reports_unmarked", "1", reports.unmarked)
    lab.record("reported_meters_percent", "%", reports.meters_percent)

    payments = credits.paid(measured, POOL_MICRO)
    lab.record("paid_micro", "micro", sum(payments.values()))
    lab.record("inflated_after_notice_paid_micro", "micro", payments[meters.names[HEATER]])
    again = HomeMeters(MEMBERS, homes, loop.aggregating, start)
    honest = measured[meters.names[WASTER]].counted_milliwh
    gain = credits.inflating_gain_micro(
        again, fleet, event, WASTER, wasted_w=WASTED_W, honest=honest
    )
    lab.record("inflating_gain_micro", "micro", gain)
    honest = measured[meters.names[PREHEATER]].counted_milliwh
    gains = [
        credits.preheating_gain_micro(
            HomeMeters(MEMBERS, homes, loop.aggregating, start),
            fleet,
            event,
            PREHEATER,
            wasted_w=wasted_w,
            honest=honest,
        )
        for wasted_w in PREHEATED_W
    ]
    lab.record("preheating_gain_micro", "micro", max(gains))
    first, second = (HomeMeters(MEMBERS, homes, loop.aggregating, start) for _ in range(2))
    gain = shifted_gain_micro(first, second, fleet, event, NEIGHBOURS, measured)
    lab.record("shifted_gain_micro", "micro", gain)

    silent = silent_homes(len(meters.names), SILENT, SCENARIO.seed)
    unread = HomeMeters(MEMBERS, homes, loop.aggregating, start)
    unheard = of_silent(unread, fleet, event, silent)
    lab.record("silent_members", "1", len(unheard))
    some = measured | unheard
    payments = credits.paid(some, POOL_MICRO)
    lab.record("silent_paid_micro", "micro", sum(payments[name] for name in unheard))
    untold = sum(one.shortcoming != "event-unread" for one in unheard.values())
    lab.record("silent_untold", "1", untold)
    heard_wh = credits.response_milliwh(some) / 1000
    off = unlike_share_percent(heard_wh, feeder_wh, ordered_wh, len(some), len(unheard))
    note = f"{heard_wh:.0f} Wh by {len(some) - len(unheard)} meters"
    lab.record("heard_unlike_feeder_percent", "%", off, note=note)
    lab.record("credited_twice", "1", credits.credited_twice(fleet, measured))
