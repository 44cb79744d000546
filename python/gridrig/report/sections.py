"""The report's sections: what each says in words and tables about a run."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gridrig.campaign.measurements import Outcome
from gridrig.campaign.records import ClearingRow, RunRecord
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.report.elements import (
    Markup,
    folded,
    gauge,
    limit_text,
    margin_text,
    outcome_tag,
    table,
    value_text,
)
from gridrig.report.source import RunSource
from gridrig.report.wording import (
    CURRENCY,
    DASH,
    count,
    escaped,
    fixed,
    kwh,
    moment,
    money,
    number,
    printable,
    signed,
)

RECURRING_ABOVE = 24  # a kind of event seen more often than this is summed up, not listed
EVENTS_SHOWN_MAX = 300
REFUSALS_SHOWN_MAX = 100
_GRID_EVENTS = ("pcc", "island", "open", "reclos")


def verdict_table(judged: RunVerdicts) -> Markup:
    """Return every criterion: value, limit, margin, uncertainty, source, outcome."""
    verdicts = judged.verdicts
    if not verdicts:
        return Markup(f"<p>No criterion was judged: {escaped(judged.cause or DASH)}.</p>")
    rows = []
    for verdict in verdicts:
        criterion = verdict.criterion
        event = f" \u00b7 {criterion.event}" if criterion.event else ""
        note = f"<small>{escaped(verdict.note)}</small>" if verdict.note else ""
        rows.append(
            (
                Markup(f"{escaped(criterion.name)}{note}"),
                outcome_tag(verdict.outcome),
                Markup(f"<b>{escaped(value_text(verdict))}</b>"),
                f"\u00b1 {number(verdict.uncertainty, digits=3)}" if verdict.uncertainty else DASH,
                limit_text(criterion),
                margin_text(verdict),
                Markup(f'<span class="unit">{escaped(criterion.unit)}</span>'),
                gauge(verdict),
                Markup(f'<span class="small">{escaped(criterion.source + event)}</span>'),
            )
        )
    heads = ("Criterion", "Outcome", "Value", "Uncertainty", "Limit", "Margin", "Unit",
             "Within its range", "Source of the limit")  # fmt: skip
    bad = [
        rank
        for rank, verdict in enumerate(verdicts)
        if verdict.outcome not in (Outcome.PASS, Outcome.INCONCLUSIVE)
    ]
    caption = (
        "A value passes only if all of value \u00b1 uncertainty lies within the limit; one nearer "
        "to the limit than its uncertainty is inconclusive. Margin is the distance to the limit."
    )
    return table(heads, rows, caption=caption, numeric=(2, 3, 4, 5), style="verdicts", bad=bad)


def findings(source: RunSource) -> Markup:
    """Return what the run found that no criterion says."""
    items = [*source.verdicts.findings]
    if source.verdicts.cause:
        items.insert(0, f"The run ended as {source.verdicts.ended}: {source.verdicts.cause}")
    if not items:
        return Markup("<p>None.</p>")
    listed = "".join(f"<li>{escaped(item)}</li>" for item in items)
    return Markup(f'<ul class="findings">{listed}</ul>')


def openings(source: RunSource) -> Markup:
    """Return the power balance at each opening against the former's rating."""
    if not source.run.opening:
        return Markup("<p>The feeder stayed on the main grid.</p>")
    rows = []
    for rank, opening in enumerate(source.run.opening, start=1):
        rating_va = opening.former_rating_va
        share = f"{fixed(opening.p_balance_w / rating_va * 100, 0)} %" if rating_va else DASH
        kind = "surplus" if opening.p_balance_w > 0 else "deficit"
        rows.append(
            (
                f"Opening {rank}",
                moment(source.run.start_utc_s + opening.t_s),
                fixed(opening.t_s, 3),
                kind,
                signed(opening.p_balance_w / 1e3, 2),
                fixed(rating_va / 1e3, 2) if rating_va else "no grid-former",
                share,
                opening.text,
            )
        )
    heads = ("", "Time, UTC", "t [s]", "Island", "Balance [kW]", "Former [kVA]",
             "Balance / rating", "What happened")  # fmt: skip
    caption = (
        "Balance is generation minus load inside the feeder at the moment of opening: what the "
        "grid-forming source had to take up (surplus, +) or deliver (deficit, \u2212) at once."
    )
    return table(heads, rows, caption=caption, numeric=(2, 4, 5, 6))


def trade_summary(source: RunSource) -> Markup:
    """Return price, volume and orders of each delivery period, folded."""
    if not source.clearing:
        return Markup("<p>No auction was held.</p>")
    orders = Counter(order.period for order in source.orders)
    refused = Counter(order.period for order in source.orders if order.refused)
    trades = Counter(trade.period for trade in source.trades)
    rows = [
        (
            f"Period {row.period}",
            moment(row.start_utc_s, seconds=False),
            "island" if row.island else "main grid",
            number(orders[row.period]),
            number(refused[row.period]),
            number(trades[row.period]),
            _price(source, row),
            kwh(row.volume_milliwh),
        )
        for row in source.clearing
    ]
    heads = ("", "Start, UTC", "Feeder", "Orders", "Refused", "Trades",
             f"Price [{CURRENCY}/kWh]", "Volume [kWh]")  # fmt: skip
    return folded("Every delivery period", table(heads, rows, numeric=(3, 4, 5, 6, 7)))


def _price(source: RunSource, row: ClearingRow) -> str:
    """Return the price of a period, of each zone where there are several."""
    parted = [
        f"{one.zone} {fixed(one.price_micro_per_kwh / 1e6, 6)}"
        for one in source.zones
        if one.period == row.period and one.price_micro_per_kwh is not None
    ]
    if parted:
        return ", ".join(parted)
    return DASH if row.price_micro_per_kwh is None else fixed(row.price_micro_per_kwh / 1e6, 6)


def ledger(source: RunSource) -> Markup:
    """Return the balance of each account, recomputed from the entries, and totals by kind."""
    if not source.balances and not source.entries:
        return Markup("<p>Nothing was settled.</p>")
    recomputed: Counter[str] = Counter()
    kinds: dict[str, list[int]] = {}
    unbacked = 0
    for entry in source.entries:
        recomputed[entry.credit] += entry.amount_micro
        recomputed[entry.debit] -= entry.amount_micro
        total = kinds.setdefault(entry.kind, [0, 0, 0])
        total[0] += 1
        total[1] += entry.energy_milliwh
        total[2] += entry.amount_micro
        unbacked += entry.meter is not None and entry.closing_digest is None
    said = {row.account: row.amount_micro for row in source.balances}
    wrong = sorted(
        name for name in said.keys() | recomputed.keys()
        if said.get(name, 0) != recomputed.get(name, 0)
    )  # fmt: skip
    total_micro = sum(said.values())
    check = (
        f"Adding up {count(len(source.entries), 'entry', 'entries')} again gives the same "
        "balances, to the last millionth."
        if not wrong
        else f"Adding up the entries again gives OTHER balances for {', '.join(wrong)}."
    )
    backing = (
        "" if not unbacked
        else f" {count(unbacked, 'entry', 'entries')} of a meter without a verified reading."
    )  # fmt: skip
    text = (
        f"<p>Sum over all accounts: <b>{money(total_micro)} {CURRENCY}</b>. "
        f"{escaped(check + backing)}</p>"
    )
    by_kind = table(
        ("Kind of entry", "Entries", "Energy [kWh]", f"Amount [{CURRENCY}]"),
        [(kind, number(n), kwh(energy), money(amount)) for kind, (n, energy, amount) in
         kinds.items()],
        numeric=(1, 2, 3),
    )  # fmt: skip
    accounts = table(
        ("Account", f"Balance [{CURRENCY}]"),
        [(row.account, money(row.amount_micro)) for row in source.balances],
        numeric=(1,),
    )
    return Markup(text + by_kind + folded("Every account", accounts))


def energy_table(source: RunSource) -> Markup:
    """Return energy over the feeder's head and the losses of each period, folded."""
    rows = [
        (
            f"Period {row.period}",
            kwh(row.imported_milliwh),
            kwh(row.exported_milliwh),
            kwh(row.losses_milliwh),
            kwh(row.engine_losses_milliwh),
            signed(row.losses_milliwh - row.engine_losses_milliwh, 1),
            number(row.allowed_difference_milliwh),
        )
        for row in source.energy
    ]
    if not rows:
        return Markup("")
    heads = ("", "From main grid [kWh]", "To main grid [kWh]", "Losses, registers [kWh]",
             "Losses, engine [kWh]", "Difference [mWh]", "Allowed [mWh]")  # fmt: skip
    return folded("Every delivery period", table(heads, rows, numeric=range(1, 7)))


def readings(source: RunSource) -> Markup:
    """Return how many signed readings were verified, and each refusal with its reason."""
    if not source.readings:
        return Markup("<p>No signed reading was received.</p>")
    refused = [row for row in source.readings if row["outcome"] != "verified"]
    verified = len(source.readings) - len(refused)
    meters = len({row["meter"] for row in source.readings})
    text = (
        f"<p><b>{number(verified)}</b> of {count(len(source.readings), 'signed reading')} from "
        f"{count(meters, 'meter')} verified; <b>{number(len(refused))}</b> refused. A refused "
        "reading settles nothing.</p>"
    )
    if not refused:
        return Markup(text)
    rows = [
        (
            row["meter"],
            number(row["period"]),
            Markup(f"<code>{escaped(row['outcome'])}</code>"),
            row.get("message", ""),
            Markup(f"<code>{escaped(_shortened(row['record']))}</code>"),
        )
        for row in refused[:REFUSALS_SHOWN_MAX]
    ]
    heads = ("Meter", "Period", "Reason", "In words", "As received")
    rest = len(refused) - len(rows)
    more = f"<p>{number(rest)} more in <code>readings.jsonl</code>.</p>" if rest else ""
    return Markup(text + table(heads, rows, numeric=(1,)) + more)


def timeline(source: RunSource) -> Markup:
    """Return what happened in order; kinds that recur often are summed up below."""
    kinds = Counter(event["kind"] for event in source.events)
    rare = [event for event in source.events if kinds[event["kind"]] <= RECURRING_ABOVE]
    items = []
    for event in rare[:EVENTS_SHOWN_MAX]:
        t_s = float(event["t_s"])
        t_ms = round(t_s * 1000)
        clock = f"{moment(source.run.start_utc_s + t_ms // 1000)}.{t_ms % 1000:03d}"
        style = ' class="grid"' if str(event["kind"]).startswith(_GRID_EVENTS) else ""
        items.append(
            f'<li{style}><time>{clock}</time><span class="who">'
            f'{escaped(event["device"] or "feeder")}</span><span class="what"><b>'
            f"{escaped(event['kind'])}</b>{escaped(_facts(event))}</span></li>\n"
        )
    text = f'<ol class="timeline">{"".join(items)}</ol>' if items else "<p>No event.</p>"
    if len(rare) > EVENTS_SHOWN_MAX:
        rest = number(len(rare) - EVENTS_SHOWN_MAX)
        text += f"<p>{rest} more in <code>events.jsonl</code>.</p>"
    often = []
    for kind, many in sorted(kinds.items()):
        if many > RECURRING_ABOVE:
            times = [float(event["t_s"]) for event in source.events if event["kind"] == kind]
            start_s = source.run.start_utc_s
            often.append((kind, number(many), moment(start_s + times[0]),
                          moment(start_s + times[-1])))  # fmt: skip
    if often:
        text += "<h3>Recurring events</h3>"
        text += table(("Kind", "Times", "First, UTC", "Last, UTC"), often, numeric=(1,))
    return Markup(text)


def devices(source: RunSource) -> Markup:
    """Return each device: emulated or hardware, how it identified itself, how it ended.

    Meters are many and alike, so they are folded, but for those that were not left safe.
    """
    ends, unsafe = source.verdicts.devices_end, source.verdicts.left_unsafe
    shown: list[tuple[object, ...]] = []
    meters: list[tuple[object, ...]] = []
    bad = []
    for device in source.run.devices:
        kind = f'<span class="tag kind-{escaped(device.kind)}">{escaped(device.kind)}</span>'
        identity = escaped(_identity(device.identity) or "not identified")
        if device.calibration:
            identity += f"<br>{escaped(_calibration(device.calibration))}"
        row = (
            device.name,
            Markup(kind),
            device.capability,
            device.driver,
            device.bus or DASH,
            Markup(f'<span class="small">{identity}</span>'),
            ends.get(device.name, DASH),
        )
        if device.name in unsafe:
            bad.append(len(shown))
        if device.capability == "meter" and device.name not in unsafe:
            meters.append(row)
        else:
            shown.append(row)
    heads = ("Device", "Kind", "Capability", "Driver", "Bus", "Identity", "State at the end")
    text = table(heads, shown, bad=bad, style="devices") if shown else ""
    if meters:
        text += folded(count(len(meters), "signed meter"), table(heads, meters, style="devices"))
    return Markup(text or "<p>No device.</p>")


def provenance(run: RunRecord) -> Markup:
    """Return what made this run: seed, clock, files, versions, overrides."""
    rows: list[tuple[str, str]] = [
        ("gridrig", run.gridrig),
        ("Rig, scenario", f"{run.rig or DASH}, {run.scenario or DASH}"),
        ("Seed", number(run.seed)),
        ("Clock", run.clock),
        ("Feeder", ", ".join(f"{key} {value}" for key, value in run.feeder.items()) or DASH),
        ("Nominal", ", ".join(f"{key} {value}" for key, value in run.nominal.items()) or DASH),
        ("Overrides", ", ".join(f"{key} = {value}" for key, value in run.overrides.items())
         or "none"),
        ("Versions", ", ".join(f"{key} {value}" for key, value in run.versions.items()) or DASH),
    ]  # fmt: skip
    return table(("", ""), rows)


def _identity(identity: Mapping[str, Any]) -> str:
    """Return maker and model first, then the rest with its names; what is empty is left out."""
    known = {key: value for key, value in identity.items() if value not in ("", None)}
    maker = " ".join(str(known.pop(key)) for key in ("manufacturer", "model") if key in known)
    rest = [f"{key.replace('_', ' ')} {value}" for key, value in known.items()]
    return ", ".join([maker, *rest] if maker else rest)


def _calibration(record: Mapping[str, Any]) -> str:
    """Return who vouches for an instrument, until when, and how well."""
    spread = ", ".join(f"{key} {value:g}" for key, value in record["uncertainty"].items())
    return (
        f"calibrated {record['on']} by {record['laboratory']}, certificate "
        f"{record['certificate']}, due {record['due']}; expanded uncertainty {spread}"
    )


def _facts(event: dict[str, Any]) -> str:
    said = [str(event["text"])] if "text" in event else []
    for key, value in event.items():
        if key not in ("t_s", "device", "kind", "text"):
            number_like = isinstance(value, int | float) and not isinstance(value, bool)
            said.append(f"{key} {number(value) if number_like else value}")
    return ", ".join(said)


def _shortened(text: str, limit: int = 90) -> str:
    shown = printable(text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "\u2026"
