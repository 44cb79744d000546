"""Campaign 4, a virtual power plant: row N4, who may be a member of a programme.

Stimulus: five homes are listened to for a week, in which some readings are lost; one of them sends
its first reading again on the last day. Then 200 homes are told to give everything for a quarter of
an hour: each shows what it claims, and none shows twice that.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.home_meters import HomeMeters
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.fleet_credits import Event, enrolled
from gridrig.promises.fleet_enrolment import WEEK_S, capacity, heartbeats

SCENARIO = load_scenario(SCENARIOS / "promise-4-capacity.toml", units(CATALOGUE))
MEMBERS, LISTENED, REPLAYER = "members", 4, 4
LAST_DAY = range(6 * 96 + 1, 7 * 96 + 1)  # in quarter-hours of the week
CLAIMED = 0.8  # what a careful home claims, of what it takes at that hour


@procedure(
    claim="a member was there for a week and shows the capacity that it claims",
    clause="promise N4",
    hazards="pumps are held back for a quarter of an hour, within their comfort bands",
    rig="emulated-programme",
    needs=("fleet", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("connectivity_percent", "%", min=95, source="of the week's quarter-hours"),
        Criterion("replays_believed", "1", max=0, source="an old reading is none"),
        Criterion("replayer_percent", "%", max=95, source="who replays a day was not there"),
        Criterion("capacity_of_claimed", "1", min=0.95, source="ours: shown, of what is claimed"),
        Criterion("liars_believed", "1", max=0, source="each claims twice what it has"),
    ),
    mutants=(
        Mutant("one reading in ten is lost", MEMBERS, {"heard": 0.9}, "connectivity_percent"),
        Mutant("some only say it", MEMBERS, {"follows": 0.8}, "capacity_of_claimed"),
        Mutant("they follow late", MEMBERS, {"response_s": 600}, "capacity_of_claimed"),
    ),
)
async def test_fleet_enrolment(lab: Lab) -> None:
    """Test the capacity, and listen to what the meters said in the week before."""
    loop = await lab.run_loop(SCENARIO)
    start, homes = SCENARIO.start_utc_s, lab.street.fleets[MEMBERS]
    (order,) = loop.aggregating.orders(MEMBERS)
    told_s = next(e.at_s for e in SCENARIO.events if e.do == "dispatch")
    test = Event(*(start + int(t_s) for t_s in (told_s, order.from_s, order.to_s)))
    meters = HomeMeters(MEMBERS, homes, loop.aggregating, start)
    fleet = enrolled(meters.names, 10_000_000)

    found = capacity(meters, fleet, test, CLAIMED)
    note = f"{found.shown_milliwh} of {found.claimed_milliwh} mWh"
    lab.record("capacity_of_claimed", "1", found.shown_milliwh / found.claimed_milliwh, note=note)
    lab.record("liars_believed", "1", found.liars_believed)

    heard = HomeMeters(MEMBERS, homes, loop.aggregating, start)
    week = [
        heartbeats(heard, fleet, home, start - WEEK_S, lost=homes.unheard(home))
        for home in range(LISTENED)
    ]
    lab.record("connectivity_percent", "%", min(one.percent for one in week))
    replayer = heartbeats(heard, fleet, REPLAYER, start - WEEK_S, lost=(), replayed=LAST_DAY)
    lab.record("replays_believed", "1", replayer.replays_believed)
    lab.record("replayer_percent", "%", replayer.percent)
