"""The operator of a feeder, in the loop: it looks ahead, switches in time, and sheds if it must.

At the beginning of every delivery period it takes what the signed meters have counted, forecasts
each bus (`outlook.py`), and has a plan made (`gridrig.minds.switching`) that keeps the limits at
every period ahead. It then moves the switches of the rig, over their wires, tie first; where they
stand it knows from their status contacts. A switch that does not follow is left as it was, is not
used again in the run, and the plan is made anew without it. If no plan keeps the limits it says so
at once, and sheds load by the stages of the rig, but only for the period that begins; what need not
be off any more is given back.

Known gaps: while a tie is closed and the branch not yet open, the ring is closed for a moment, and
no protection is modelled. Load is shed in the model alone; a real one needs a contactor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridrig.campaign.outlook import Outlook
from gridrig.campaign.scenario import OperatorRules
from gridrig.campaign.street import Street
from gridrig.campaign.views import Views
from gridrig.devices.bench_capabilities import SwitchReading
from gridrig.errors import DriverError, MindError
from gridrig.events import EventLog
from gridrig.grid.feeder import Feeder
from gridrig.minds.switching import Moment, Plan, Step, plan_switching
from gridrig.rig.device import LOAD


@dataclass
class GridOperator:
    """Keeps one feeder within its limits.

    Parameters
    ----------
    rules : OperatorRules
        How far it looks ahead and what it keeps.
    period_s : int
        Length of a delivery period. [s]
    feeder : Feeder
        A model of its own, to try things on.
    switches : mapping of str to driver
        By branch, guarded by the bench.
    outlook : Outlook
        What it expects.
    views : Views
        What the meters have counted.
    street : Street
        Where load is shed.
    """

    rules: OperatorRules
    period_s: int
    feeder: Feeder
    switches: Mapping[str, Any]
    outlook: Outlook
    views: Views
    street: Street
    events: EventLog
    refused: set[str] = field(default_factory=set)
    """Branches whose switch did not do what it was told."""

    async def look(self, t_s: float) -> None:
        """Look ahead from the beginning of a period, and act if that is needed."""
        now_s = int(t_s)
        self.outlook.heard(now_s, self._counted_wh(), self.street.shed)
        ahead = self.outlook.ahead(now_s, self.rules.looks_ahead_s // self.period_s)
        while True:
            usable = await self._look_at_switches()
            try:
                plan = plan_switching(
                    self.feeder,
                    ahead,
                    limits=self.rules.limits,
                    usable=usable,
                    stages=self.street.shed_stages(),
                )
            except MindError as error:
                self.events.record("operator_no_plan", cause=error.message)
                return
            if not plan.before.findings:
                break
            in_s = self._first_outside(ahead) * self.period_s
            self._tell(plan, in_s)
            if in_s > self.rules.acts_before_s or await self._carry_out(plan):
                break
        self._shed(ahead[0])

    async def _look_at_switches(self) -> set[str]:
        """Put the model's branches where the status contacts are; return those to be used."""
        usable = set()
        for branch, driver in self.switches.items():
            try:
                reading: SwitchReading = await driver.read()
            except DriverError as error:
                self.events.record("read_failed", driver.name, code=error.code, failure=error.kind)
                continue
            self.feeder.switch(branch, closed=reading.closed)
            if branch not in self.refused:
                usable.add(branch)
        return usable

    async def _carry_out(self, plan: Plan) -> bool:
        """Move the switches in the order of a plan; False if it was taken back."""
        done: list[Step] = []
        for step in plan.steps:
            done.append(step)
            if await self._move(step):
                continue
            self.refused.add(step.branch)
            for undone in reversed(done):
                await self._move(Step(undone.branch, not undone.closed))
            return False
        return True

    async def _move(self, step: Step) -> bool:
        driver = self.switches[step.branch]
        try:
            await driver.set_closed(step.closed)
        except DriverError as error:
            self.events.record("switch_failed", driver.name, branch=step.branch,
                               closed=step.closed, failure=error.kind)  # fmt: skip
            return False
        self.feeder.switch(step.branch, closed=step.closed)
        self.events.record("operator_switched", driver.name, branch=step.branch, closed=step.closed)
        return True

    def _shed(self, moment: Moment) -> None:
        plan = self._as_it_stands(moment, self.street.shed_stages())
        shed = frozenset(plan.shed)
        if shed == self.street.shed:
            return
        self.street.shed = shed
        self.events.record("operator_shed", points=list(plan.shed), feasible=plan.feasible)

    def _first_outside(self, ahead: list[Moment]) -> int:
        found = (bool(self._as_it_stands(moment, {}).before.findings) for moment in ahead)
        return next(index for index, is_outside in enumerate(found) if is_outside)

    def _tell(self, plan: Plan, in_s: int) -> None:
        self.events.record(
            "operator_plan",
            foreseen=[finding.text() for finding in plan.before.findings],
            in_s=in_s,
            steps=[step.text() for step in plan.steps],
            shed=list(plan.shed),
            feasible=plan.feasible,
        )

    def _as_it_stands(self, moment: Moment, stages: Mapping[str, int]) -> Plan:
        nothing: set[str] = set()
        return plan_switching(
            self.feeder, [moment], limits=self.rules.limits, usable=nothing, stages=stages
        )

    def _counted_wh(self) -> dict[str, tuple[float, ...]]:
        return {
            str(seat.meter.bus): self.views.counted_wh(seat)
            for seat in self.views.seats.values()
            if seat.meter.measures == LOAD
        }
