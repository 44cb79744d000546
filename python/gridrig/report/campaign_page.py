"""The first page of a campaign of procedures: each with its verdict and a link, and the mutants."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from gridrig.campaign.measurements import deciding
from gridrig.campaign.outcomes import Outcome, worst
from gridrig.campaign.procedure_summary import Executed, effort_line, rig_text
from gridrig.report.elements import (
    SYMBOLS,
    Markup,
    margin_text,
    outcome_tag,
    table,
    value_text,
)
from gridrig.report.page import framed
from gridrig.report.procedure_page import write_procedure_pages
from gridrig.report.wording import count, escaped, number

INDEX = "index.html"


def write_campaign(folder: Path, executed: Sequence[Executed]) -> Path:
    """Write a page for each executed procedure and one that links them; return where that is."""
    pages = write_procedure_pages(folder, executed)
    index = folder / INDEX
    index.write_bytes(campaign_page(executed, dict(zip(_judged(executed), pages, strict=True))))
    return index


def campaign_page(executed: Sequence[Executed], pages: Mapping[int, Path]) -> bytes:
    """Return the page; `pages` holds where the page of an execution is, by its place."""
    outcome = worst(executed[place].execution.verdicts.outcome for place in _judged(executed))
    emulated = any(d.emulated for one in executed for d in one.rig.devices)
    mark = "EMULATED \u00b7 " if emulated else ""
    parts = [
        ("verdicts", "Procedures", _procedures(executed, pages)),
        ("mutants", "Wrong devices that had to fail", mutants_table(executed)),
    ]
    return framed(
        title=f"{mark}{outcome} \u00b7 {count(len(pages), 'procedure')}",
        version=version("gridrig"),
        head=_head(executed, outcome, emulated=emulated),
        parts=parts,
        footer=f"Made by gridrig {escaped(version('gridrig'))}. {escaped(effort_line(executed))}.",
    )


def _judged(executed: Iterable[Executed]) -> list[int]:
    """Return the places of the executions that judge the bench's own devices."""
    return [place for place, one in enumerate(executed) if one.mutant is None]


def _head(executed: Sequence[Executed], outcome: Outcome, *, emulated: bool) -> str:
    judged = [executed[place] for place in _judged(executed)]
    passed = sum(one.execution.verdicts.outcome is Outcome.PASS for one in judged)
    rigs = ", ".join(dict.fromkeys(rig_text(one.rig) for one in executed))
    mark = '<div class="emulated-mark">EMULATED</div>' if emulated else ""
    return f"""<header><div class="inner">
<div class="brand"><b>gridrig</b><span>{escaped(rigs)}</span></div>
<div class="headline"><div>{mark}<h1>{count(len(judged), "procedure")}</h1>
</div>
<div class="verdict {outcome}"><strong>{SYMBOLS[outcome]} {outcome}</strong>
<span>{number(passed)} of {count(len(judged), "procedure")} passed</span></div></div>
</div></header>"""


def _procedures(executed: Sequence[Executed], pages: Mapping[int, Path]) -> Markup:
    rows: list[tuple[str, ...]] = []
    bad: list[int] = []
    for place in _judged(executed):
        one = executed[place]
        verdicts = one.execution.verdicts
        if verdicts.outcome is not Outcome.PASS:
            bad.append(len(rows))
        decided = deciding(verdicts.verdicts)
        link = f'<a href="{escaped(pages[place].name)}">{escaped(one.tested.name)}</a>'
        rows.append(
            (
                Markup(link),
                one.rig.name,
                outcome_tag(verdicts.outcome),
                decided.criterion.name if decided else verdicts.cause,
                value_text(decided) if decided else "",
                margin_text(decided) if decided else "",
                decided.criterion.unit if decided else "",
                one.tested.clause,
            )
        )
    heads = ("procedure", "rig", "outcome", "decided by", "value", "margin", "unit", "clause")
    return table(heads, rows, numeric=(4, 5), bad=bad)


def mutants_table(executed: Sequence[Executed]) -> Markup:
    """Return every wrong device and its fate; nothing if none was tried."""
    rows: list[tuple[str, ...]] = []
    bad: list[int] = []
    for one in executed:
        if one.mutant is None:
            continue
        caught = one.caught
        if not one.killed:
            bad.append(len(rows))
        rows.append(
            (
                one.execution.verdicts.title,
                "killed" if one.killed else "LIVES",
                caught.criterion.name,
                value_text(caught),
                caught.criterion.unit,
            )
        )
    if not rows:
        return Markup("")
    killed = len(rows) - len(bad)
    caption = f"{number(killed)} of {number(len(rows))} killed, each by the criterion named."
    heads = ("wrong device", "fate", "criterion", "value", "unit")
    return table(heads, rows, caption=caption, numeric=(3,), bad=bad)
