"""Answers that belong to another message or another VEN: refused, over a relay on real sockets."""

import re
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientSession, web

from gridrig.clock import Clock, run_virtual
from gridrig.errors import GridrigError
from gridrig.openadr.library import PATH
from gridrig.openadr.reports import ReportRequest, Sample
from gridrig.openadr.ven import Heard, Ven
from gridrig.openadr.vtn import VEN_ID, EmulatedVtn

START = 1_453_129_200
REQUEST = re.compile(r"(<(?:\w+:)?requestID[^>]*)>[^<]+<")
VEN = re.compile(rf"(venID>){VEN_ID}<")

Talk = Callable[[Ven, EmulatedVtn], Awaitable[None]]


def failing(talk: Talk, change: Callable[[str, str], str]) -> GridrigError | None:
    """Talk to a VTN through a relay that may change its answers; return what it comes to.

    `change` takes the kind of the message and the answer to it.
    """
    failed: list[GridrigError] = []

    async def body(_: Clock) -> None:
        vtn = EmulatedVtn(60.0, report_s=900)
        url = await vtn.open()

        async def forward(request: web.Request) -> web.Response:
            message = await request.read()
            async with (
                ClientSession(headers={"content-type": "application/xml"}) as session,
                session.post(url.removesuffix(PATH) + request.path, data=message) as answer,
            ):
                said = await answer.text()
            (kind,) = re.findall(r"<(?:\w+:)?(oadr\w+) [^>]*schemaVersion", message.decode())
            return web.Response(text=change(kind, said))

        app = web.Application()
        app.router.add_post("/{any:.*}", forward)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, host="127.0.0.1", port=0).start()
        ven = Ven(f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}", "gridrig")
        try:
            await talk(ven, vtn)
        except GridrigError as error:
            failed.append(error)
        finally:
            await ven.close()
            await runner.cleanup()
            await vtn.close()

    run_virtual(body, start_utc_s=START)
    return failed[0] if failed else None


def in_answer_to(kind: str, pattern: re.Pattern[str], other: str) -> Callable[[str, str], str]:
    def change(asked: str, answer: str) -> str:
        if asked != kind:
            return answer
        assert pattern.search(answer), answer
        return pattern.sub(rf"\g<1>>{other}<" if pattern is REQUEST else rf"\g<1>{other}<", answer)

    return change


async def opened(ven: Ven, _: EmulatedVtn) -> None:
    await ven.open()


async def ordered(ven: Ven, vtn: EmulatedVtn) -> None:
    await ven.open()
    vtn.issue("order-1", None, from_utc_s=START, duration_s=1800, p_w=1e3)
    heard: Heard = await ven.poll()
    (event,) = heard.events
    await ven.answer(event)
    assert vtn.answers == {"order-1": "optIn"}
    await ven.poll()


async def told(ven: Ven, _: EmulatedVtn) -> None:
    await ven.open()
    request = ReportRequest("report-1", "fleets", ("fleet-1",), 900.0, 900.0)
    figure = Sample("fleet-1", START, 900, "1000", "Quality Good - Non Specific", 100)
    await ven.tell(request, [figure], START)


@pytest.mark.parametrize(
    ("talk", "kind", "pattern", "name"),
    [
        (opened, "oadrQueryRegistration", REQUEST, "requestID"),
        (opened, "oadrCreatePartyRegistration", REQUEST, "requestID"),
        (told, "oadrUpdateReport", REQUEST, "requestID"),
        (told, "oadrUpdateReport", VEN, "venID"),
        (ordered, "oadrPoll", VEN, "venID"),
    ],
)
def test_an_answer_to_somebody_else_is_refused(
    talk: Talk, kind: str, pattern: re.Pattern[str], name: str
) -> None:
    error = failing(talk, in_answer_to(kind, pattern, "somebody-else"))
    assert error is not None
    assert error.code == "openadr.mismatched"
    assert f"answers {kind} with {name} 'somebody-else', expected '" in str(error)


def test_an_answer_without_the_request_id_is_refused() -> None:
    error = failing(opened, in_answer_to("oadrQueryRegistration", REQUEST, ""))
    assert error is not None
    assert error.code == "openadr.mismatched"


@pytest.mark.parametrize("talk", [opened, ordered, told])
def test_what_nobody_changed_is_taken(talk: Talk) -> None:
    assert failing(talk, lambda _, answer: answer) is None
