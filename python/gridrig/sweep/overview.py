"""The page of a sweep: how it went, each criterion over all points, a link to every run."""

from importlib.metadata import version

from gridrig.campaign.outcomes import Outcome
from gridrig.report.elements import (
    SYMBOLS,
    Markup,
    limit_text,
    margin_text,
    outcome_tag,
    table,
    value_text,
)
from gridrig.report.page import head_of
from gridrig.report.wording import count, escaped, number
from gridrig.sweep.results import PointResult, Results, Spread

OVERVIEW = "overview.html"


def overview(results: Results) -> bytes:
    """Return the page; it links the reports of the runs by relative paths."""
    emulated = "EMULATED \u00b7 " if results.emulated else ""
    sections = [
        ("criteria", "Criteria over all points", _criteria(results)),
        ("points", "Points", _points(results)),
        ("notes", "Operators\u2019 notes", _notes(results)),
        ("plan", "What was varied", _plan(results)),
    ]
    shown = [section for section in sections if section[2]]
    links = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title, _ in shown)
    body = "".join(
        f'<section id="{name}" aria-labelledby="h-{name}"><h2 id="h-{name}">{title}</h2>\n'
        f"{content}</section>\n"
        for name, title, content in shown
    )
    title = f"{emulated}{results.outcome} \u00b7 sweep of {results.title}"
    page = f"""<!DOCTYPE html>
<html lang="en">
{head_of(title, version("gridrig"))}
<body>
<a class="skip" href="#criteria">Skip to the criteria</a>
{_header(results)}
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main>
{body}</main>
<footer>Made by gridrig from the files of this sweep alone. gridrig verify checks them all.</footer>
</body>
</html>
"""
    return page.encode()


def _header(results: Results) -> str:
    outcome = results.outcome
    done = [point for point in results.points if point.outcome is not None]
    passed = sum(point.outcome is Outcome.PASS for point in done)
    mark = '<div class="emulated-mark">EMULATED</div>' if results.emulated else ""
    banners = ""
    unsafe = [point for point in done if point.outcome is Outcome.UNSAFE]
    if unsafe:
        which = ", ".join(str(point.point.number) for point in unsafe)
        banners = (
            '<p class="banner unsafe" role="alert">The rig was not left in its safe state at '
            f"point {which}.</p>"
        )
    facts = [("Points", f"{number(len(done))} of {number(len(results.points))}", "have been run")]
    for kind in reversed(Outcome):
        many = sum(point.outcome is kind for point in done)
        if many:
            facts.append((str(kind), number(many), count(many, "point").split(" ", 1)[1]))
    again = sum(len(point.attempts) > 1 for point in results.points)
    if again:
        facts.append(("Redone", number(again), "the last attempt counts"))
    shown = "".join(
        f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}<small>{escaped(more)}</small></dd></div>"
        for name, value, more in facts
    )
    return f"""<header><div class="inner">
<div class="brand"><b>gridrig</b><span>sweep</span></div>
<div class="headline"><div>{mark}<h1>{escaped(results.title)}</h1>
<p class="lede">{count(len(results.points), "point")}: {escaped(_axes(results))}</p></div>
<div class="verdict {outcome}"><strong>{SYMBOLS[outcome]} {outcome}</strong>
<span>{number(passed)} of {count(len(results.points), "point")} passed,
exit code {outcome.exit_code}</span></div></div>
{banners}<dl class="facts">{shown}</dl></div></header>"""


def _axes(results: Results) -> str:
    axes = [f"{len(p.values)} values of {p.key}" for p in results.plan.parameters]
    return ", ".join([*axes, count(len(results.plan.seeds), "seed")])


def _criteria(results: Results) -> Markup:
    spreads = results.spreads()
    if not spreads:
        return Markup("")
    rows = []
    for spread in spreads:
        criterion = spread.verdicts[0][1].criterion
        values = spread.values
        middle = values[len(values) // 2] if values else None
        where = spread.narrowest
        rows.append(
            (
                spread.name,
                _limits(spread),
                number(values[0] if values else None),
                number(middle),
                number(values[-1] if values else None),
                criterion.unit,
                _strip(spread),
                _link(results.points[where[0] - 1], margin_text(where[1])) if where else "",
                Markup(
                    " ".join(
                        f"{outcome_tag(o)} {number(spread.count(o))}"
                        for o in reversed(Outcome)
                        if spread.count(o)
                    )
                ),
            )
        )
    heads = ("criterion", "limit", "least", "middle", "most", "unit", "every point",
             "narrowest margin", "outcomes")  # fmt: skip
    bad = [i for i, s in enumerate(spreads) if s.count(Outcome.PASS) < len(s.verdicts)]
    caption = "Each mark is a point; the shaded part is what is accepted."
    return table(heads, rows, caption=caption, numeric=(1, 2, 3, 4, 7), style="verdicts", bad=bad)


def _limits(spread: Spread) -> str:
    """Return the limit, or that it is not the same at every point."""
    texts = {limit_text(verdict.criterion) for _, verdict in spread.verdicts}
    return texts.pop() if len(texts) == 1 else "varies"


def _strip(spread: Spread) -> Markup:
    """Draw every value on one line, with the accepted part of the first point's limits shaded."""
    criterion = spread.verdicts[0][1].criterion
    finite = [value for value in spread.values if abs(value) != float("inf")]
    limits = [float(x) for x in (criterion.min, criterion.max) if x is not None]
    if not finite or _limits(spread) == "varies":
        return Markup("")
    low, high = min([*finite, *limits]), max([*finite, *limits])
    room = 0.08 * (high - low or abs(high) or 1.0)

    def place(value: float) -> float:
        return 4 + 124 * (value - low + room) / (high - low + 2 * room)

    left = 4 if criterion.min is None else place(float(criterion.min))
    right = 128 if criterion.max is None else place(float(criterion.max))
    # Points that lie on each other are one mark: a page of ten thousand stays small.
    marks = "".join(f'<path d="M{x} 5V17" stroke="#1f6fa8" stroke-opacity=".55"/>'
                    for x in sorted({round(place(value), 1) for value in finite}))  # fmt: skip
    return Markup(
        f'<svg viewBox="0 0 132 22" aria-hidden="true"><rect x="{left:.1f}" y="3" '
        f'width="{max(1.0, right - left):.1f}" height="16" fill="#d6ecdf"/>{marks}</svg>'
    )


def _points(results: Results) -> Markup:
    keys = [parameter.key for parameter in results.plan.parameters]
    rows, bad = [], []
    for rank, point in enumerate(results.points):
        if point.outcome is not Outcome.PASS:
            bad.append(rank)
        nearest = point.nearest
        rows.append(
            (
                _link(point, str(point.point.number)),
                *(str(point.point.values[key]) for key in keys),
                str(point.point.seed),
                outcome_tag(point.outcome) if point.outcome else "not run",
                _said(point),
                nearest.criterion.name if nearest else "",
                value_text(nearest) if nearest else "",
                margin_text(nearest) if nearest else "",
                nearest.criterion.unit if nearest else "",
            )
        )
    heads = ("point", *keys, "seed", "outcome", "", "tightest criterion", "value", "margin", "unit")
    numeric = (len(keys) + 1, len(keys) + 5, len(keys) + 6)
    return table(heads, rows, numeric=numeric, bad=bad)


def _said(point: PointResult) -> str:
    parts = [point.cause] if point.cause else []
    if len(point.attempts) > 1:
        before = ", ".join(str(outcome) for outcome in point.attempts[:-1])
        parts.append(f"redone; before: {before}")
    if point.cut_short:
        parts.append(f"cut short {count(point.cut_short, 'time')}")
    if point.notes:
        parts.append(count(len(point.notes), "note"))
    return "; ".join(parts)


def _link(point: PointResult, text: str) -> Markup:
    if point.run is None:
        return Markup(escaped(text))
    where = (point.run / "report.html").as_posix()
    return Markup(f'<a href="{escaped(where)}">{escaped(text)}</a>')


def _notes(results: Results) -> Markup:
    notes = [note for point in results.points for note in point.notes]
    if not notes:
        return Markup("")
    rows = [(str(note.point), note.utc, note.by, note.text) for note in notes]
    return table(("point", "when", "who", "note"), rows)


def _plan(results: Results) -> Markup:
    plan = results.plan
    rows = [(p.key, ", ".join(map(str, p.values))) for p in plan.parameters]
    rows.append(("seeds", ", ".join(map(str, plan.seeds))))
    rows += [("rig", plan.recipe.rig.path), ("scenario", plan.recipe.scenario.path)]
    rows += [(key, str(value)) for key, value in plan.recipe.slice.items()]
    if plan.recipe.engine:
        rows.append(("engine", plan.recipe.engine))
    return table(("what", "which"), rows)
