"""HTML building blocks: tables, tags, figures, timelines. Text is escaped here, markup is not."""

import math
from collections.abc import Iterable, Sequence

from gridrig.campaign.measurements import Criterion, Outcome, Verdict
from gridrig.report.plots import Plot
from gridrig.report.wording import escaped, number

SYMBOLS = {
    Outcome.PASS: "\u2713",
    Outcome.FAIL: "\u2717",
    Outcome.INCONCLUSIVE: "?",
    Outcome.ERROR: "!",
    Outcome.ABORTED: "\u25a0",
    Outcome.UNSAFE: "\u26a0\ufe0e",
}


class Markup(str):
    """Text that is HTML already and must not be escaped again."""

    __slots__ = ()


def safe(text: object) -> str:
    """Return markup as it is and anything else escaped."""
    return text if isinstance(text, Markup) else escaped(text)


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    caption: str = "",
    numeric: Sequence[int] = (),
    style: str = "",
    bad: Sequence[int] = (),
) -> Markup:
    """Return a table whose first column names the rows.

    Parameters
    ----------
    heads : sequence of str
        Column heads.
    rows : iterable of sequences
        Cells; `Markup` goes in as it is.
    caption : str
        What the table says, above it.
    numeric : sequence of int
        Columns aligned to the right.
    style : str
        Class of the table.
    bad : sequence of int
        Rows to stand out.
    """

    def attributes(column: int) -> str:
        return ' class="n"' if column in numeric else ""

    head = "".join(
        f'<th scope="col"{attributes(column)}>{safe(text)}</th>'
        for column, text in enumerate(heads)
    )
    body = []
    for rank, row in enumerate(rows):
        cells = "".join(
            f"<td{attributes(column)}>{safe(cell)}</td>"
            for column, cell in enumerate(row)
            if column > 0
        )
        mark = ' class="bad"' if rank in bad else ""
        body.append(f'<tr{mark}><th scope="row"{attributes(0)}>{safe(row[0])}</th>{cells}</tr>\n')
    title = f"<caption>{safe(caption)}</caption>" if caption else ""
    return Markup(
        f'<div class="wide"><table class="{style}">{title}<thead><tr>{head}</tr></thead>\n'
        f"<tbody>{''.join(body)}</tbody></table></div>\n"
    )


def outcome_tag(outcome: Outcome) -> Markup:
    """Return an outcome with a symbol and a colour, so that it never rests on colour alone."""
    return Markup(f'<span class="tag {outcome}">{SYMBOLS[outcome]} {outcome}</span>')


def figure(plot: Plot | None) -> Markup:
    """Return a plot with its caption, or nothing."""
    if plot is None:
        return Markup("")
    return Markup(
        f'<figure id="plot-{plot.name}"><div class="draw">{plot.svg}</div>\n'
        f"<figcaption>{escaped(plot.caption)}</figcaption></figure>\n"
    )


def folded(summary: str, content: str) -> Markup:
    """Return content that opens on a click."""
    return Markup(f"<details><summary>{escaped(summary)}</summary>{content}</details>\n")


def limit_text(criterion: Criterion) -> str:
    """Return the accepted range in words and signs."""
    low, high = (number(limit, digits=9) for limit in (criterion.min, criterion.max))
    if criterion.min is not None and criterion.max is not None:
        return f"= {low}" if criterion.min == criterion.max else f"{low} \u2026 {high}"
    return f"\u2264 {high}" if criterion.min is None else f"\u2265 {low}"


def value_text(verdict: Verdict) -> str:
    """Return the value with as many digits as tell it from the limits it was judged by."""
    limits = tuple(
        float(limit)
        for limit in (verdict.criterion.min, verdict.criterion.max)
        if limit is not None
    )
    value, spread = verdict.value, verdict.uncertainty
    if value is None or value == 0 or not math.isfinite(value) or not 0 < spread < math.inf:
        return number(value, apart_from=limits)
    # Two digits of the uncertainty, and still on the side of the limit that it was judged to be.
    digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(spread)) + 2
    edges = tuple(edge for limit in limits for edge in (limit, limit - spread, limit + spread))
    return number(value, digits=max(2, min(digits, 12)), apart_from=edges)


def margin_text(verdict: Verdict) -> str:
    """Return the distance to the nearest limit, negative beyond it."""
    margin = verdict.margin
    if margin is None:
        return number(None)
    whole = isinstance(verdict.value, int) and float(margin).is_integer()
    text = number(int(margin) if whole else margin, digits=3)
    return f"+{text}" if margin > 0 else text


def gauge(verdict: Verdict) -> Markup:
    """Draw where the value lies, with its uncertainty, against the accepted range."""
    criterion, value = verdict.criterion, verdict.value
    low, high = criterion.min, criterion.max
    limits = [float(limit) for limit in (low, high) if limit is not None]
    if value is None or math.isnan(value):
        return Markup("")
    if len(limits) == 2:
        width = limits[1] - limits[0] or 1.0
        start, stop = limits[0] - 0.3 * width, limits[1] + 0.3 * width
    else:
        limit = limits[0]
        shown = value if math.isfinite(value) else limit
        width = max(abs(limit), abs(shown - limit), 1e-12)
        if limit != 0:
            width = min(width, 1.5 * abs(limit), max(abs(shown - limit) * 3, 0.08 * abs(limit)))
        room = (1.0, 0.45) if low is None else (0.45, 1.0)
        start, stop = limit - room[0] * width, limit + room[1] * width
        if high is not None and limit > 0 and start < 0:
            start = 0.0

    def place(at: float) -> float:
        return 4 + 124 * min(1.0, max(0.0, (at - start) / (stop - start)))

    left = place(low) if low is not None else 4
    right = place(high) if high is not None else 128
    if right - left < 2:
        left, right = left - 1, right + 1
    x = place(value)
    low_end, high_end = place(value - verdict.uncertainty), place(value + verdict.uncertainty)
    colors = {Outcome.PASS: "#14663a", Outcome.FAIL: "#a51d16", Outcome.INCONCLUSIVE: "#7a4b00"}
    color = colors.get(verdict.outcome, "#6a2390")
    spread = (
        f'<path d="M{low_end:.1f} 11H{high_end:.1f}" stroke="{color}" stroke-width="3" '
        'opacity=".4"/>'
        if high_end - low_end > 1
        else ""
    )
    edges = "".join(
        f'<path d="M{at:.1f} 4V18" stroke="#b3261e"/>'
        for limit, at in ((low, left), (high, right))
        if limit is not None
    )
    return Markup(
        '<svg viewBox="0 0 132 22" aria-hidden="true"><rect x="4" y="9" width="124" height="4" '
        f'rx="2" fill="#e9edf0"/><rect x="{left:.1f}" y="9" width="{right - left:.1f}" height="4" '
        f'fill="#b9dcc7"/>{edges}{spread}<circle cx="{x:.1f}" cy="11" r="4.2" fill="{color}" '
        'stroke="#fff" stroke-width="1.2"/></svg>'
    )
