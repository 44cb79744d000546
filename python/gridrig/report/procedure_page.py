"""One self-contained HTML page for an executed procedure: verdicts, and traces with their bands."""

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from gridrig.campaign.measurements import Outcome
from gridrig.campaign.procedure_summary import Executed, timing_text
from gridrig.report.elements import SYMBOLS, Markup, figure, table
from gridrig.report.page import framed
from gridrig.report.plots_islands import island_plots
from gridrig.report.plots_walks import walk_plots
from gridrig.report.sections import verdict_table
from gridrig.report.wording import count, escaped, number


def write_procedure_pages(folder: Path, executed: Iterable[Executed]) -> list[Path]:
    """Write a page for each executed procedure, mutants left out; return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for one in executed:
        if one.mutant is None:
            path = folder / f"{one.tested.name}-{one.rig.name}.html"
            path.write_bytes(procedure_page(one))
            written.append(path)
    return written


def procedure_page(executed: Executed) -> bytes:
    """Return the page of an executed procedure."""
    verdicts, tested = executed.execution.verdicts, executed.tested
    drawn = [
        *walk_plots(executed.execution.walked),
        *island_plots(executed.execution.islands),
    ]
    plots = "".join(figure(plot) for plot in drawn)
    parts = [
        ("verdicts", "Verdicts", verdict_table(verdicts)),
        ("traces", "Traces", plots),
        ("procedure", "Procedure", _procedure(executed)),
        ("devices", "Devices", _devices(executed)),
    ]
    emulated = "EMULATED \u00b7 " if _is_emulated(executed) else ""
    return framed(
        title=f"{emulated}{verdicts.outcome} \u00b7 {tested.name}",
        version=version("gridrig"),
        head=_head(executed),
        parts=parts,
        footer=f"Made by gridrig {escaped(version('gridrig'))} from what one execution measured. "
        "Positive power flows from a device into the grid.",
    )


def _is_emulated(executed: Executed) -> bool:
    return any(device.emulated for device in executed.rig.devices)


def _head(executed: Executed) -> str:
    verdicts, outcome = executed.execution.verdicts, executed.execution.verdicts.outcome
    passed = sum(verdict.outcome is Outcome.PASS for verdict in verdicts.verdicts)
    mark = banner = ""
    if _is_emulated(executed):
        mark = '<div class="emulated-mark">EMULATED</div>'
        banner = (
            '<p class="banner emulated"><b>Devices of this bench were emulated.</b> Drivers, wires '
            "and procedure were the real ones; an emulated device proves nothing about a product."
            "</p>"
        )
    if verdicts.left_unsafe:
        banner += (
            '<p class="banner unsafe" role="alert">The rig was not left in its safe state: '
            f"{escaped(', '.join(verdicts.left_unsafe))}.</p>"
        )
    return f"""<header><div class="inner">
<div class="brand"><b>gridrig</b><span>{escaped(executed.rig.name)}</span></div>
<div class="headline"><div>{mark}<h1>{escaped(executed.tested.name)}</h1>
<p class="lede">{escaped(executed.tested.claim)}</p></div>
<div class="verdict {outcome}"><strong>{SYMBOLS[outcome]} {outcome}</strong>
<span>{number(passed)} of {count(len(verdicts.verdicts), "criterion", "criteria")} passed</span>
</div></div>
{banner}</div></header>"""


def _procedure(executed: Executed) -> Markup:
    tested, verdicts = executed.tested, executed.execution.verdicts
    rows = [
        ("claim", tested.claim),
        ("clause", tested.clause),
        ("hazards", tested.hazards),
        ("rig", executed.rig.path),
        ("ended", f"{verdicts.ended} {verdicts.cause}".strip()),
        *(("invalid", reason) for reason in verdicts.invalid),
        *(("note", finding) for finding in verdicts.findings),
    ]
    if (times := executed.execution.times) is not None:
        rows.append(("timing", timing_text(times).removeprefix("timing: ")))
    return table(("", ""), rows)


def _devices(executed: Executed) -> Markup:
    rows = []
    for device in executed.rig.devices:
        who = executed.execution.identities.get(device.name)
        known = f"{who.manufacturer} {who.model} {who.serial} {who.firmware}" if who else ""
        end = executed.execution.verdicts.devices_end.get(device.name, "")
        vouched = device.calibration
        record = f"{vouched.certificate}, due {vouched.due}" if vouched is not None else ""
        kind = "emulated" if device.emulated else "hardware"
        rows.append((device.name, device.capability, kind, known, record, end))
    heads = ("Device", "Capability", "Kind", "Who it says it is", "Calibration", "Left")
    return table(heads, rows)
