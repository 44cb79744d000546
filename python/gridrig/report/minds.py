"""What minds said in a run: each order of a home with its reason."""

from gridrig.report.elements import Markup, folded, table
from gridrig.report.source import RunSource
from gridrig.report.wording import CURRENCY, fixed, kwh, number

SHOWN_MAX = 500


def explained(source: RunSource) -> Markup:
    """Return every order that its mind gave a reason for, folded; nothing if there is none."""
    reasoned = [order for order in source.orders if order.why]
    if not reasoned:
        return Markup("")
    rows = [
        (
            f"Period {order.period}",
            order.participant,
            order.side,
            kwh(order.energy_milliwh),
            fixed(order.price_micro_per_kwh / 1e6, 3),
            order.why + (f" (refused: {order.refused})" if order.refused else ""),
        )
        for order in reasoned[:SHOWN_MAX]
    ]
    heads = ("", "Participant", "Side", "Energy [kWh]", f"Limit [{CURRENCY}/kWh]", "Why")
    rest = len(reasoned) - len(rows)
    more = f"<p>{number(rest)} more in <code>orders.csv</code>.</p>" if rest else ""
    return folded(
        "Every order of a home, and why", Markup(table(heads, rows, numeric=(3, 4)) + more)
    )
