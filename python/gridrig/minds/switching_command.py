"""What `gridrig switching` does: the plan for a forecast, and what each outage would do."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from gridrig.errors import MindError
from gridrig.grid import Feeder, Limits, load_network, load_profiles, make_feeder
from gridrig.grid.network import line_key
from gridrig.grid.switching import require_branch
from gridrig.minds.outages import Outage, outages_of
from gridrig.minds.switching import Moment, Plan, plan_switching

KEPT, SHEDS, NOT_KEPT = 0, 1, 3
STEP_S = 900


def switching_command(
    name: str,
    *,
    pcc: str,
    engine: str,
    profiles: str,
    from_utc_s: int,
    hours: int,
    scale: float,
    limits: Limits,
    fixed: list[str],
    shed: list[str],
    outages: bool,
    as_json: bool,
) -> int:
    """Print a plan, or what every outage would do; return 0, 1 if loads are shed, 3 if it fails.

    Raises
    ------
    GridError
        Of the network, its engine, PCC, branches or profiles.
    MindError
        `switching.*`.
    """
    feeder = make_feeder(engine, load_network(name), pcc)
    ahead = _ahead(feeder, profiles, from_utc_s, hours, scale)
    stages = dict(_stage(text) for text in shed)
    lines = [line_key(line.name) for line in feeder.network.lines]
    for branch in fixed:
        require_branch(feeder.network, branch)
    usable = [key for key in lines if key not in fixed]
    if outages:
        worst = max(ahead, key=lambda moment: -sum(moment.p_w.values()))
        found = outages_of(feeder, worst, limits=limits, usable=usable, stages=stages)
        if as_json:
            print(json.dumps([_plain(one) for one in found], indent=1))
        else:
            _print_outages(found)
        return KEPT if all(one.plan.feasible for one in found) else NOT_KEPT
    plan = plan_switching(feeder, ahead, limits=limits, usable=usable, stages=stages)
    if as_json:
        print(json.dumps(_plain_plan(plan), indent=1))
    else:
        _print_plan(plan)
    return NOT_KEPT if not plan.feasible else SHEDS if plan.shed else KEPT


def _ahead(
    feeder: Feeder, profiles: str, from_utc_s: int, hours: int, scale: float
) -> list[Moment]:
    end_s = from_utc_s + 3_600 * hours
    source = None if profiles == "own" else profiles
    read = load_profiles(feeder.network, from_utc_s, end_s, source=source, folder=Path())
    inside = set(feeder.buses)
    moments = []
    for utc_s in range(from_utc_s, end_s, STEP_S):
        point = read.loads(utc_s)
        p_w, q_var = (
            {
                bus: float(value) * scale
                for bus, value in zip(read.buses, values, strict=True)
                if bus in inside
            }
            for values in (point.p_w, point.q_var)
        )
        moments.append(Moment(p_w, q_var))
    return moments


def _stage(text: str) -> tuple[str, int]:
    point, _, stage = text.rpartition("=")
    if not point or not stage.isascii() or not stage.isdigit() or int(stage) < 1:
        raise MindError(
            "switching.stage", "--shed: found {found!r}, expected POINT=STAGE from 1", found=text
        )
    return point, int(stage)


def _print_plan(plan: Plan) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for when, sight in (("as it is", plan.before), ("as planned", plan.after)):
        wrong = "; ".join(one.text() for one in sight.findings) or "within all limits"
        console.print(
            f"{when}: at most {sight.loading_percent:.1f} % loaded, "
            f"losses {sight.losses_w / 1e3:.1f} kW: {wrong}"
        )
    for number, step in enumerate(plan.steps, start=1):
        console.print(f"{number}. {step.text()}")
    if plan.shed:
        console.print(f"shed {', '.join(plan.shed)}: {plan.shed_w / 1e3:.1f} kW")
    if not plan.feasible:
        console.print("no plan keeps the limits")
    console.print(f"{plan.solved} power flows")


def _print_outages(found: list[Outage]) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for head in ("lost", "unsupplied kW", "max dV pu", "at", "findings", "then"):
        numeric = head in ("unsupplied kW", "max dV pu", "findings")
        table.add_column(head, justify="right" if numeric else "left")
    for one in found:
        then = "; ".join(step.text() for step in one.plan.steps)
        if one.plan.shed:
            then += f"; shed {', '.join(one.plan.shed)}"
        table.add_row(
            one.name,
            f"{one.unsupplied_w / 1e3:.1f}",
            f"{one.v_change_pu:.4f}",
            one.at,
            str(len(one.findings)),
            (then or "nothing to do") if one.plan.feasible else "no plan keeps the limits",
        )
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    lost = [one for one in found if not one.plan.feasible]
    console.print(f"{len(found) - len(lost)} of {len(found)} outages have a plan")


def _plain(one: Outage) -> dict[str, Any]:
    return {
        **{key: value for key, value in asdict(one).items() if key != "plan"},
        "plan": _plain_plan(one.plan),
    }


def _plain_plan(plan: Plan) -> dict[str, Any]:
    return {**asdict(plan), "steps": [step._asdict() for step in plan.steps],
            "feasible": plan.feasible}  # fmt: skip
