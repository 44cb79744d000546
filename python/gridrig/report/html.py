"""One self-contained HTML page from a run directory's files: the same files, the same bytes.

The page carries its style and its plots, names no other address, and forbids the browser to load
anything, so it opens without a network and can be mailed, archived and printed.
"""

from pathlib import Path

from gridrig.campaign.manifest import is_finished
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.records import REPORT
from gridrig.errors import CampaignError
from gridrig.report import plots_grid, plots_market, plots_rooms, sections
from gridrig.report.elements import SYMBOLS, Markup, figure
from gridrig.report.minds import explained
from gridrig.report.page import framed
from gridrig.report.source import RunSource, load_run
from gridrig.report.timing import timing
from gridrig.report.wording import (
    CURRENCY,
    count,
    date_and_time,
    duration,
    escaped,
    kwh,
    money,
    number,
)
from gridrig.report.zones import zones_and_links


def build_report(run_dir: Path, out: Path | None = None) -> Path:
    """Write the report of a run, from nothing but the files of its directory.

    Parameters
    ----------
    run_dir : Path
        The run directory, signed or not yet.
    out : Path or None
        Where to; None for `report.html` inside it.

    Raises
    ------
    CampaignError
        If the directory is no run, or is signed and its report would become another.
    """
    content = render(load_run(run_dir))
    path = out or run_dir / REPORT
    if out is None and is_finished(run_dir):
        if path.is_file() and path.read_bytes() == content:
            return path
        raise CampaignError(
            "report.run_finished",
            "{path} is signed and this report differs from the one in it; write it elsewhere",
            path=run_dir,
        )
    path.write_bytes(content)
    return path


def render(source: RunSource) -> bytes:
    """Return the page."""
    run, verdicts = source.run, source.verdicts
    emulated = "EMULATED \u00b7 " if run.emulated else ""
    parts = [
        ("verdicts", "Verdicts", sections.verdict_table(source.verdicts)),
        ("findings", "Findings", sections.findings(source)),
        ("islanding", "Islanding", _islanding(source)),
        ("voltages", "Voltages", figure(plots_grid.voltages(source))),
        ("power", "Power", figure(plots_grid.power(source))),
        ("storage", "Storage", figure(plots_grid.storage(source))),
        ("rooms", "Rooms", figure(plots_rooms.rooms(source))),
        ("market", "Market", _market(source)),
        ("money", "Money", figure(plots_market.balances(source)) + sections.ledger(source)),
        ("losses", "Losses", figure(plots_market.losses(source)) + sections.energy_table(source)),
        ("timing", "Timing", timing(source)),
        ("readings", "Signed readings", sections.readings(source)),
        ("events", "Events", sections.timeline(source)),
        ("devices", "Devices", sections.devices(source)),
        ("verify", "How to verify", _how_to_verify() + sections.provenance(run)),
    ]
    footer = f"""Made by gridrig {escaped(run.gridrig)} from the files of this run directory alone.
Positive power flows from a device into the grid; {CURRENCY} is the settlement
currency."""
    return framed(
        title=f"{emulated}{verdicts.outcome} \u00b7 {run.title}",
        version=run.gridrig,
        head=_head(source),
        parts=parts,
        footer=footer,
    )


def _head(source: RunSource) -> str:
    run, verdicts = source.run, source.verdicts
    mark = '<div class="emulated-mark">EMULATED</div>' if run.emulated else ""
    passed = sum(verdict.outcome is Outcome.PASS for verdict in verdicts.verdicts)
    network = ", ".join(str(run.feeder[key]) for key in ("network", "engine") if key in run.feeder)
    banners = ""
    if verdicts.left_unsafe:
        banners += (
            '<p class="banner unsafe" role="alert">The rig was not left in its safe state: '
            f"{escaped(', '.join(verdicts.left_unsafe))}. "
            "Make it safe before anyone touches it.</p>"
        )
    if verdicts.invalid:
        banners += (
            '<p class="banner invalid" role="alert"><b>This run is invalid.</b> '
            f"{escaped('; '.join(verdicts.invalid))}.</p>"
        )
    if run.emulated:
        which = (
            f"All {count(len(run.devices), 'device')} of this run were"
            if len(run.emulated) == len(run.devices)
            else f"{number(len(run.emulated))} of {count(len(run.devices), 'device')} were"
        )
        banners += (
            f'<p class="banner emulated"><b>{which} emulated.</b> Drivers, wires, procedure, '
            "market and settlement were the real ones; the behaviour of an emulated device is its "
            "model\u2019s, and proves nothing about a product.</p>"
        )
    facts = "".join(
        f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}<small>{escaped(more)}</small></dd></div>"
        for name, value, more in _facts(source)
    )
    outcome = verdicts.outcome
    files_named = " \u00b7 ".join(dict.fromkeys(name for name in (run.rig, run.scenario) if name))
    return f"""<header><div class="inner">
<div class="brand"><b>gridrig</b><span>{escaped(files_named)}</span></div>
<div class="headline"><div>{mark}<h1>{escaped(run.title)}</h1>
<p class="lede">{date_and_time(run.start_utc_s)}, {duration(run.duration_s)}.
{escaped(network)}</p></div>
<div class="verdict {outcome}"><strong>{SYMBOLS[outcome]} {outcome}</strong>
<span>{number(passed)} of {count(len(verdicts.verdicts), "criterion", "criteria")} passed,
exit code {verdicts.exit_code}</span></div></div>
{banners}<dl class="facts">{facts}</dl></div></header>"""


def _facts(source: RunSource) -> list[tuple[str, str, str]]:
    """Return the few numbers a reader wants first: name, value, what it means."""
    run = source.run
    hardware = len(run.devices) - len(run.emulated)
    facts = [
        ("Devices", number(len(run.devices)),
         f"{len(run.emulated)} emulated, {hardware} hardware"),
        ("Clock", run.clock, f"seed {run.seed}, {count(len(source.time_s), 'tick')}"),
    ]  # fmt: skip
    if run.opening:
        inside_s = sum(stop_s - start_s for start_s, stop_s in source.island_spans)
        facts.append(("Openings", number(len(run.opening)), f"{duration(inside_s)} as an island"))
    if source.readings:
        verified = sum(row["outcome"] == "verified" for row in source.readings)
        facts.append(
            ("Readings verified", f"{number(verified)} of {number(len(source.readings))}",
             f"{len(source.readings) - verified} refused")
        )  # fmt: skip
    if source.clearing:
        volume = sum(row.volume_milliwh for row in source.clearing)
        periods = count(len(source.clearing), "delivery period")
        facts.append(("Energy traded", f"{kwh(volume)} kWh", f"in {periods}"))
    if source.balances:
        total = sum(row.amount_micro for row in source.balances)
        facts.append(
            ("Sum of all accounts", f"{money(total)} {CURRENCY}",
             f"over {count(len(source.balances), 'account')}")
        )  # fmt: skip
    return facts


def _islanding(source: RunSource) -> Markup:
    drawn = []
    for index, opening in enumerate(source.run.opening):
        plot = plots_grid.islanding(source, index, opening)
        if plot is not None:
            drawn.append(f"<h3>Opening {index + 1}: {escaped(opening.text)}</h3>{figure(plot)}")
    return Markup(sections.openings(source) + "".join(drawn))


def _market(source: RunSource) -> Markup:
    prices, trades = plots_market.prices(source), plots_market.trades(source)
    return Markup(
        figure(prices)
        + zones_and_links(source)
        + figure(trades)
        + sections.trade_summary(source)
        + explained(source)
    )


def _how_to_verify() -> Markup:
    return Markup(
        "<p>This page is one file of a run directory. The directory\u2019s manifest lists every "
        "file with its SHA-256 and is signed with the key of the rig that ran. To check that not "
        "one byte was changed since, and who signed:</p>"
        "<pre><code>gridrig verify RUN-DIRECTORY --trust KEYS</code></pre>"
        "<p>It works offline and names any file that was changed, added or removed. Without a "
        "trusted key it can only say \u201cintact, signer unknown\u201d: whoever changes a run "
        "can also sign it again. The same rig, scenario and seed on the virtual clock give the "
        "same trace, events, readings, trades, entries and verdicts, byte for byte.</p>"
        "<h3>What ran</h3>"
    )
