"""A computing node over its wire: jobs, pauses, power and energy, and every lie it can tell."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gridrig.clock import Clock, run_virtual
from gridrig.computing.work import Work, result_hash
from gridrig.devices.drivers.compute_node import ScpiComputeNode
from gridrig.devices.emulators.compute_node import ComputeNodeEmulator, ComputeNodeParameters
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.errors import DriverError

LINKS = {"socket": SocketLink("127.0.0.1", 0), "serial": SerialLink("auto", 115200)}
WORK = Work(7, 8, 5)


class Plug:
    """Keeps what was drawn, in order."""

    def __init__(self) -> None:
        self.drawn_w: list[float] = []

    def draw(self, p_w: float) -> None:
        self.drawn_w.append(p_w)


Body = Callable[[ScpiComputeNode, ComputeNodeEmulator, Plug, Clock], Awaitable[None]]


def on_node(body: Body, link: str = "socket", **emulate: Any) -> None:
    async def main(clock: Clock) -> None:
        plug = Plug()
        parameters = ComputeNodeParameters(**emulate)
        emulator = ComputeNodeEmulator("node", LINKS[link], parameters, plug)
        await emulator.start()
        driver = ScpiComputeNode("node", emulator.endpoint_link)
        try:
            await driver.open()
            await body(driver, emulator, plug, clock)
        finally:
            await driver.close()
            await emulator.stop()

    run_virtual(main, start_utc_s=0)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("backend", ["numpy", "integers"])
def test_job_runs_as_long_as_planned_and_gives_its_hash(link: str, backend: str) -> None:
    async def body(node: ScpiComputeNode, _: object, plug: Plug, clock: Clock) -> None:
        assert (await node.read()).state == "idle"
        await node.begin_job(WORK, 600)
        begun_s = clock.now_s()
        reading = await node.read()
        assert (reading.state, reading.p_w, reading.result) == ("running", -450.0, None)
        await clock.sleep_until(begun_s + 599)
        assert (await node.read()).state == "running"
        await clock.sleep_until(begun_s + 601)
        reading = await node.read()
        assert (reading.state, reading.p_w) == ("done", 0.0)
        assert reading.result == result_hash(WORK, "integers")
        assert reading.import_milliwh == 75_000  # 450 W for 600 s
        await node.end_job()
        assert (await node.read()).state == "idle"
        assert plug.drawn_w[-1] == 0.0

    on_node(body, link, backend=backend)


def test_pause_stops_work_and_power_and_costs_no_time() -> None:
    async def body(node: ScpiComputeNode, _: object, plug: Plug, clock: Clock) -> None:
        await node.begin_job(WORK, 600)
        await clock.sleep(100)
        await node.set_running(False)
        assert plug.drawn_w[-1] == 0.0
        await clock.sleep(5000)
        reading = await node.read()
        assert (reading.state, reading.p_w) == ("paused", 0.0)
        assert reading.worked_s == pytest.approx(100, abs=0.1)
        await node.set_running(True)
        await clock.sleep(499)
        assert (await node.read()).state == "running"
        await clock.sleep(2)
        assert (await node.read()).state == "done"

    on_node(body)


def test_job_in_its_place_is_forgotten_and_none_can_be_run() -> None:
    async def body(node: ScpiComputeNode, _: object, plug: Plug, clock: Clock) -> None:
        with pytest.raises(DriverError) as caught:
            await node.set_running(True)
        assert caught.value.kind == "refused"
        await node.begin_job(Work(1, 2, 3), 600)
        await node.begin_job(WORK, 60)
        await clock.sleep(61)
        assert (await node.read()).result == result_hash(WORK, "numpy")
        await node.make_safe({"running": False})
        assert (await node.read()).state == "idle"

    on_node(body)


def test_one_that_goes_on_says_that_it_is_paused() -> None:
    async def body(node: ScpiComputeNode, _: object, plug: Plug, clock: Clock) -> None:
        await node.begin_job(WORK, 600)
        await node.set_running(False)
        assert (await node.read()).state == "paused"
        assert plug.drawn_w[-1] == 450.0

    on_node(body, obeys=False)


def test_draw_result_and_pace_can_be_wrong() -> None:
    async def body(node: ScpiComputeNode, _: object, plug: Plug, clock: Clock) -> None:
        await node.begin_job(WORK, 60)
        assert plug.drawn_w[-1] == 900.0
        assert (await node.read()).p_w == -450.0
        await clock.sleep(119)
        assert (await node.read()).state == "running"
        await clock.sleep(2)
        assert (await node.read()).result not in (None, result_hash(WORK, "numpy"))

    on_node(body, draw_factor=2.0, pace=2.0, result="other")


def test_faults_spoil_one_job_each() -> None:
    async def body(
        node: ScpiComputeNode, emulator: ComputeNodeEmulator, plug: Plug, clock: Clock
    ) -> None:
        emulator.arm("wrong_result")
        emulator.arm("slow_job")
        await node.begin_job(WORK, 60)
        await clock.sleep(179)
        assert (await node.read()).state == "running"
        await clock.sleep(2)
        assert (await node.read()).result != result_hash(WORK, "numpy")
        await node.begin_job(WORK, 60)
        await clock.sleep(61)
        assert (await node.read()).result == result_hash(WORK, "numpy")

    on_node(body)
