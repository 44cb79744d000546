"""The page of `gridrig promises --report`: what is promised, what was measured, what is not shown.

It is for somebody who has never seen the project: every row in words, its verdict, each criterion
with value and limit, what the row does not say, and the page of each procedure that carries it.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from gridrig.campaign.outcomes import Outcome, worst
from gridrig.campaign.procedure_summary import Executed, effort_line, rig_text
from gridrig.promises.results import NOT_PROVEN, TOLD, Result
from gridrig.promises.rows import Campaign, Proof
from gridrig.report.campaign_page import mutants_table
from gridrig.report.elements import SYMBOLS, Markup, outcome_tag, table
from gridrig.report.page import framed
from gridrig.report.procedure_page import write_procedure_pages
from gridrig.report.wording import count, escaped, number

INDEX, PROCEDURES = "index.html", "procedures"
INTRODUCTION = """<p>Documents of decentralised energy promise much. Here each promise is a row: put
as something that can be measured, measured by test procedures on a bench, and judged by limits that
were stated before. A row passes only if all of its criteria do.</p>
<dl><dt>{passed}</dt><dd>every criterion was measured within its limit</dd>
<dt>{failed}</dt><dd>one was not</dd>
<dt>{open}</dt><dd>nothing measures this row; it says what is missing</dd></dl>
<p>A row's number begins with N for what a named system does, with M for the field as a whole. None
of them is a statement about the product of anybody.</p>"""
EMULATED = """<p><strong>All devices were emulated.</strong> Wires, drivers, market, signatures and
books are the real ones; how a device behaves is its model's. On a bench of real devices the same
procedures run.</p>"""


def write_promises(folder: Path, results: Sequence[Result], executed: Sequence[Executed]) -> Path:
    """Write a page for each procedure and one over all rows; return where that is.

    Parameters
    ----------
    folder : Path
        Made with its parents; pages of the same names are written anew.
    results : sequence of Result
        The rows asked for, in order.
    executed : sequence of Executed
        What was executed for them, mutants among it.
    """
    judged = [one for one in executed if one.mutant is None]
    written = write_procedure_pages(folder / PROCEDURES, executed)
    pages = {
        one.tested.name: f"{PROCEDURES}/{path.name}"
        for one, path in zip(judged, written, strict=True)
    }
    index = folder / INDEX
    index.write_bytes(promises_page(results, executed, pages))
    return index


def promises_page(
    results: Sequence[Result], executed: Sequence[Executed], pages: Mapping[str, str]
) -> bytes:
    """Return the page; `pages` holds where the page of a procedure is, by its name."""
    emulated = any(device.emulated for one in executed for device in one.rig.devices)
    proven = sum(result.verdict == str(Outcome.PASS) for result in results)
    title = f"{number(proven)} of {count(len(results), 'promise')} proven"
    campaigns = dict.fromkeys(result.campaign for result in results)
    sources = {
        Proof(one.tested.name, criterion.name): criterion.source
        for one in executed
        for criterion in one.tested.criteria
    }
    parts = [
        ("reading", "How to read this", _introduction(emulated=emulated)),
        ("rows", "All rows", _summary(results)),
        *(
            (
                f"campaign-{campaign.number}",
                f"{campaign.number} {escaped(campaign.title)}",
                _campaign(campaign, results, sources, pages),
            )
            for campaign in campaigns
        ),
        ("mutants", "Wrong devices that had to fail", mutants_table(executed)),
    ]
    effort = f" {escaped(effort_line(executed))}." if executed else ""
    return framed(
        title=f"{'EMULATED · ' if emulated else ''}{title}",
        version=version("gridrig"),
        head=_head(results, executed, title, emulated=emulated),
        parts=parts,
        footer=f"Made by gridrig {escaped(version('gridrig'))}.{effort}",
    )


def _head(
    results: Sequence[Result], executed: Sequence[Executed], title: str, *, emulated: bool
) -> str:
    rigs = ", ".join(dict.fromkeys(rig_text(one.rig) for one in executed))
    mark = '<div class="emulated-mark">EMULATED</div>' if emulated else ""
    unproven = sum(result.verdict == NOT_PROVEN for result in results)
    measured = [Outcome(r.verdict) for r in results if r.verdict != NOT_PROVEN]
    outcome = worst([*measured, *[Outcome.INCONCLUSIVE] * bool(unproven)])
    only_open = outcome is Outcome.INCONCLUSIVE and outcome not in measured
    word = "\u2013 NOT ALL PROVEN" if only_open else f"{SYMBOLS[outcome]} {outcome}"
    passed = sum(one is Outcome.PASS for one in measured)
    return f"""<header><div class="inner">
<div class="brand"><b>gridrig</b><span>{escaped(rigs)}</span></div>
<div class="headline"><div>{mark}<h1>{title}</h1>
</div>
<div class="verdict {outcome}"><strong>{word}</strong>
<span>measured: {number(passed)} of {number(len(measured))} passed;
not measured: {number(unproven)}</span></div></div>
</div></header>"""


def _introduction(*, emulated: bool) -> Markup:
    text = INTRODUCTION.format(
        passed=outcome_tag(Outcome.PASS),
        failed=outcome_tag(Outcome.FAIL),
        open=_tag(NOT_PROVEN),
    )
    return Markup(text + (EMULATED if emulated else ""))


def _summary(results: Sequence[Result]) -> Markup:
    rows = [
        (
            Markup(f'<a href="#{_anchor(result)}">{escaped(result.row.name)}</a>'),
            f"{result.campaign.number} {result.campaign.title}",
            result.row.claim,
            _tag(result.verdict),
        )
        for result in results
    ]
    return table(("row", "campaign", "what is promised", "verdict"), rows, bad=_failed(results))


def _failed(results: Sequence[Result]) -> list[int]:
    good = (str(Outcome.PASS), NOT_PROVEN)
    return [place for place, result in enumerate(results) if result.verdict not in good]


def _campaign(
    campaign: Campaign,
    results: Sequence[Result],
    sources: Mapping[Proof, str],
    pages: Mapping[str, str],
) -> Markup:
    rows = (_row(r, sources, pages) for r in results if r.campaign is campaign)
    return Markup("".join(rows))


def _row(result: Result, sources: Mapping[Proof, str], pages: Mapping[str, str]) -> str:
    row = result.row
    parts = [
        f'<h3 id="{_anchor(result)}">{escaped(row.name)} {_tag(result.verdict)}</h3>',
        f"<p>{escaped(row.claim[:1].upper() + row.claim[1:])}.</p>",
    ]
    if result.shown:
        why = [sources.get(proof, "") for proof in row.proofs]
        why += ["goal of the benchmark" if figure.is_judged else "" for figure in row.figures]
        names = [proof.criterion for proof in row.proofs]
        names += [figure.task for figure in row.figures]
        lines = [
            (name, shown.measured, shown.limit, source, _tag(shown.outcome))
            for name, shown, source in zip(names, result.shown, why, strict=True)
        ]
        good = (str(Outcome.PASS), TOLD)
        bad = [k for k, one in enumerate(result.shown) if one.outcome not in good]
        heads = ("criterion", "measured", "limit", "why, or against what", "verdict")
        parts.append(table(heads, lines, numeric=(1,), bad=bad))
        procedures = dict.fromkeys(proof.procedure for proof in row.proofs)
        by = [_link(name, pages) for name in procedures]
        topics = dict.fromkeys(figure.topic for figure in row.figures)
        by += [f"gridrig bench {escaped(topic)}" for topic in topics]
        where = f", on {escaped(result.machine)}" if result.machine else ""
        parts.append(f"<p>Measured by {', '.join(by)}{where}.</p>")
    if row.missing:
        what = "How far this reaches" if result.shown else "Missing"
        parts.append(f"<p>{what}: {escaped(row.missing)}.</p>")
    return "\n".join(parts)


def _link(procedure: str, pages: Mapping[str, str]) -> str:
    if procedure not in pages:
        return escaped(procedure)
    return f'<a href="{escaped(pages[procedure])}">{escaped(procedure)}</a>'


def _anchor(result: Result) -> str:
    return f"row-{result.row.name}"


def _tag(verdict: str) -> Markup:
    """Return a verdict as a tag; what is not proven looks like what is not decided."""
    if verdict == TOLD:
        return Markup("told")
    if verdict == NOT_PROVEN:
        return Markup(f'<span class="tag {Outcome.INCONCLUSIVE}">\u2013 {NOT_PROVEN}</span>')
    return outcome_tag(Outcome(verdict))
