"""Each participant's page against the books and the meters, by sums that the page does not use."""

import re
from decimal import Decimal
from zoneinfo import ZoneInfo

from gridrig.campaign.loop import Loop
from gridrig.report.statement_page import Told, statement_page
from gridrig.report.wording import MINUS, THIN
from gridrig.settlement.statement import statement_of

_SUMS = re.compile(r'<tr[^>]*><th scope="row"[^>]*>all</th>(.*?)</tr>', re.DOTALL)
_CELL = re.compile(r"<td[^>]*>([^<]*)</td>")


def pages_unlike_books(loop: Loop) -> int:
    """Return how many participants' pages show other sums than registers and entries.

    Energy is the last register less the first, by the meters' own signed readings, where a period
    was not estimated; the balance is the sum of every entry that names the participant.
    """
    registers: dict[str, tuple[int, int]] = {}
    for settled in loop.account.settled:
        for meter in settled.meters:
            took, gave = registers.get(meter.participant, (0, 0))
            first, last = meter.opening, meter.closing
            if first is None or last is None:  # estimated: no register tells
                took, gave = took + meter.import_milliwh, gave + meter.export_milliwh
            else:
                took += (last.import_milliwh or 0) - (first.import_milliwh or 0)
                gave += (last.export_milliwh or 0) - (first.export_milliwh or 0)
            registers[meter.participant] = took, gave
    balances = dict.fromkeys(registers, 0)
    for entry in loop.account.entries():
        for name, sign in ((entry.credit, 1), (entry.debit, -1)):
            if name in balances:
                balances[name] += sign * entry.amount_micro
    unlike = 0
    for name, (took, gave) in registers.items():
        told = Told(statement_of(loop.account.journal, name), ZoneInfo("UTC"))
        shown = _sums(statement_page(told).decode())
        unlike += (shown[0], shown[1], shown[-1]) != (took, gave, balances[name])
    return unlike


def _sums(page: str) -> list[int]:
    """Return the last row of the page's table of days, in millionths of what it is headed with."""
    (row,) = _SUMS.findall(page)
    cells = (cell.replace(THIN, "").replace(MINUS, "-") for cell in _CELL.findall(row))
    return [int(Decimal(cell) * 1_000_000) for cell in cells]
