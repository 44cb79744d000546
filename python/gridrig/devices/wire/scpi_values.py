"""Program and response data of IEEE 488.2: numbers with units, words, strings, lists and blocks.

Text to values and back, no I/O. A content that cannot be is a `ScpiFault` with the number that the
standard gives it; nothing else is raised.

Rules
    Numbers are NRf (`230`, `2.3E2`); a suffix multiplies: `KV`, `MV` (milli, but `MHZ` and `MOHM`
    are mega). `MINimum`, `MAXimum` and `DEFault` stand for a number where the command says so.
    Responses are NR1 (`12`), NR3 with nine digits (`2.30000000E+02`), or a definite-length block
    `#<digits><length><bytes>`.
Limits
    A block has at most `BLOCK_BYTES_MAX` bytes, a list `LIST_MAX` numbers.

References
----------
.. [1] IEEE, "IEEE Std 488.2-1992," clauses 7 and 8.
.. [2] SCPI Consortium, "Standard Commands for Programmable Instruments," version 1999.0, volume 1.
"""

import math
import re
from collections.abc import Mapping, Sequence

BLOCK_BYTES_MAX = 16 * 1024 * 1024
LIST_MAX = 1000
CHANNELS_MAX = 64

_NRF = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:\s*[Ee]\s*[+-]?\d{1,5})?)\s*([A-Za-z/%]*)")
_MULTIPLIERS: Mapping[str, float] = {
    "EX": 1e18,
    "PE": 1e15,
    "T": 1e12,
    "G": 1e9,
    "MA": 1e6,
    "K": 1e3,
    "": 1.0,
    "M": 1e-3,
    "U": 1e-6,
    "N": 1e-9,
    "P": 1e-12,
}
_MEGA_UNITS = ("HZ", "OHM")


class ScpiFault(Exception):
    """What an instrument answers in `SYSTem:ERRor?`.

    Parameters
    ----------
    number : int
        Of the standard's list, such as -222.
    detail : str
        What was found, device-dependent information after the standard text.
    """

    def __init__(self, number: int, detail: str = "") -> None:
        super().__init__(number, detail)
        self.number = number
        self.detail = detail


def parse_number(text: str, unit: str = "") -> float:
    """Return a number, its suffix applied.

    Parameters
    ----------
    text : str
        Program data, such as `0.23 KV`.
    unit : str
        The unit that a suffix may name: "V", "HZ", "S", ...; empty allows no suffix.

    Raises
    ------
    ScpiFault
        -104 if it is no number, -123 if its exponent is too large, -131 for a suffix that does not
        fit, -138 where none is allowed.

    Examples
    --------
    >>> parse_number("0.23KV", "V"), parse_number("50", "HZ"), parse_number("1 MS", "S")
    (230.0, 50.0, 0.001)
    """
    found = _NRF.fullmatch(text.strip())
    if found is None:
        raise ScpiFault(-104, text)
    digits, suffix = re.sub(r"\s", "", found[1]), found[2].upper()
    value = float(digits)
    if not math.isfinite(value):
        raise ScpiFault(-123, text)
    return value * _factor(suffix, unit, text)


def _factor(suffix: str, unit: str, text: str) -> float:
    if not suffix:
        return 1.0
    if not unit:
        raise ScpiFault(-138, text)
    if not suffix.endswith(unit):
        raise ScpiFault(-131, text)
    prefix = suffix[: len(suffix) - len(unit)]
    if prefix == "M" and unit in _MEGA_UNITS:
        return 1e6
    if prefix not in _MULTIPLIERS:
        raise ScpiFault(-131, text)
    return _MULTIPLIERS[prefix]


def parse_bounded(
    text: str, low: float, high: float, unit: str = "", default: float | None = None
) -> float:
    """Return a number within bounds; `MIN`, `MAX` and, where there is one, `DEF` name one.

    Raises
    ------
    ScpiFault
        -222 outside the bounds, else as `parse_number`.

    Examples
    --------
    >>> parse_bounded("MAX", 0, 300, "V")
    300
    """
    word = text.strip().upper()
    if word in ("MIN", "MINIMUM"):
        return low
    if word in ("MAX", "MAXIMUM"):
        return high
    if word in ("DEF", "DEFAULT") and default is not None:
        return default
    value = parse_number(text, unit)
    if not low <= value <= high:
        raise ScpiFault(-222, f"{text.strip()} is not {low:g} to {high:g}")
    return value


def parse_whole(text: str, low: int, high: int) -> int:
    """Return a whole number within bounds; the standard rounds what is not whole."""
    return round(parse_bounded(text, low, high))


def parse_bool(text: str) -> bool:
    """Return a boolean: `ON`, `OFF`, or a number whose rounding is not zero.

    Raises
    ------
    ScpiFault
        -104, as `parse_number`.
    """
    word = text.strip().upper()
    if word in ("ON", "OFF"):
        return word == "ON"
    return round(parse_number(text)) != 0


def parse_word(text: str, words: Sequence[str]) -> str:
    """Return which of the mnemonics was meant, as it stands in `words` (`BUS`, `IMMediate`).

    Raises
    ------
    ScpiFault
        -141 if it is none of them.

    Examples
    --------
    >>> parse_word("imm", ("BUS", "IMMediate"))
    'IMMediate'
    """
    found = text.strip().upper()
    for word in words:
        if found in (word.upper(), short_form(word)):
            return word
    raise ScpiFault(-141, text.strip())


def short_form(word: str) -> str:
    """Return the capitals of a mnemonic: its short form."""
    return "".join(c for c in word if not c.islower())


def parse_numbers(texts: Sequence[str], low: float, high: float, unit: str = "") -> list[float]:
    """Return the numbers of a list parameter, each within bounds.

    Raises
    ------
    ScpiFault
        -109 for none, -223 for more than `LIST_MAX`, else as `parse_bounded`.
    """
    if not texts:
        raise ScpiFault(-109)
    if len(texts) > LIST_MAX:
        raise ScpiFault(-223, f"{len(texts)} points, at most {LIST_MAX}")
    return [parse_bounded(text, low, high, unit) for text in texts]


def parse_channels(text: str, highest: int) -> tuple[int, ...]:
    """Return a channel list: `(@1,2)` or `(@1:3)`.

    Raises
    ------
    ScpiFault
        -171 if it is no list, -222 for a channel that is not there.

    Examples
    --------
    >>> parse_channels("(@1:3,5)", 6)
    (1, 2, 3, 5)
    """
    found = re.fullmatch(r"\(\s*@\s*([\d\s,:]+)\)", text.strip())
    if found is None:
        raise ScpiFault(-171, text.strip())
    channels: list[int] = []
    for part in found[1].split(","):
        ends = re.fullmatch(r"\s*(\d{1,4})\s*(?::\s*(\d{1,4})\s*)?", part)
        if ends is None:
            raise ScpiFault(-171, text.strip())
        first, last = int(ends[1]), int(ends[2] or ends[1])
        if not 1 <= first <= last <= highest:
            raise ScpiFault(-222, f"channel {part.strip()}, there are 1 to {highest}")
        channels += range(first, last + 1)
        if len(channels) > CHANNELS_MAX:
            raise ScpiFault(-223, f"more than {CHANNELS_MAX} channels")
    return tuple(channels)


def print_number(value: float) -> str:
    """Return a number as NR3; 9.91E+37 is the standard's not-a-number.

    >>> print_number(230.0), print_number(float("nan"))
    ('2.30000000E+02', '9.91E+37')
    """
    if math.isnan(value):
        return "9.91E+37"
    if math.isinf(value):
        return "9.9E+37" if value > 0 else "-9.9E+37"
    return f"{value:.8E}"


def print_block(data: bytes) -> bytes:
    """Return a definite-length block.

    >>> print_block(b"abc")
    b'#13abc'
    """
    length = str(len(data))
    return f"#{len(length)}{length}".encode() + data


def parse_block(data: bytes) -> bytes:
    """Return the content of a definite-length block that fills `data`.

    Raises
    ------
    ScpiFault
        -161.
    """
    size = block_size(data, 0)
    if size is None or size != len(data):
        raise ScpiFault(-161)
    return data[2 + data[1] - 0x30 :]


def block_size(data: bytes, at: int) -> int | None:
    """Return the whole size of the block that begins at `at`; None while its head is not all there.

    Raises
    ------
    ScpiFault
        -161 for a head that is none, -223 for a block too long.
    """
    if len(data) - at < 2:
        return None
    digits = data[at + 1] - 0x30
    if data[at] != 0x23 or not 1 <= digits <= 9:
        raise ScpiFault(-161, "block head")
    head = data[at + 2 : at + 2 + digits]
    if not re.fullmatch(rb"\d*", head):
        raise ScpiFault(-161, "block length")
    if len(head) < digits:
        return None
    if int(head) > BLOCK_BYTES_MAX:
        raise ScpiFault(-223, f"block of {int(head)} bytes, at most {BLOCK_BYTES_MAX}")
    return 2 + digits + int(head)
