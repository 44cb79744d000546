"""A bench over real sockets and ptys: opened whole, kept within its limits, always left safe."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from offers import registry
from points import Point, points_of
from small_rig import RIG, Edit, rig_file, small_rig

from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.errors import DriverError, RigError
from gridrig.events import Event, EventLog
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.safe_end import SafeReport
from gridrig.rig.safe_proof import SAFE

START_UTC_S = 1_468_152_000
MOVING = ("pv-1", "storage-1", "battery-1")
METERS = ("meter-home", "meter-pv", "meter-storage", "meter-head")
EVERYONE = (*MOVING, *METERS)

Procedure = Callable[[Bench, dict[str, Point]], Awaitable[object]]


class Run:
    """One procedure on a fresh bench, on the virtual clock."""

    def __init__(
        self,
        procedure: Procedure,
        rig: Rig | None = None,
        *,
        listener: Callable[[Event], object] = lambda _: None,
        **powers_w: float,
    ) -> None:
        self.listener = listener
        self.rig = rig or small_rig()
        self.points = points_of(self.rig, **powers_w)
        self.result: object = None
        self.error: BaseException | None = None
        self.took_s = 0.0
        self.procedure = procedure
        run_virtual(self._main, start_utc_s=START_UTC_S)

    async def _main(self, clock: Clock) -> None:
        self.events = EventLog(clock, [device.name for device in self.rig.devices])
        self.events.listeners.append(self.listener)
        self.bench = Bench(self.rig, clock, self.events.record, self.points, registry=registry())
        begin_s = 0.0
        try:
            async with self.bench:
                self.result = await self.procedure(self.bench, self.points)
                begin_s = clock.now_s()
        except (Exception, asyncio.CancelledError) as error:
            self.error = error
        self.took_s = clock.now_s() - begin_s

    @property
    def report(self) -> SafeReport:
        assert self.bench.safe_report is not None
        return self.bench.safe_report

    def kinds(self, device: str) -> list[str]:
        return [event.kind for event in self.events.ordered() if event.device == device]


async def nothing(bench: Bench, points: dict[str, Point]) -> None:
    """Do nothing: opening and ending is the procedure."""


def test_every_device_is_identified_and_read_over_its_own_wire() -> None:
    async def look(bench: Bench, points: dict[str, Point]) -> Any:
        return {name: await device.read() for name, device in bench.devices.items()}

    run = Run(look, pv_1=4000.0, storage_1=-1000.0)

    readings: Any = run.result
    assert run.error is None
    assert tuple(run.bench.identities) == tuple(readings) == EVERYONE
    assert readings["pv-1"].p_w == pytest.approx(4000, abs=10)
    assert readings["battery-1"].i_a == pytest.approx(-1000 / 51.2, abs=0.1)
    assert readings["meter-pv"].p_w == pytest.approx(4000, abs=10)
    assert run.bench.identities["meter-pv"].serial == "S-12"


def test_bench_ends_with_every_device_in_its_declared_safe_state() -> None:
    run = Run(nothing, pv_1=4000.0, storage_1=1000.0)

    assert run.report.devices == dict.fromkeys(EVERYONE, SAFE)
    assert run.report.left_unsafe == ()
    pv, storage = run.points["pv-1"], run.points["storage-1"]
    assert (pv.connected, storage.connected) == (False, False)
    assert (storage.charge_fet, storage.discharge_fet) == (False, False)


def test_power_goes_to_zero_before_anything_opens() -> None:
    run = Run(nothing, pv_1=4000.0, storage_1=1000.0)

    storage = [what for what, _ in run.points["storage-1"].commands]
    pv = [what for what, _ in run.points["pv-1"].commands]
    assert storage.index("power_w") < storage.index("connect") < storage.index("fets")
    assert pv.index("limit_w") < pv.index("connect")


def test_settings_come_back_as_found_and_the_safe_state_has_the_last_word() -> None:
    run = Run(nothing, pv_1=4000.0)

    pv = run.points["pv-1"]
    assert pv.limit_w is None  # limited to 0 on the way, found without a limit
    assert pv.commands[-1] == ("connect", False)


def test_nothing_is_connected_again_on_the_way_to_the_safe_state() -> None:
    run = Run(nothing, pv_1=4000.0, storage_1=1000.0)

    for name in ("pv-1", "storage-1"):
        assert ("connect", True) not in run.points[name].commands


def test_restoring_ends_in_time_and_keeps_half_of_it_for_the_safe_state() -> None:
    steps = "".join(
        f'[[safe]]\ndo = "{do}"\nwithin_s = {within_s}\n'
        for do, within_s in (("power-zero", 5), ("cease", 5), ("open-fets", 5), ("restore", 3))
    )
    rig = small_rig(("[[participant]]", f"{steps}\n[[participant]]"))

    async def fall_silent_later(bench: Bench, points: dict[str, Point]) -> None:
        def on_connect(on: bool) -> None:
            bench.emulators["pv-1"].arm("late_reply", count=100, delay_s=0.9)

        points["pv-1"].set_connect = on_connect  # type: ignore[method-assign]

    run = Run(fall_silent_later, rig)

    ends = {
        (e.device, e.data["step"]): e.t_s for e in run.events.ordered() if e.kind == "safe_step"
    }
    assert ends["pv-1", "restore"] - ends["battery-1", "open-fets"] <= 3.0 + 1e-9


def test_bench_made_safe_and_used_again_is_made_safe_again() -> None:
    async def go_on(bench: Bench, points: dict[str, Point]) -> None:
        await bench.make_safe()
        await bench.devices["pv-1"].set_limit_w(5000.0)
        await bench.devices["pv-1"].set_connect(True)

    run = Run(go_on, pv_1=4000.0)

    assert run.error is None
    assert not run.points["pv-1"].connected


def test_task_left_behind_writes_nothing_while_the_bench_is_made_safe() -> None:
    refused: list[str] = []

    async def leave_a_task(bench: Bench, points: dict[str, Point]) -> asyncio.Task[None]:
        async def go_on() -> None:
            while True:
                await asyncio.sleep(0.05)
                try:
                    await bench.devices["storage-1"].set_power_w(2000.0)
                except DriverError as error:
                    refused.append(error.code)

        points["storage-1"].commands.clear()
        return asyncio.create_task(go_on())

    run = Run(leave_a_task, storage_1=1000.0)

    assert set(refused) == {"rig.limit"}
    assert ("power_w", 2000.0) not in run.points["storage-1"].commands


def test_bench_ends_safe_after_an_exception_in_a_step() -> None:
    async def stumble(bench: Bench, points: dict[str, Point]) -> None:
        raise ZeroDivisionError

    run = Run(stumble, pv_1=4000.0)

    assert isinstance(run.error, ZeroDivisionError)
    assert run.report.left_unsafe == ()
    assert not run.points["pv-1"].connected


def test_events_that_cannot_be_written_do_not_stop_the_way_to_the_safe_state() -> None:
    def full(event: Event) -> None:
        if event.kind in ("safe_step", "set_limit_w", "set_connect"):
            raise OSError(errno.ENOSPC, "No space left on device")

    run = Run(nothing, listener=full, pv_1=4000.0)

    assert isinstance(run.error, OSError), "it is told"
    assert run.report.devices == dict.fromkeys(EVERYONE, SAFE)
    assert run.points["pv-1"].connected is False


def test_bench_ends_safe_after_two_cancellations() -> None:
    async def cancelled_twice(bench: Bench, points: dict[str, Point]) -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().call_later(1.0, task.cancel)
        asyncio.get_running_loop().call_later(1.05, task.cancel)
        await asyncio.sleep(60)

    run = Run(cancelled_twice, pv_1=4000.0)

    assert isinstance(run.error, asyncio.CancelledError)
    assert run.report.left_unsafe == ()
    assert not run.points["pv-1"].connected


@pytest.mark.parametrize("lost", MOVING)
def test_lost_device_is_named_and_the_others_are_safe(lost: str) -> None:
    async def pull(bench: Bench, points: dict[str, Point]) -> None:
        bench.emulators[lost].unplug()

    run = Run(pull, pv_1=4000.0)

    assert run.report.left_unsafe == (lost,)
    assert run.report.devices[lost].startswith("unreachable: ")
    assert {name for name, end in run.report.devices.items() if end == SAFE} == {
        name for name in EVERYONE if name != lost
    }


def test_lost_meter_leaves_nothing_unsafe() -> None:
    async def pull(bench: Bench, points: dict[str, Point]) -> None:
        bench.emulators["meter-pv"].unplug()

    run = Run(pull)

    assert run.error is None
    assert run.report.left_unsafe == ()


def test_time_to_the_safe_state_is_bounded_when_every_plug_is_pulled() -> None:
    async def pull_all(bench: Bench, points: dict[str, Point]) -> None:
        for emulator in bench.emulators.values():
            emulator.unplug()

    run = Run(pull_all)

    assert run.report.left_unsafe == MOVING
    assert run.took_s <= sum(step.within_s for step in run.rig.safe_order) + 5.0


def test_switches_are_not_opened_under_load_and_the_pack_is_named() -> None:
    async def stick(bench: Bench, points: dict[str, Point]) -> None:
        points["storage-1"].stuck = True

    run = Run(stick, storage_1=1000.0)

    storage = run.points["storage-1"]
    assert (storage.charge_fet, storage.discharge_fet) == (True, True)
    assert run.report.left_unsafe == ("battery-1",)
    assert "still 19.5" in run.report.devices["battery-1"]


def test_declared_order_is_the_order_that_is_used() -> None:
    steps = "".join(f'[[safe]]\ndo = "{do}"\n' for do in ("open-fets", "cease"))
    rig = small_rig(("[[participant]]", f"{steps}\n[[participant]]"))

    run = Run(nothing, rig)

    done = [e.data["step"] for e in run.events.ordered() if e.kind == "safe_step"]
    assert sorted(set(done)) == ["cease", "open-fets"]
    storage = [what for what, _ in run.points["storage-1"].commands]
    assert storage.index("fets") < storage.index("connect")


REFUSED: dict[str, tuple[str, str, tuple[object, ...]]] = {
    "more than the limit": ("storage-1", "set_power_w", (5000.1,)),
    "less than the negative limit": ("storage-1", "set_power_w", (-5000.1,)),
    "NaN": ("storage-1", "set_power_w", (float("nan"),)),
    "infinity": ("storage-1", "set_power_w", (float("inf"),)),
    "true for a power": ("storage-1", "set_power_w", (True,)),
    "a text for a power": ("storage-1", "set_power_w", ("1000",)),
    "a limit above the rig's": ("pv-1", "set_limit_w", (10_001.0,)),
    "a negative limit": ("pv-1", "set_limit_w", (-1.0,)),
    "no limit for a nameplate above the rig's": ("pv-1", "set_limit_w", (None,)),
    "a number for a permit": ("pv-1", "set_connect", (1,)),
    "a permit to give more than the rig's": ("pv-1", "set_connect", (True,)),
    "a number for a switch": ("battery-1", "set_fets", (1, 0)),
    "a clock an hour off": ("meter-pv", "sync_clock", (START_UTC_S + 3600,)),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "-"))
def test_write_beyond_the_limits_is_refused_before_anything_is_sent(case: str) -> None:
    device, method, arguments = REFUSED[case]

    async def write(bench: Bench, points: dict[str, Point]) -> Any:
        point = points[device]
        before = len(point.commands)
        with pytest.raises(DriverError) as caught:
            await getattr(bench.devices[device], method)(*arguments)
        return caught.value, len(point.commands) - before

    run = Run(write)

    assert run.error is None
    error, commands = run.result  # type: ignore[misc]
    assert (error.code, error.kind) == ("rig.limit", "limit")
    assert commands == 0
    assert "write_refused" in run.kinds(device)
    assert "clock_set" not in run.kinds(device)


def test_write_at_the_limit_is_sent() -> None:
    async def write(bench: Bench, points: dict[str, Point]) -> None:
        await bench.devices["storage-1"].set_power_w(-5000.0)
        await bench.devices["pv-1"].set_limit_w(10_000.0)
        await bench.devices["pv-1"].set_connect(True)
        await bench.devices["meter-pv"].sync_clock(START_UTC_S + 30)

    # 100 A at 51.2 V would be less than the inverter may give.
    run = Run(write, small_rig(("i_charge_a_max = 100", "i_charge_a_max = 110")))

    assert run.error is None
    assert ("power_w", -5000.0) in run.points["storage-1"].commands
    assert ("connect", True) in run.points["pv-1"].commands
    assert "clock_set" in run.kinds("meter-pv")


@pytest.mark.parametrize(
    ("limit", "p_w", "sent"),
    [
        ("i_discharge_a_max = 20", 1_100.0, False),
        ("i_discharge_a_max = 20", 900.0, True),
        ("i_charge_a_max = 20", -1_100.0, False),
        ("i_charge_a_max = 20", 1_100.0, True),
        ("soc_min = 0.9", 100.0, False),
        ("soc_min = 0.9", -100.0, True),
        ("soc_min = 0.9", 0.0, True),
    ],
)
def test_power_beyond_what_its_pack_may_carry_is_refused(
    limit: str, p_w: float, sent: bool
) -> None:
    key = limit.split(" = ", maxsplit=1)[0]
    declared = "i_charge_a_max = 100, i_discharge_a_max = 100, soc_min = 0.1"
    found = next(part for part in declared.split(", ") if part.startswith(key))
    rig = small_rig((declared, declared.replace(found, limit)))

    async def write(bench: Bench, points: dict[str, Point]) -> None:
        await bench.devices["storage-1"].set_power_w(p_w)

    run = Run(write, rig)

    assert (("power_w", p_w) in run.points["storage-1"].commands) == sent
    assert (getattr(run.error, "code", None) == "rig.limit") == (not sent)
    assert ("write_refused" in run.kinds("storage-1")) == (not sent)


def test_pack_that_does_not_answer_keeps_its_inverter_from_power() -> None:
    async def write(bench: Bench, points: dict[str, Point]) -> str:
        bench.emulators["battery-1"].unplug()
        with pytest.raises(DriverError) as caught:
            await bench.devices["storage-1"].set_power_w(100.0)
        await bench.devices["storage-1"].set_power_w(0.0)
        return caught.value.kind

    run = Run(write)

    assert run.result == "unavailable"
    assert ("power_w", 100.0) not in run.points["storage-1"].commands


def test_dry_run_reports_every_write_and_sends_none() -> None:
    rig = small_rig()
    points = points_of(rig, pv_1=4000.0)
    written: list[tuple[str, object]] = []

    def record(kind: str, device: str = "", **data: object) -> None:
        if kind == "would_write":
            written.append((device, data["what"]))

    async def main(clock: Clock) -> None:
        bench = Bench(rig, clock, record, points, registry=registry(), dry_run=True)
        async with bench:
            await bench.devices["storage-1"].set_power_w(1000.0)

    run_virtual(main, start_utc_s=START_UTC_S)

    assert [point.commands for point in points.values()] == [[]] * len(points)
    assert written[0] == ("storage-1", "power_w")
    assert {("pv-1", "limit_w"), ("pv-1", "safe_state"), ("battery-1", "safe_state")} <= set(
        written
    )


def busy_ports(count: int) -> list[socket.socket]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    return sockets


def test_every_busy_port_is_an_issue_and_nothing_is_left_running(tmp_path: Path) -> None:
    taken = busy_ports(2)
    first, second = (sock.getsockname()[1] for sock in taken)
    edits: tuple[Edit, ...] = (
        ("port = 0, unit = 1 }", f"port = {first}, unit = 1 }}"),
        *(
            (f"port = 0, unit = {unit}, g", f"port = {second}, unit = {unit}, g")
            for unit in (1, 2, 3, 4)
        ),
    )
    rig = load_rig(rig_file(tmp_path, *edits), registry())
    bench: list[Bench] = []

    async def main(clock: Clock) -> None:
        bench.append(Bench(rig, clock, terminals=points_of(rig), registry=registry()))
        await bench[0].open()

    with pytest.raises(RigError) as caught:
        run_virtual(main, start_utc_s=START_UTC_S)
    for sock in taken:
        sock.close()

    assert caught.value.code == "rig.cannot_serve"
    assert [(i.key, i.found, i.expected) for i in caught.value.issues] == [
        ("device 'pv-1'.link.port", f"{first}, which is busy", "a free port, or 0 for any"),
        ("device 'meter-home'.link.port", f"{second}, which is busy", "a free port, or 0 for any"),
    ]
    assert dict(bench[0].emulators) == {}


def test_units_of_a_gateway_share_one_free_port() -> None:
    async def where(bench: Bench, points: dict[str, Point]) -> Any:
        return bench.endpoints()

    run = Run(where)

    endpoints: Any = run.result
    assert [endpoint["device"] for endpoint in endpoints] == list(EVERYONE)
    ports = {e["port"] for e in endpoints if e["device"] in METERS}
    assert len(ports) == 1
    assert ports != {0}
    assert {e["unit"] for e in endpoints if e["device"] in METERS} == {1, 2, 3, 4}


def test_real_devices_that_do_not_answer_are_all_named_when_the_bench_opens() -> None:
    closed = busy_ports(1)[0]
    port = closed.getsockname()[1]
    closed.close()
    lab = RIG[: RIG.index("[feeder]")].replace("virtual", "wall") + (
        '[[device]]\nname = "pv-1"\ncapability = "inverter"\ndriver = "sunspec"\nbus = "bench"\n'
        f'link = {{ kind = "modbus-tcp", host = "127.0.0.1", port = {port}, unit = 1 }}\n'
        'terminal = { grid = true, analyser = "meter-pv" }\n'
        "limits = { p_w_max = 1000, s_va_max = 1000 }\nsafe_state = { connect = false }\n"
        '[[device]]\nname = "meter-pv"\ncapability = "meter"\ndriver = "signed-meter"\n'
        f'measures = "pv-1"\nlink = {{ kind = "modbus-tcp", host = "127.0.0.1", port = {port}, '
        "unit = 2 }\nlimits = { clock_error_s_max = 5 }\nsafe_state = {}\n"
    )
    key = RIG[RIG.index('[[key]]\nmeter = "meter-pv"') : RIG.index('[[key]]\nmeter = "meter-st')]
    from gridrig.rig.description import describe
    from gridrig.rig.toml_file import parse_toml

    rig = describe(parse_toml((lab + key).encode(), "lab.toml"), registry())

    async def main(clock: Clock) -> None:
        await Bench(rig, clock, registry=registry()).open()

    with pytest.raises(RigError) as caught:
        run_wall(main, start_utc_s=START_UTC_S)

    assert caught.value.code == "rig.cannot_open"
    assert [(i.key, i.expected) for i in caught.value.issues] == [
        ("device 'pv-1'.link", "a device that answers"),
        ("device 'meter-pv'.link", "a device that answers"),
    ]
    assert "cannot connect" in caught.value.issues[0].found


def test_same_bench_twice_gives_the_same_events() -> None:
    first = Run(nothing, pv_1=4000.0, storage_1=1000.0)
    second = Run(nothing, pv_1=4000.0, storage_1=1000.0)

    rows = [event.row() for event in first.events.ordered()]
    assert rows
    assert rows == [event.row() for event in second.events.ordered()]
