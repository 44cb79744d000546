"""A participant's page: what its meters counted, what it traded, paid and earned, and its carbon.

One file that needs no network and changes nothing. All figures are the journal's integers, shown to
their last digit; times are those of the local clock, which names itself where it changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from gridrig.market.counterparties import FINANCIAL_ONLY, LOCAL, Delivery
from gridrig.market.zones import Network
from gridrig.report.elements import Markup, folded, table
from gridrig.report.page import framed
from gridrig.report.wording import (
    CURRENCY,
    count,
    duration,
    escaped,
    kwh_to_the_unit,
    money,
    number,
)
from gridrig.settlement.bills import Bill
from gridrig.settlement.emissions import Emission
from gridrig.settlement.statement import Day, Slot, Statement

PERIODS_SHOWN_MAX = 3_200
"""About a month of quarter hours; of a longer time only the days are shown."""

HOURS_24_S = 86_400

FIGURES: tuple[tuple[str, str, Callable[[int], str]], ...] = (
    ("taken kWh", "imported_milliwh", kwh_to_the_unit),
    ("given kWh", "exported_milliwh", kwh_to_the_unit),
    ("bought kWh", "bought_milliwh", kwh_to_the_unit),
    ("sold kWh", "sold_milliwh", kwh_to_the_unit),
    (f"earned {CURRENCY}", "earned_micro", money),
    (f"paid {CURRENCY}", "paid_micro", money),
    (f"imbalance {CURRENCY}", "imbalance_micro", money),
    (f"fees {CURRENCY}", "fees_micro", money),
    (f"balance {CURRENCY}", "balance_micro", money),
)
"""Head, figure of a `Slot`, and how it is written."""

LATE = {
    "measured": "",
    "interpolated": "laid out between two readings",
    "estimated": "estimated: the reading is not here yet",
    "unmetered": "no meter",
}


@dataclass(frozen=True)
class Placed:
    """Where a participant is connected.

    Parameters
    ----------
    zone : str or None
        None for the main grid.
    fees : mapping of str to int
        Of each link of the zone what a kWh pays that comes over it. [millionths/kWh]
    """

    zone: str | None
    fees: Mapping[str, int]

    @classmethod
    def of(cls, participant: str, network: Network) -> "Placed":
        """Return where a participant of a network is."""
        zone = network.zone_of().get(participant)
        fees = {}
        for name, link in zip(network.link_names(), network.links, strict=True):
            if zone is not None and zone in (link.first, link.second):
                inward = link.second == zone
                fees[name] = (
                    link.forward_fee_micro_per_kwh if inward else link.backward_fee_micro_per_kwh
                )
        return cls(zone, fees)


@dataclass(frozen=True)
class Told:
    """What a page tells.

    Parameters
    ----------
    statement : Statement
        The participant's own.
    zone : ZoneInfo
        Whose clock the page goes by.
    bill : Bill or None
        Beside a utility's, if a tariff is at hand.
    taken, given : Emission or None
        Carbon of the energy taken and given, if rates are at hand.
    deliveries : mapping or None
        How what it traded and metered came to it or went from it, if zones are known. [mWh]
    title : str
        Of the run; empty for a journal alone.
    emulated : bool
        Whether any device of the run was.
    placed : Placed or None
        In which zone it is, if zones are known.
    """

    statement: Statement
    zone: ZoneInfo
    bill: Bill | None = None
    taken: Emission | None = None
    given: Emission | None = None
    title: str = ""
    emulated: bool = False
    deliveries: Mapping[Delivery, int] | None = None
    placed: Placed | None = None


def statement_page(told: Told) -> bytes:
    """Return the page."""
    days = told.statement.days(told.zone)
    mark = "EMULATED \u00b7 " if told.emulated else ""
    return framed(
        title=f"{mark}Statement of {told.statement.participant}",
        version=version("gridrig"),
        head=_head(told),
        parts=[
            ("energy", "Energy and money", _days(days)),
            ("bill", "Against a utility alone", _bill(told.bill, told.statement)),
            ("late", "Late and corrected", _late(told)),
            ("periods", "Every period", _periods(told, days)),
            ("made", "How the figures are made", _made(told)),
        ],
        footer=f"Made by gridrig {escaped(version('gridrig'))}, for "
        f"{escaped(told.statement.participant)}.",
    )


def _head(told: Told) -> str:
    statement = told.statement
    mark = '<div class="emulated-mark">EMULATED</div>' if told.emulated else ""
    facts = "".join(
        f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}<small>{escaped(more)}</small></dd></div>"
        for name, value, more in _facts(told)
    )
    balance = statement.balance_micro
    word = "profit" if balance > 0 else "cost"
    first, last = statement.slots[0], statement.slots[-1]
    when = f"{_moment(first.from_s, told.zone)} to {_moment(last.to_s, told.zone)}"
    return f"""<header><div class="inner">
<div class="brand"><b>gridrig</b><span>{escaped(told.title)}</span></div>
<div class="headline"><div>{mark}<h1>{escaped(statement.participant)}</h1>
<p class="lede">{escaped(when)}, {escaped(told.zone.key)}</p></div>
<div class="verdict {"PASS" if balance > 0 else "ABORTED"}">
<strong>{money(abs(balance))} {CURRENCY}</strong><span>{word}, as settled</span></div></div>
<dl class="facts">{facts}</dl></div></header>"""


def _facts(told: Told) -> list[tuple[str, str, str]]:
    """Return name, value and meaning of what a participant wants to know first."""
    statement = told.statement
    taken, given = (statement.sum(f"{way}_milliwh") for way in ("imported", "exported"))
    facts = [
        ("Taken", f"{kwh_to_the_unit(taken)} kWh", _price(statement.sum("paid_micro"), taken)),
        ("Given", f"{kwh_to_the_unit(given)} kWh", _price(statement.sum("earned_micro"), given)),
        ("Bought in trades", f"{kwh_to_the_unit(statement.sum('bought_milliwh'))} kWh", "promised"),
        ("Sold in trades", f"{kwh_to_the_unit(statement.sum('sold_milliwh'))} kWh", "promised"),
    ]
    if told.placed is not None and told.placed.zone is not None:
        fees = "; ".join(
            f"{name}: {money(fee)} {CURRENCY}/kWh inward" for name, fee in told.placed.fees.items()
        )
        facts.append(("Zone", told.placed.zone, f"{fees}, within the price" if fees else ""))
    if told.deliveries is not None:
        local, contract = (told.deliveries[how] for how in (LOCAL, FINANCIAL_ONLY))
        facts += [
            ("Traded locally", f"{kwh_to_the_unit(local)} kWh", "within its own network"),
            ("Financial only", f"{kwh_to_the_unit(contract)} kWh", "no wire brings it"),
        ]
    if told.bill is not None:
        saved = told.bill.saved_micro
        word = "saved against a utility" if saved >= 0 else "lost against a utility"
        facts.append(("Market", f"{money(abs(saved))} {CURRENCY}", word))
    for name, emission in (("Carbon taken", told.taken), ("Carbon kept away", told.given)):
        if emission is not None:
            facts.append((name, *_carbon(emission)))
    return facts


def _price(amount_micro: int, milliwh: int) -> str:
    if not milliwh:
        return "none"
    # Half up by magnitude, as everywhere.
    per_kwh = (2 * abs(amount_micro) * 1_000_000 + milliwh) // (2 * milliwh)
    return f"{money(per_kwh if amount_micro >= 0 else -per_kwh)} {CURRENCY}/kWh on average"


def _carbon(emission: Emission) -> tuple[str, str]:
    if emission.grams is None:
        return "withheld", f"no rate for {count(emission.missing, 'period')}"
    kg, grams = divmod(emission.grams, 1000)
    return f"{number(kg)}.{grams:03d} kg", "at the grid's rates"


def _days(days: list[Day]) -> Markup:
    rows = [(_day(one), *(write(one.sum(of)) for _, of, write in FIGURES)) for one in days]
    rows.append(("all", *(write(sum(one.sum(of) for one in days)) for _, of, write in FIGURES)))
    heads = ("day", *(head for head, *_ in FIGURES))
    caption = "Taken and given is what the meters counted; bought and sold is what was promised."
    return table(heads, rows, caption=caption, numeric=range(1, len(heads)))


def _day(one: Day) -> str:
    changed = "" if one.length_s == HOURS_24_S else f", a day of {duration(one.length_s)}"
    return f"{one.day.isoformat()}{changed}"


def _bill(bill: Bill | None, statement: Statement) -> Markup:
    if bill is None:
        return Markup("")
    settled_micro = -statement.balance_micro
    rows = [
        ("as settled", money(settled_micro)),
        ("network and standing charges beside it", money(bill.market_micro - settled_micro)),
        ("in the market, both", money(bill.market_micro)),
        ("from a utility alone", money(bill.utility_micro)),
        ("saved by the market" if bill.saved_micro >= 0 else "lost by the market",
         money(abs(bill.saved_micro))),
    ]  # fmt: skip
    caption = (
        "Both bills are for the same metered energy, with network and standing charges of the "
        "tariff file, which no journal settles; what is negative is earned."
    )
    return table(("bill", CURRENCY), rows, caption=caption, numeric=(1,))


def _late(told: Told) -> Markup:
    marked = [slot for slot in told.statement.slots if _mark(slot)]
    if not marked:
        return Markup("<p>Nothing: every reading came in time.</p>\n")
    rows = [
        (
            _moment(slot.from_s, told.zone),
            Markup(f'<span class="tag late">{escaped(slot.quality)}</span>'),
            _mark(slot),
        )
        for slot in marked
    ]
    return table(("period", "quality", "what happened"), rows)


def _mark(slot: Slot) -> str:
    said = [LATE[slot.quality]] if LATE[slot.quality] else []
    if slot.corrected_in:
        posts = ", ".join(map(str, slot.corrected_in))
        said.append(f"corrected in the post of period {posts}")
    return "; ".join(said)


def _periods(told: Told, days: list[Day]) -> Markup:
    if len(told.statement.slots) > PERIODS_SHOWN_MAX:
        shown = count(PERIODS_SHOWN_MAX, "period")
        return Markup(f"<p>More than {shown}: <code>--json</code> gives them all.</p>\n")
    heads = ("from", "to", f"price {CURRENCY}/kWh", *(head for head, *_ in FIGURES), "mark")
    parts = []
    for one in days:
        rows = [
            (
                _clock(slot.from_s, told.zone),
                _clock(slot.to_s, told.zone),
                _prices(slot),
                *(write(getattr(slot, of)) for _, of, write in FIGURES),
                Markup(f'<span class="tag late">{escaped(_mark(slot))}</span>')
                if _mark(slot)
                else "",
            )
            for slot in one.slots
        ]
        bad = [place for place, slot in enumerate(one.slots) if _mark(slot)]
        content = table(heads, rows, numeric=range(2, len(heads) - 1), bad=bad)
        parts.append(folded(f"{_day(one)}: {count(len(rows), 'period')}", content))
    return Markup("".join(parts))


def _prices(slot: Slot) -> str:
    ends = dict.fromkeys(slot.prices_micro_per_kwh[:1] + slot.prices_micro_per_kwh[-1:])
    return " to ".join(map(money, ends))


def _made(told: Told) -> Markup:
    credit = told.statement.sum("credit_micro")
    lent = (
        f" Beside it stand {money(credit)} {CURRENCY} of deposits and credit, which are no price "
        "of energy."
        if credit
        else ""
    )
    posts = count(told.statement.posts, "post")
    linked = (
        " What links between zones charge is in none of the fees: it is within the price at which "
        "the zone bought, and so within what was paid."
        if told.placed is not None and told.placed.fees
        else ""
    )
    return Markup(
        f"<p>From {posts} of the journal, as they stand after all corrections. A page proves "
        "nothing by itself: <code>gridrig audit</code> settles every period again from the signed "
        "readings, and <code>gridrig prove</code> shows one line against a period's root.</p>\n"
        "<p>Balance is earned less paid, less imbalance, less fees. Imbalance is the cost of what "
        f"was promised and not given, or bought and not taken.{linked}{lent} Energy that a home "
        "makes and uses itself does not pass its meter and is not in these figures.</p>\n"
        "<p>Carbon is that of the place and the hour, whoever sold the energy; without a rate for "
        "every period it is withheld.</p>\n"
    )


def _moment(utc_s: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(utc_s, zone).strftime("%Y-%m-%d %H:%M %Z")


def _clock(utc_s: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(utc_s, zone).strftime("%H:%M %Z")
