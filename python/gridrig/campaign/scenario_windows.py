"""When a run ticks: windows, and the grid of ticks every time of a scenario must lie on.

Times are compared as the decimals a file wrote, exactly: no tick is a sum of floats.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gridrig.rig.issues import At, Issues, shown
from gridrig.rig.schema import Draft, NotNegative, Positive

TICKS_MAX = 10_000_000


@dataclass(frozen=True)
class Window:
    """From when on which tick length counts.

    Parameters
    ----------
    from_s : float
        Begin, since the run began; it lasts until the next window, the last until the end. [s]
    tick_s : float
        Length of a tick. [s]
    """

    from_s: NotNegative
    tick_s: Positive


@dataclass(frozen=True)
class Tick:
    """One step of the loop: what is sensed at `t_s` holds until `t_s + dt_s`. [s]"""

    t_s: float
    dt_s: float


def exact(value: float) -> Fraction:
    """Return the decimal number that a file wrote, exactly: 0.1 is one tenth."""
    return Fraction(str(value))


def ticks_of(windows: Sequence[Window], duration_s: int) -> Iterator[Tick]:
    """Yield every tick of a run; each time is an exact multiple. [s]"""
    for window, end_s in _with_ends(windows, duration_s):
        begin, step = exact(window.from_s), exact(window.tick_s)
        for k in range(int((exact(end_s) - begin) / step)):
            yield Tick(float(begin + k * step), float(step))


def count_ticks(windows: Sequence[Window], duration_s: int) -> int:
    """Return how many ticks a run has."""
    spans = _with_ends(windows, duration_s)
    return sum(int((exact(end_s) - exact(w.from_s)) / exact(w.tick_s)) for w, end_s in spans)


@dataclass(frozen=True)
class Span:
    """One window with its end, in exact numbers. [s]"""

    at: At
    begin: Fraction
    end: Fraction
    tick: Fraction


def read_grid(
    windows: Sequence[Draft[Window]], duration_s: int, issues: Issues
) -> list[Span] | None:
    """Return the tick grid; None if a window has an issue, which is noted."""
    if not windows or any({"from_s", "tick_s"} - draft.values.keys() for draft in windows):
        return None
    good = True
    built = [draft.build() for draft in windows]
    if built[0].from_s != 0:
        issues.add(windows[0].at.key("from_s"), shown(built[0].from_s), "0: a run begins with it")
        good = False
    for earlier, later, draft in zip(built, built[1:], windows[1:], strict=False):
        if later.from_s <= earlier.from_s:
            expected = f"above {shown(earlier.from_s)}, where the window before begins"
            issues.add(draft.at.key("from_s"), shown(later.from_s), expected)
            good = False
    if built[-1].from_s >= duration_s:
        at = windows[-1].at.key("from_s")
        issues.add(at, shown(built[-1].from_s), f"before the end at {duration_s} s")
        good = False
    if not good:
        return None
    spans = [
        Span(draft.at, exact(window.from_s), exact(end_s), exact(window.tick_s))
        for draft, (window, end_s) in zip(windows, _with_ends(built, duration_s), strict=True)
    ]
    for span in spans:
        if (span.end - span.begin) % span.tick:
            length = f"{float(span.end - span.begin):g} s"
            found, expected = f"{float(span.tick):g}", f"a divisor of the window's {length}"
            issues.add(span.at.key("tick_s"), found, expected)
            good = False
    count = sum((span.end - span.begin) / span.tick for span in spans)
    if count > TICKS_MAX:
        issues.add(spans[0].at, f"{int(count)} ticks in all", f"at most {TICKS_MAX}")
        good = False
    return spans if good else None


def _with_ends(windows: Sequence[Window], duration_s: float) -> list[tuple[Window, float]]:
    ends = [*(window.from_s for window in windows[1:]), duration_s]
    return list(zip(windows, ends, strict=True))


def window_at(t_s: float, grid: Sequence[Span]) -> Span:
    """Return the window a time lies in. [s]"""
    return next(span for span in reversed(grid) if span.begin <= exact(t_s))


def check_on_tick(t_s: float, at: At, found: str, grid: Sequence[Span], issues: Issues) -> None:
    """Note a time that is no tick of its window; `found` says what it is. [s]"""
    span = window_at(t_s, grid)
    if (exact(t_s) - span.begin) % span.tick:
        begin, tick = float(span.begin), float(span.tick)
        issues.add(at, found, f"a tick of the window: {begin:g} s and every {tick:g} s after it")
