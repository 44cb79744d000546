"""Answers of a VTN that the schema allows and nobody can follow: refused, and the run goes on."""

import pytest
from aiohttp import ClientSession, web

from gridrig.campaign.order_wire import OrderWire
from gridrig.clock import Clock, run_virtual
from gridrig.errors import GridrigError
from gridrig.events import EventLog
from gridrig.openadr.conversation import ANSWER_S, READ_S, Conversation
from gridrig.openadr.library import PATH
from gridrig.openadr.vtn import EmulatedVtn
from gridrig.rig.grid_orders import OpenAdr

START = 1_453_129_200
VALUE, DURATION = "<ei:value>-1000.0<", "duration>PT30M<"


def events_of(written: str, sent: str) -> list[tuple[str, str]]:
    """Order something, and return what a run tells if the order has other words on its way."""
    found: list[tuple[str, str]] = []

    async def body(clock: Clock) -> None:
        vtn = EmulatedVtn(60.0)
        url = await vtn.open()
        changed: list[bool] = []

        async def forward(request: web.Request) -> web.Response:
            async with (
                ClientSession(headers={"content-type": "application/xml"}) as session,
                session.post(url.removesuffix(PATH) + request.path, data=await request.read()) as a,
            ):
                text = await a.text()
            changed.append(written in text)
            return web.Response(text=text.replace(written, sent))

        app = web.Application()
        app.router.add_post("/{any:.*}", forward)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, host="127.0.0.1", port=0).start()
        events = EventLog(clock, [])
        through = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
        wire = OrderWire(OpenAdr(url=through, poll_s=60.0), clock, events, lambda _: None)
        await wire.open()
        vtn.issue("order-1", "members", from_utc_s=START + 7200, duration_s=1800, p_w=1e3)
        for t_s in (0.0, 60.0, 120.0, 180.0):
            await clock.sleep_until(t_s)
            wire.hear(t_s)
        await wire.close()
        await runner.cleanup()
        await vtn.close()
        assert any(changed), "the order has other words"
        for one in events.ordered():
            found.append((one.kind, str(one.data.get("cause") or one.data.get("code") or "")))

    run_virtual(body, start_utc_s=START)
    return found


@pytest.mark.parametrize("value", ["INF", "-INF", "NaN", "1e400"])
def test_a_power_that_is_no_number_is_refused(value: str) -> None:
    ((kind, cause),) = events_of(VALUE, f"<ei:value>{value}<")
    assert kind == "order_refused"
    assert cause.endswith("expected a power")


def test_a_duration_beyond_all_time_is_not_understood_and_the_run_goes_on() -> None:
    found = events_of(DURATION, "duration>P9999999999Y<")
    assert found == [("vtn_lost", "openadr.not_understood"), ("vtn_back", "")]


def test_an_answer_that_drips_is_given_up_after_a_minute() -> None:
    async def body(clock: Clock) -> None:
        async def drip(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse()
            await answer.prepare(request)
            for _ in range(100):
                await clock.sleep(READ_S - 1)
                await answer.write(b"<")
            return answer

        app = web.Application()
        app.router.add_post("/{any:.*}", drip)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, host="127.0.0.1", port=0).start()
        talk = Conversation(f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}")
        await talk.open()
        with pytest.raises(GridrigError, match=r"openadr\.no_answer"):
            await talk.ask("OadrPoll", "oadrPoll", ven_id="v")
        assert clock.now_s() == pytest.approx(ANSWER_S, abs=1)
        await talk.close()
        await runner.cleanup()

    run_virtual(body, start_utc_s=START)


def test_an_order_that_nobody_changed_is_heard() -> None:
    assert events_of(VALUE, VALUE) == [("order_heard", "")]
