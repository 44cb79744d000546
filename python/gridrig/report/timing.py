"""How a run on the wall clock kept its times: missed deadlines, jitter, and its histogram."""

from typing import Any

from gridrig.report.elements import Markup, table
from gridrig.report.source import RunSource
from gridrig.report.wording import count, duration, number

BAR_PX = 240


def timing(source: RunSource) -> Markup:
    """Return the section; nothing for a run on the virtual clock, where time waits."""
    kept = source.timing
    if kept is None:
        return Markup("")
    allowed = kept["budget"]
    rows = [
        ("deadlines missed", number(kept["missed_deadlines"]),
         number(allowed["missed_deadlines_max"]), "1"),
        ("jitter, 99 %", number(kept["jitter_s"]["p99"], digits=3),
         number(allowed["jitter_p99_s_max"]), "s"),
        ("jitter, at worst", number(kept["jitter_s"]["max"], digits=3),
         number(allowed["jitter_s_max"]), "s"),
        ("work of a tick, at worst", number(kept["work_s"]["max"], digits=3), "", "s"),
    ]  # fmt: skip
    caption = (
        f"{count(kept['ticks'], 'tick')}. Jitter is how late a tick began after its absolute "
        "deadline; a deadline is missed if the work of a tick was not done when the next was due."
    )
    heads = ("", "found", "allowed", "unit")
    kept_table = table(heads, rows, caption=caption, numeric=(1, 2))
    return Markup(kept_table + _histogram(kept) + _missed(kept))


def _histogram(kept: dict[str, Any]) -> Markup:
    edges, ticks = kept["jitter_histogram"]["up_to_s"], kept["jitter_histogram"]["ticks"]
    most = max([*ticks, 1])
    rows = [
        (
            f"\u2264 {number(edges[i] * 1000)}" if i < len(edges) else "more",
            number(many),
            Markup(
                f'<svg viewBox="0 0 {BAR_PX} 12" width="{BAR_PX}" height="12" aria-hidden="true">'
                f'<rect width="{BAR_PX * many / most:.1f}" height="12" fill="#1f6fa8"/></svg>'
            ),
        )
        for i, many in enumerate(ticks)
    ]
    last = max((i for i, many in enumerate(ticks) if many), default=0)
    heads = ("jitter [ms]", "ticks", "")
    return table(heads, rows[: last + 1], caption="Histogram of the jitter.", numeric=(1,))


def _missed(kept: dict[str, Any]) -> Markup:
    if not kept["missed"]:
        return Markup("")
    rows = [(duration(one["t_s"]), number(one["late_s"], digits=3)) for one in kept["missed"]]
    caption = f"The first {len(rows)} of {number(kept['missed_deadlines'])} missed deadlines."
    return table(("tick", "late [s]"), rows, caption=caption, numeric=(1,))
