"""Reports over OpenADR: the grid operator is told what meters signed, marked where it lacks."""

import math
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from aiohttp import web
from criteria import assert_fails
from openleadr import OpenADRServer

from gridrig.campaign.aggregating import Aggregating
from gridrig.campaign.fleet_reports import FleetReports
from gridrig.campaign.home_meters import HomeMeters
from gridrig.campaign.order_wire import OrderWire
from gridrig.circuit.heated_homes import HeatedHomes, History
from gridrig.clock import Clock, run_virtual
from gridrig.events import EventLog
from gridrig.openadr.reports import GOOD, NO_VALUE, PARTLY, SPECIFIER, ReportRequest
from gridrig.openadr.vtn import Figure
from gridrig.promises.fleet_told import Told
from gridrig.promises.fleet_told import told as judge_told
from gridrig.rig.fleets import HeatPumps
from gridrig.rig.grid_orders import OpenAdr

START = 1_453_129_200
COUNT = 10
TAKEN_MILLIWH = 250_000  # by each home in a quarter-hour: 1 kW


def homes(count: int = COUNT, **changes: Any) -> HeatedHomes:
    table = vars(HeatPumps("heat_pump", count, heard=1.0)) | changes
    return HeatedHomes(**{key: value for key, value in table.items() if key != "model"})


def reporting(fleet: HeatedHomes) -> FleetReports:
    reports = FleetReports(900, {"members": fleet})
    before = History(START - 900, np.full((1, fleet.count), 400.0), np.zeros(1))
    reports.begin({"members": before})
    return reports


def read(reports: FleetReports, quarter: int, count: int = COUNT) -> None:
    counted = np.full(count, 7 + quarter * TAKEN_MILLIWH, dtype=np.int64)
    reports.read("members", START + 900 * quarter, counted)


class Utility:
    """A grid operator by openleadr alone, which asks for energy by half hours, told every hour."""

    def __init__(self) -> None:
        self.knows = True
        self.broken = False
        self.offers: list[dict[str, Any]] = []
        self.energy: list[tuple[datetime, float]] = []
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.next: list[tuple[str, dict[str, Any]]] = []
        self.granularity = timedelta(minutes=30)
        self._runner: Any = None

    async def open(self) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", web.NotAppKeyWarning)
            server = OpenADRServer(vtn_id="utility", ven_lookup=self._known)
        server.add_handler("on_create_party_registration", self._registered)
        server.add_handler("on_register_report", self._offered)
        server.add_handler("on_created_report", lambda said: self.said.append(("agreed", said)))
        server.add_handler("on_poll", lambda ven_id: self.next.pop(0) if self.next else None)
        self._runner = web.AppRunner(server.app)
        await self._runner.setup()
        await web.TCPSite(self._runner, host="127.0.0.1", port=0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/OpenADR2/Simple/2.0b"

    async def close(self) -> None:
        await self._runner.cleanup()

    def _known(self, ven_id: str) -> dict[str, str] | None:
        assert not self.broken
        return {"ven_id": ven_id, "registration_id": "r"} if self.knows else None

    def _registered(self, _: dict[str, Any]) -> tuple[str, str]:
        self.knows = True
        return "ven", "r"

    def _offered(
        self, ven_id: str, resource_id: str, measurement: str, unit: str, scale: str,
        min_sampling_interval: timedelta, max_sampling_interval: timedelta,
    ) -> tuple[Any, ...] | None:  # fmt: skip
        self.offers.append({"unit": unit, "resource": resource_id, "least": min_sampling_interval})
        if measurement != "RealEnergy":
            return None
        return self.energy.extend, self.granularity, timedelta(hours=1)


def told(
    utility: Utility, until_s: int, *, fleet: HeatedHomes, at: dict[int, Callable[[], object]]
) -> list[tuple[str, str]]:
    """Let a rig of this fleet talk to a utility, and return its events and their causes."""
    reports = reporting(fleet)
    found: list[tuple[str, str]] = []

    async def body(clock: Clock) -> None:
        events = EventLog(clock, [])
        table = OpenAdr(url=await utility.open(), poll_s=300.0)
        wire = OrderWire(table, clock, events, lambda _: None, reports=reports)
        await wire.open()
        for t_s in range(0, until_s + 1, 300):
            await clock.sleep_until(t_s)
            if t_s in at:
                at[t_s]()
            wire.hear(t_s)
            if t_s % 900 == 0:
                read(reports, t_s // 900)
        await wire.close()
        await utility.close()
        found.extend((one.kind, str(one.data.get("cause", ""))) for one in events.ordered())

    run_virtual(body, start_utc_s=START)
    return found


def half_hour(number: int) -> datetime:
    return datetime.fromtimestamp(START + 1800 * number, UTC)


def test_a_utility_by_openleadr_is_told_what_the_meters_signed_as_it_asked() -> None:
    utility = Utility()
    events = told(utility, 9600, fleet=homes(), at={})
    assert events == [("report_wanted", "")]
    least = timedelta(minutes=15)
    assert utility.offers == [
        {"unit": "Wh", "resource": "members", "least": least},
        {"unit": "W", "resource": "members", "least": least},
    ]
    half_hours = [(half_hour(number), 5000.0) for number in range(1, 5)]
    assert utility.energy == half_hours  # ten homes at 1 kW; the first that was whole, and on
    ((_, agreed),) = utility.said
    assert len(agreed["pending_reports"]) == 1


def test_a_utility_that_was_away_is_told_when_it_is_back() -> None:
    utility = Utility()
    at: dict[int, Callable[[], object]] = {
        5400: lambda: setattr(utility, "broken", True),
        7800: lambda: setattr(utility, "broken", False),
    }
    events = told(utility, 9600, fleet=homes(), at=at)
    assert [kind for kind, _ in events] == ["report_wanted", "vtn_lost", "vtn_back"]
    assert [when for when, _ in utility.energy] == [half_hour(number) for number in range(1, 5)]


def test_a_utility_that_forgot_the_rig_is_registered_with_again() -> None:
    utility = Utility()
    at: dict[int, Callable[[], object]] = {900: lambda: setattr(utility, "knows", False)}
    events = told(utility, 6600, fleet=homes(), at=at)
    assert [kind for kind, _ in events] == ["report_wanted", "report_wanted"]
    assert [when for when, _ in utility.energy] == [half_hour(1), half_hour(2)]


def test_a_figure_that_is_told_to_who_forgot_the_rig_is_not_lost_in_silence() -> None:
    utility = Utility()
    at: dict[int, Callable[[], object]] = {5700: lambda: setattr(utility, "knows", False)}
    events = told(utility, 6600, fleet=homes(), at=at)
    assert [kind for kind, _ in events] == ["report_wanted", "vtn_told_not", "report_wanted"]
    assert "oadrUpdateReport" in events[1][1]


def test_a_report_ends_when_the_utility_takes_it_back() -> None:
    utility = Utility()

    def cancel() -> None:
        ((_, agreed),) = utility.said
        wanted = agreed["pending_reports"][0]["report_request_id"]
        cancelled = {"report_request_id": wanted, "report_to_follow": False}
        utility.next.append(("oadrCancelReport", cancelled))

    events = told(utility, 9600, fleet=homes(), at={6000: cancel})
    # That it was ended is a message for which openleadr's server has no ear.
    assert [kind for kind, _ in events] == ["report_wanted", "report_ended", "vtn_told_not"]
    assert "oadrCanceledReport" in events[-1][1]
    assert [when for when, _ in utility.energy] == [half_hour(1), half_hour(2)]


def test_what_meters_cannot_tell_is_refused_with_the_reason() -> None:
    utility = Utility()
    utility.granularity = timedelta(minutes=10)
    ((kind, cause),) = told(utility, 3000, fleet=homes(), at={})
    assert kind == "report_refused"
    assert cause == "granularity of 600 s, expected a multiple of 900 s up to 86400 s"
    assert utility.energy == []
    ((_, agreed),) = utility.said
    assert agreed["pending_reports"] == []
    assert agreed["response"]["response_code"] == 461
    reports = reporting(homes())
    for request, reason in (
        (ReportRequest("1", "else", ("members.energy",), 900, 900), "report 'else'"),
        (ReportRequest("1", SPECIFIER, ("a.energy",), 900, 900), "data point 'a.energy'"),
        (ReportRequest("1", SPECIFIER, ("members.energy",), 900, 1500), "back after 1500 s"),
        # XML's durations have a sign; intervals that go backwards would never end.
        (ReportRequest("1", SPECIFIER, ("members.energy",), -900, -900), "granularity of -900 s"),
    ):
        assert reports.take(request, START).startswith(reason)


def test_one_message_is_one_message_and_few_homes_are_none() -> None:
    reports = reporting(homes())
    once = ReportRequest("1", SPECIFIER, ("members.power",), 0, 0)
    read(reports, 0)
    assert reports.take(once, START + 1) == ""
    for quarter in range(1, 4):
        read(reports, quarter)
    ((_, (figure,)),) = reports.due(START + 2701)
    assert (figure.from_utc_s, figure.value, figure.quality) == (START + 900, "10000.000", GOOD)
    assert reports.running() == []
    assert reporting(homes(4)).points() == []


def test_figures_are_what_the_meters_signed_and_say_what_lacks() -> None:
    fleet = homes()
    reports = reporting(fleet)
    told_of: dict[tuple[str, int], Figure] = {}

    async def body(clock: Clock) -> None:
        events = EventLog(clock, [])
        table = OpenAdr(poll_s=300.0, emulate=True)
        wire = OrderWire(table, clock, events, lambda _: None, reports=reports)
        await wire.open()
        for t_s in range(0, 6301, 300):
            await clock.sleep_until(t_s)
            if t_s == 1800:
                fleet.lose(0.3)  # three homes are silent at one edge
            if t_s == 2700:
                fleet.lose(0.0)
            if t_s == 4500:
                fleet.lose(0.7)
            wire.hear(t_s)
            if t_s % 900 == 0:
                read(reports, t_s // 900)
        assert wire.vtn is not None
        told_of.update(wire.vtn.figures)
        await wire.close()

    run_virtual(body, start_utc_s=START)
    energies = [told_of["members.energy", START + 900 * quarter] for quarter in range(1, 6)]
    seven, ten = Figure(1750.0, PARTLY, 70), Figure(2500.0, GOOD, 100)
    assert energies[:3] == [seven, seven, ten]
    for figure in energies[3:]:  # three homes would tell how they live
        assert math.isnan(figure.value)
        assert (figure.quality, figure.confidence) == (NO_VALUE, 0)
    assert told_of["members.power", START + 900] == Figure(7000.0, PARTLY, 70)


ENERGY, POWER = ("m.energy", START), ("m.power", START)
WHOLE = {ENERGY: Figure(2500.0, GOOD, 100), POWER: Figure(10_000.0, GOOD, 100)}


def judged(figures: dict[tuple[str, int], Figure], heard: float = 1.0) -> Told:
    """Judge what was told of the first quarter-hour, in which each home took the same."""
    past = History(START - 900, np.full((1, COUNT), 400.0), np.zeros(1))
    registers = {900.0 * k: np.full(COUNT, k * TAKEN_MILLIWH, dtype=np.int64) for k in range(2)}
    kept = cast(Aggregating, SimpleNamespace(history={"m": past}, registers={"m": registers}))
    fleet = homes(heard=heard)
    return judge_told(figures, "m", fleet, HomeMeters("m", fleet, kept, START), [START], START)


def test_reports_that_lack_or_lie_are_found() -> None:
    assert judged(WHOLE) == Told(0, 0, 0, 100)
    for lacking in ({POWER: WHOLE[POWER]}, WHOLE | {ENERGY: Figure(math.nan, NO_VALUE, 0)}):
        found = judged(lacking)
        assert found == Told(1, 0, 0, 100)
        assert_fails(found.missing, "test_fleet_credits.reports_missing")
    for lie in ({ENERGY: Figure(2500.001, GOOD, 100)}, {POWER: Figure(9_999.996, GOOD, 100)}):
        found = judged(WHOLE | lie)
        assert found == Told(0, 1, 0, 100)
        assert_fails(found.off_milliwh, "test_fleet_credits.reports_unlike_meters_milliwh")
    assert judged(WHOLE | {ENERGY: Figure(2500.0, PARTLY, 60)}) == Told(0, 0, 0, 60)


def test_reports_of_some_meters_that_boast_of_more_are_found() -> None:
    fleet = homes(heard=0.5)
    heard = sum(not {0, 1} & fleet.unheard(home) for home in range(COUNT))
    assert 0 < heard < COUNT
    share = 100 * heard // COUNT

    def of_some(quality: str, confidence: int) -> Told:
        values = {ENERGY: 250.0 * heard, POWER: 1000.0 * heard}
        figures = {place: Figure(value, quality, confidence) for place, value in values.items()}
        return judged(figures, heard=0.5)

    assert of_some(PARTLY, share) == Told(0, 0, 0, share)
    for quality, confidence in ((GOOD, share), (PARTLY, share + 1)):
        boasting = of_some(quality, confidence)
        assert boasting == Told(0, 0, 2, confidence)
        assert_fails(boasting.unmarked, "test_fleet_credits.reports_unmarked")
    # Who sums up all meters has not heard so many, and is off by those that nobody heard.
    assert judged(WHOLE, heard=0.5) == Told(0, (COUNT - heard) * TAKEN_MILLIWH, 2, 100)
