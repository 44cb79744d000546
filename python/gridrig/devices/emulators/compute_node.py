"""An emulated computing node: it does the work it is given, and draws power while it does.

    emulate = { model = "compute_node", busy_w = 450, backend = "numpy" }

How long a job takes is its planned time, counted only while it runs; the work itself is done when
that time is over, in one go. What it tells of its power and energy is what it believes it draws.

Mutants: `draw_factor` makes it draw another power than it tells; `obeys = false` lets it
acknowledge a pause and go on; `result = "other"` has it compute something else; `pace` slows it
down; `keeps_job = false` makes it forget its job with the wire. Faults: `wrong_result` spoils the
next result, `slow_job` makes the next job take longer.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from gridrig.computing.work import BACKENDS, SEED_MAX, Work, result_hash
from gridrig.devices.emulators.computer_terminal import ComputerTerminal
from gridrig.devices.emulators.fault import FaultSpec, FaultValue, OnEvent, no_log
from gridrig.devices.emulators.modbus_face import require
from gridrig.devices.emulators.scpi_face import WIRE_FAULTS, ScpiEmulator
from gridrig.devices.emulators.scpi_instrument import Instrument, ScpiParameters
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.devices.wire.scpi_tree import Handler
from gridrig.devices.wire.scpi_values import ScpiFault, parse_bool, parse_bounded, print_number
from gridrig.errors import GridrigError

WORK_S_MAX = 7 * 86_400.0
JOULES_PER_MILLIWH = 3.6
RESULTS = ("true", "other")


@dataclass(frozen=True, kw_only=True)
class ComputeNodeParameters(ScpiParameters):
    """What the `emulate` table may say of an emulated computing node.

    Parameters
    ----------
    busy_w, idle_w : float
        What it draws while a job runs, and else. [W]
    backend : str
        How it computes, one of `BACKENDS`.
    draw_factor : float
        What it really draws, as a multiple of what it tells.
    pace : float
        How long its jobs take, as a multiple of what is planned.
    obeys : bool
        Whether a pause stops it.
    result : str
        "true", or "other" if it computes something else.
    keeps_job : bool
        Whether its job goes on while the wire is lost.
    """

    busy_w: float = 450.0
    idle_w: float = 0.0
    backend: str = "numpy"
    draw_factor: float = 1.0
    pace: float = 1.0
    obeys: bool = True
    result: str = "true"
    keeps_job: bool = True

    def __post_init__(self) -> None:
        """Refuse what no node can be."""
        super().__post_init__()
        require("busy_w", self.busy_w, 0 < self.busy_w <= 1e6, "> 0, at most 1e6")
        require("idle_w", self.idle_w, 0 <= self.idle_w <= self.busy_w, "0 to busy_w")
        require("backend", self.backend, self.backend in BACKENDS, " or ".join(BACKENDS))
        require("draw_factor", self.draw_factor, 0 < self.draw_factor <= 100, "> 0, at most 100")
        require("pace", self.pace, 0.01 <= self.pace <= 100, "0.01 to 100")
        require("result", self.result, self.result in RESULTS, " or ".join(RESULTS))


class ComputeNodeEmulator(ScpiEmulator):
    """A computing node: a face on a load of the plant.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ScpiEmulator`.
    terminal : ComputerTerminal
        Its plug.
    """

    kind = "compute_node"
    PARAMETERS: ClassVar[type[ComputeNodeParameters]] = ComputeNodeParameters
    FAULTS: ClassVar[Mapping[str, FaultSpec]] = {
        **WIRE_FAULTS,
        "wrong_result": FaultSpec(
            "wrong_result", "state", "the next result is another's", (), 'name = "wrong_result"'
        ),
        "slow_job": FaultSpec(
            "slow_job", "state", "the next job takes three times as long", (), 'name = "slow_job"'
        ),
    }

    def __init__(
        self,
        name: str,
        link: SocketLink | SerialLink,
        parameters: ComputeNodeParameters,
        terminal: ComputerTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        self._p, self._terminal = parameters, terminal
        self._work: Work | None = None
        self._planned_s = self._takes_s = self._worked_s = 0.0
        self._result = ""
        self._running = self._working = False
        self._joule = self._counted_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        super().__init__(name, link, parameters, self._instrument, on_event)

    async def start(self) -> None:
        """Begin to listen, and to draw what it draws without a job."""
        await super().start()
        self._counted_s = self._now_s()
        self._draw()

    async def stop(self) -> None:
        """Stop; stopping twice is allowed."""
        self._hold()
        await super().stop()

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Let a fault fire, as `ScpiEmulator.arm`; who loses the wire may lose the job."""
        super().arm(fault, count=count, **params)
        if fault in ("outage", "unplug") and not self._p.keeps_job:
            self._forget()

    def _instrument(self) -> Instrument:
        commands: dict[str, Handler] = {
            "COMPute:JOB": self._take,
            "COMPute:RUN": self._run,
            "COMPute:FORGet": self._forget,
        }
        queries: dict[str, Handler] = {
            "COMPute:JOB": lambda: f"{self._work},{self._planned_s:.0f}" if self._work else "NONE",
            "COMPute:RUN": lambda: str(int(self._running)),
            "COMPute:STATe": lambda: str(self._state()),
            "COMPute:WORKed": lambda: print_number(self._worked_now_s()),
            "COMPute:RESult": lambda: self._result or "NONE",
            "MEASure[:SCALar]:POWer[:ACTive]": lambda: print_number(self._told_w()),
            "MEASure[:SCALar]:ENERgy": self._energy,
        }
        return Instrument(
            self.name,
            self._p,
            "computing node",
            self._now_s,
            commands,
            queries,
            reset=self._forget,
            trigger=None,
            on_event=self._on_event,
        )

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()

    def _state(self) -> int:
        if self._work is None:
            return 0
        if self._result:
            return 3
        return 1 if self._running else 2

    def _told_w(self) -> float:
        return self._p.busy_w if self._working and self._running else self._p.idle_w

    def _worked_now_s(self) -> float:
        self._count()
        return self._worked_s

    def _energy(self) -> str:
        self._count()
        return str(int(self._joule / JOULES_PER_MILLIWH))

    def _count(self) -> None:
        """Take what has passed since the last look into account."""
        now_s = self._now_s()
        passed_s, self._counted_s = now_s - self._counted_s, now_s
        self._joule += self._told_w() * passed_s
        if self._working:
            self._worked_s = min(self._worked_s + passed_s, self._takes_s)

    def _draw(self) -> None:
        p_w = self._p.busy_w if self._working else self._p.idle_w
        self._terminal.draw(p_w * self._p.draw_factor)

    def _take(self, work: str, planned: str) -> None:
        if self._work is not None:
            raise ScpiFault(-221, "it has a job")
        try:
            asked = Work.read(work.strip())
        except GridrigError as error:
            raise ScpiFault(-224, str(error)) from error
        self._planned_s = parse_bounded(planned, 1.0, WORK_S_MAX, "S")
        slow = 3.0 if self._faults.fire("slow_job") is not None else 1.0
        self._takes_s = self._planned_s * self._p.pace * slow
        self._work, self._worked_s, self._result = asked, 0.0, ""
        self._on_event("job_loaded", work=str(asked), planned_s=self._planned_s)

    def _run(self, text: str) -> None:
        on = parse_bool(text)
        if self._work is None or self._result:
            if on:
                raise ScpiFault(-221, "it has no job to run")
            return
        self._count()
        self._running = on
        if on and not self._working:
            self._working = True
            self._timer = asyncio.get_running_loop().call_later(
                self._takes_s - self._worked_s, self._finish
            )
        elif not on and self._p.obeys:
            self._hold()
        self._draw()

    def _hold(self) -> None:
        self._working = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _finish(self) -> None:
        assert self._work is not None, "only a job that runs can finish"
        self._count()
        self._hold()
        self._running = False
        done = self._work
        if self._p.result == "other" or self._faults.fire("wrong_result") is not None:
            done = replace(done, seed=(done.seed + 1) % (SEED_MAX + 1))
        self._result = result_hash(done, self._p.backend)
        self._draw()
        self._on_event("job_finished", work=str(self._work), result=self._result)

    def _forget(self) -> None:
        self._count()
        self._running = False
        self._hold()
        self._work, self._result, self._worked_s = None, "", 0.0
        self._draw()
