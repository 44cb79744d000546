"""Orders over OpenADR 2.0b: real HTTP on the virtual clock, between our VEN and openleadr's VTN."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.order_wire import OrderWire
from gridrig.campaign.scenario import load_scenario, units
from gridrig.campaign.scenario_fit import check_together
from gridrig.clock import Clock, run_virtual
from gridrig.errors import GridrigError, RigError
from gridrig.events import EventLog
from gridrig.openadr.ven import HeardEvent, Interval, Ven
from gridrig.openadr.vtn import EmulatedVtn
from gridrig.rig.description import load_rig
from gridrig.rig.grid_orders import OpenAdr

START = 1_453_129_200
BEGINS = START + 7200


def alive(body: Callable[[Clock], Awaitable[None]]) -> None:
    run_virtual(body, start_utc_s=START)


def test_an_order_crosses_the_wire_and_its_answer_comes_back() -> None:
    async def body(clock: Clock) -> None:
        vtn = EmulatedVtn(30.0)
        ven = Ven(await vtn.open(), "gridrig")
        await ven.open()
        assert (await ven.poll()).events == ()
        await clock.sleep(86_400)  # a day later the wire is as good as before
        vtn.issue("order-1", "members", from_utc_s=BEGINS, duration_s=1800, p_w=50e3)
        (heard,) = (await ven.poll()).events
        assert (heard.event_id, heard.targets, heard.refusal) == ("order-1", ("members",), "")
        assert heard.intervals == (Interval(BEGINS, 1800.0, 50e3),)
        await ven.answer(heard)
        assert vtn.answers == {"order-1": "optIn"}
        assert (await ven.poll()).events == ()
        await vtn.close()
        with pytest.raises(GridrigError, match=r"openadr\.no_answer"):
            await ven.poll()
        await ven.close()
        assert clock.now_s() == 86_400

    alive(body)


def event(
    changes: dict[str, Any], signal: dict[str, Any], status: str = "far", modification: int = 3
) -> dict[str, Any]:
    """Return an event as a VTN gives it to openleadr, which makes the XML of it."""
    begins = datetime.fromtimestamp(BEGINS, UTC)
    return {
        "event_descriptor": {
            "event_id": "e", "modification_number": modification,
            "market_context": "http://context.invalid",
            "modification_date_time": begins, "created_date_time": begins, "priority": 0,
            "event_status": status, "test_event": False,
        },
        "active_period": {"dtstart": begins, "duration": timedelta(hours=1)},
        "event_signals": [{"signal_name": "LOAD_DISPATCH", "signal_type": "delta",
                           "signal_id": "s"} | signal],
        "targets": [{"ven_id": "ven-1"}],
        "response_required": "always",
    } | changes  # fmt: skip


def kilowatts(*values: float) -> dict[str, Any]:
    power = {"hertz": 50, "voltage": 230, "ac": True}
    measurement = {"name": "powerReal", "description": "RealPower", "unit": "W", "scale": "k"}
    half = timedelta(minutes=60 / len(values))
    return {
        "measurement": measurement | {"power_attributes": power},
        "intervals": [{"duration": half, "signal_payload": value} for value in values],
    }


def heard_by_us(*events: dict[str, Any]) -> list[HeardEvent]:
    """Return what our VEN makes of events, after openleadr wrote and both read them as XML."""
    found: list[HeardEvent] = []

    async def body(_: Clock) -> None:
        vtn = EmulatedVtn(30.0)
        ven = Ven(await vtn.open(), "gridrig")
        await ven.open()
        vtn.waiting += events
        found.extend((await ven.poll()).events)
        await ven.close()
        await vtn.close()

    alive(body)
    return found


def test_intervals_scales_and_cancellations_are_understood() -> None:
    (told,) = heard_by_us(event({}, kilowatts(-40.0, 15.0)))
    assert told.modification == 3
    assert told.targets == ()
    assert told.intervals == (
        Interval(BEGINS, 1800.0, 40e3),
        Interval(BEGINS + 1800, 1800.0, -15e3),
    )
    (back,) = heard_by_us(event({}, kilowatts(-40.0), status="cancelled"))
    assert back.cancelled


def test_a_modification_that_comes_late_never_takes_the_place_of_a_newer_one() -> None:
    modified = [event({}, kilowatts(-10.0 * n), modification=n) for n in (3, 2, 3, 4)]
    modified.append(event({}, kilowatts(-10.0), status="cancelled", modification=1))
    heard = heard_by_us(*modified)
    assert [one.code for one in heard] == [200, 450, 200, 200, 450]
    assert [bool(one.intervals) for one in heard] == [True, False, True, True, False]
    assert heard[1].refusal == "modification 2, 3 was heard before"


def test_a_run_goes_on_with_the_newer_order_and_says_which_it_refused() -> None:
    taken: list[int] = []

    def take(heard: HeardEvent) -> str | None:
        taken.append(heard.modification)
        return None

    async def body(clock: Clock) -> None:
        events = EventLog(clock, [])
        wire = OrderWire(OpenAdr(poll_s=60.0, emulate=True), clock, events, take)
        await wire.open()
        assert wire.vtn is not None
        wire.vtn.waiting += [event({}, kilowatts(1.0), modification=n) for n in (1, 0)]
        for t_s in (0.0, 10.0, 60.0):
            await clock.sleep_until(t_s)
            wire.hear(t_s)
        await wire.close()
        assert taken == [1]
        refused = {"order": "e", "cause": "modification 0, 1 was heard before"}
        assert [(one.kind, one.data) for one in events.ordered()] == [
            ("order_heard", {"order": "e", "cause": ""}),
            ("order_refused", refused),
        ]

    alive(body)


def test_a_signal_that_is_not_understood_is_refused_with_its_reason() -> None:
    simple = {"signal_name": "SIMPLE", "signal_type": "level", "measurement": None}
    intervals = [{"duration": timedelta(hours=1), "signal_payload": 2.0}]
    (told,) = heard_by_us(event({}, simple | {"intervals": intervals}))
    assert told.intervals == ()
    assert "SIMPLE" in told.refusal
    (told,) = heard_by_us(event({}, kilowatts(1.0) | {"signal_type": "setpoint"}))
    assert "setpoint" in told.refusal


def test_a_run_hears_orders_refuses_strangers_and_goes_on_without_its_vtn() -> None:
    taken: list[HeardEvent] = []

    def take(heard: HeardEvent) -> str | None:
        taken.append(heard)
        return None if heard.targets == ("members",) else "not ours"

    async def body(clock: Clock) -> None:
        events = EventLog(clock, [])
        wire = OrderWire(OpenAdr(poll_s=60.0, emulate=True), clock, events, take)
        await wire.open()
        assert wire.vtn is not None
        wire.hear(0.0)
        wire.issue("members", from_s=7200, duration_s=1800, p_w=1e3)
        wire.issue("others", from_s=7200, duration_s=1800, p_w=1e3)
        for t_s in (10.0, 60.0, 70.0, 80.0):
            await clock.sleep_until(t_s)
            wire.hear(t_s)
        assert [one.event_id for one in taken] == ["order-1", "order-2"]
        assert wire.vtn.answers == {"order-1": "optIn", "order-2": "optOut"}
        await wire.vtn.close()
        for t_s in (140.0, 150.0, 210.0, 220.0):
            await clock.sleep_until(t_s)
            wire.hear(t_s)
        await wire.close()
        kinds = [one.kind for one in events.ordered()]
        assert kinds == ["order_heard", "order_refused", "vtn_lost"]

    alive(body)


def test_a_rig_says_where_orders_come_from_and_a_scenario_does_not_contradict(
    tmp_path: Path,
) -> None:
    text = (RIGS / "emulated-programme.toml").read_text()
    path = tmp_path / "rig.toml"
    for wire, key in (
        ('{ ven = "gridrig" }', "aggregator.openadr"),
        ('{ url = "http://127.0.0.1:1/" }', "aggregator.openadr.url"),
        ('{ url = "http://127.0.0.1:1/", emulate = true }', "aggregator.openadr"),
    ):
        path.write_text(
            text.replace(
                '{ ven = "gridrig", poll_s = 30, emulate = true, secured = true }',
                wire,
            )
        )
        with pytest.raises(RigError) as refused:
            load_rig(path)
        assert [issue.key for issue in refused.value.issues] == [key]
    rig = load_rig(RIGS / "emulated-programme.toml")
    name = "promise-4-tracking.toml"
    scenario = load_scenario(RIGS / "scenarios" / name, units(CATALOGUE))
    keys = {issue.key for issue in check_together(rig, scenario)}
    assert keys == {"event 'ramp'.ramp_s", "event 'homes-silent'.target"}


def test_a_scenario_has_a_tick_whenever_meters_are_read_for_a_report(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    text = (RIGS / "emulated-programme.toml").read_text()
    path.write_text(text.replace("poll_s = 30,", "poll_s = 30, report_s = 450,"))
    scenario = load_scenario(RIGS / "scenarios" / "promise-4-response.toml", units(CATALOGUE))
    (issue,) = check_together(load_rig(path), scenario)
    assert issue.key == "window"
    assert issue.found == "no tick at 450 s"
    assert check_together(load_rig(RIGS / "emulated-programme.toml"), scenario) == ()
