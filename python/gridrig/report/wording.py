"""Numbers, times and texts as a reader sees them: exact where it matters, safe to embed."""

import html
import math
import re
from datetime import UTC, datetime
from decimal import Decimal

THIN = "\u202f"  # narrow no-break space between groups of three digits
MINUS = "\u2212"
DASH = "\u2014"
CURRENCY = "\u00a4"  # the settlement currency, whichever it is
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(text: object) -> str:
    """Return text without what HTML and XML cannot hold; such characters are shown as escapes."""
    return _UNPRINTABLE.sub(_escape, str(text))


def escaped(text: object) -> str:
    """Return text safe inside an HTML element or a quoted attribute."""
    return html.escape(printable(text))


def number(
    value: float | int | None, *, digits: int = 5, apart_from: tuple[float, ...] = ()
) -> str:
    """Return a number in groups of three, with as many digits as tell it from its limits.

    Parameters
    ----------
    value : float or int or None
        None is a dash.
    digits : int
        Significant digits of a float to begin with; an int is never rounded.
    apart_from : tuple of float
        Numbers that `value` must not seem equal to, or on the other side of, unless it is.

    >>> number(1.10000001, apart_from=(1.1,))
    '1.10000001'
    """
    if value is None:
        return DASH
    if isinstance(value, float) and not math.isfinite(value):
        return "not a number" if math.isnan(value) else f"{MINUS if value < 0 else ''}\u221e"
    if isinstance(value, int):
        return _grouped(str(value))
    for precision in range(digits, 18):
        shown = f"{value:.{precision}g}"
        rounded = float(shown)
        if all((rounded > other) - (rounded < other) == (value > other) - (value < other)
               for other in apart_from):  # fmt: skip
            break
    magnitude = abs(float(shown))
    if magnitude != 0 and not 1e-4 <= magnitude < 1e9:
        return shown.replace("-", MINUS)
    # The exponent form of `g` is expanded, for nobody reads 1e+05 W.
    return _grouped(f"{Decimal(shown):f}")


def fixed(value: float, decimals: int) -> str:
    """Return a number with a fixed count of decimals, so that a column lines up."""
    if not math.isfinite(value):
        return number(value)
    return _grouped(f"{value:.{decimals}f}")


def signed(value: float, decimals: int) -> str:
    """Return a number with its sign always shown."""
    text = fixed(value, decimals)
    return text if value < 0 or not math.isfinite(value) else f"+{text}"


def kwh(energy_milliwh: float) -> str:
    """Return energy in kilowatt-hours, to the watt-hour."""
    return fixed(energy_milliwh / 1e6, 3)


def kwh_to_the_unit(energy_milliwh: int) -> str:
    """Return energy in kilowatt-hours, to the last milliwatt-hour, without passing by a float."""
    return _of_millionths(energy_milliwh)


def money(amount_micro: int) -> str:
    """Return an amount in whole currency, to the last millionth, without passing by a float."""
    return _of_millionths(amount_micro)


def moment(utc_s: float, *, seconds: bool = True) -> str:
    """Return the time of day in UTC."""
    form = "%H:%M:%S" if seconds else "%H:%M"
    return datetime.fromtimestamp(math.floor(utc_s), UTC).strftime(form)


def date_and_time(utc_s: int) -> str:
    """Return date and time of day in UTC."""
    return datetime.fromtimestamp(utc_s, UTC).strftime("%d %B %Y, %H:%M:%S UTC").lstrip("0")


def duration(seconds: float) -> str:
    """Return a length of time in hours, minutes and seconds, leaving out what is zero."""
    total = round(seconds)
    parts = [(total // 3600, "h"), (total % 3600 // 60, "min"), (total % 60, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def count(many: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun in the right form."""
    return f"{number(many)} {noun if many == 1 else plural or noun + 's'}"


def _of_millionths(number: int) -> str:
    whole, part = divmod(abs(number), 1_000_000)
    return _grouped(f"{'-' if number < 0 else ''}{whole}.{part:06d}")


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    # A byte that was no UTF-8 is kept as a lone surrogate (PEP 383); shown is the byte.
    return f"\\x{code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code:02x}"


def _grouped(text: str) -> str:
    sign, digits = (MINUS, text[1:]) if text.startswith("-") else ("", text)
    if not digits.replace("0", "").replace(".", ""):
        sign = ""  # a rounded zero has no sign
    whole, point, part = digits.partition(".")
    groups = f"{int(whole):,}".replace(",", THIN) if len(whole) > 4 else whole
    return f"{sign}{groups}{point}{part}"
