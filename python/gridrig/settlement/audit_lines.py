"""The books of one post again, in plain integers: amounts, parties, energy, balance, backing."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from gridrig.settlement.journal_reader import EntryRow, JournalReader, MeteredRow

_MILLIWH_PER_KWH = 1_000_000

# Who settles each kind with the participant, and whether that account pays a positive amount.
_HOUSE = {
    "delivered": ("clearing", True),
    "shortfall": ("clearing", False),
    "surplus": ("clearing", True),
    "taken": ("clearing", False),
    "untaken": ("clearing", False),
    "excess": ("clearing", False),
    "grid_fee": ("grid-fees", False),
    "operator_fee": ("operator", False),
    "losses": ("clearing", False),
    "link_fee": ("clearing", True),
    "rent": ("clearing", True),
    "residual": ("clearing", True),
    "deposit": ("cash", True),
}
_BETWEEN_OWN = {"receivable", "recovered"}
_DIFFERENCES = {"rent", "residual", "deposit", *_BETWEEN_OWN}  # not energy x price
_OF_TRADES = {"delivered", "shortfall", "taken", "untaken"}
_OF_THE_PERIOD = {"surplus": 7, "excess": 8, "losses": 8}  # column of the price in `settlement`
_COUNTED = (("export", "delivered", "surplus"), ("import", "taken", "excess"))

LineKey: TypeAlias = tuple[str, str, int | None, str | None]


class Line(NamedTuple):
    """What a line comes to over all its entries: signed amount, energy, price in force."""

    micro: int
    energy_milliwh: int
    price_micro_per_kwh: int


def priced_micro(energy_milliwh: int, price_micro_per_kwh: int) -> int:
    """Price an energy: energy x price / 10^6, rounded once, half up by magnitude.

    Parameters
    ----------
    energy_milliwh : int
        Energy, of either sign. [mWh]
    price_micro_per_kwh : int
        Price, of either sign. [millionths/kWh]

    Returns
    -------
    int
        Amount. [millionths]

    Examples
    --------
    >>> priced_micro(1, 500_000), priced_micro(-1, 500_000), priced_micro(1, 499_999)
    (1, -1, 0)
    """
    exact = energy_milliwh * price_micro_per_kwh
    magnitude = (2 * abs(exact) + _MILLIWH_PER_KWH) // (2 * _MILLIWH_PER_KWH)
    return magnitude if exact >= 0 else -magnitude


def counted(
    opening: int, closing: int, opening_ms: int, closing_ms: int, from_ms: int, to_ms: int
) -> int:
    """Return what a register counted in a part of the time between two readings.

    Parameters
    ----------
    opening, closing : int
        The register at both readings. [mWh]
    opening_ms, closing_ms : int
        Their times. [UTC ms]
    from_ms, to_ms : int
        The part. [UTC ms]

    Returns
    -------
    int
        Energy, laid out evenly: rounded down up to each end of the part. [mWh]

    Examples
    --------
    >>> [counted(0, 10, 0, 3, at, at + 1) for at in range(3)]
    [3, 3, 4]
    """
    first, last = (
        (closing - opening) * (at_ms - opening_ms) // (closing_ms - opening_ms)
        for at_ms in (from_ms, to_ms)
    )
    return last - first


def settlement_faults(journal: JournalReader, booked_in: int) -> Iterator[str]:
    """Yield what does not hold in the settlements that one post booked."""
    for settlement in journal.settlements(booked_in):
        period, revision = settlement[:2]
        where = f"period {period}" if revision == 0 else f"period {period}, revision {revision}"
        entries = list(journal.entries_of(period, revision))
        yield from (f"{where}, line {one.line}: {text}" for one, text in _entry_faults(entries))
        if revision == 0:
            yield from (f"{where}: {text}" for text in _price_faults(settlement, entries))
        lines, metered = _in_force(journal, period, revision)
        yield from (f"{where}: {text}" for text in _line_faults(lines))
        yield from (f"{where}: {text}" for text in _meter_faults(lines, metered))
        if revision == 0:
            yield from (f"{where}: {text}" for text in _sum_faults(settlement, lines, metered))
        for row in journal.metered_of(period, revision):
            yield from (f"{where}: {text}" for text in _backing_faults(journal, row))


def _entry_faults(entries: list[EntryRow]) -> Iterator[tuple[EntryRow, str]]:
    for place, one in enumerate(entries, 1):
        if one.line != place:
            yield one, f"line {place} is missing"
        if one.kind in _BETWEEN_OWN:
            continue
        house, _ = _HOUSE[one.kind]
        if (one.debit == house) == (one.credit == house):
            yield one, f"{one.debit} pays {one.credit}, of which {house} has to be one"
        if (one.trade_id is not None) != (one.kind in _OF_TRADES):
            yield one, f"{one.kind} of trade {one.trade_id}"


def _price_faults(settlement: tuple[int, ...], entries: list[EntryRow]) -> Iterator[str]:
    for one in entries:
        column = _OF_THE_PERIOD.get(one.kind)
        if column is not None and one.price_micro_per_kwh != settlement[column]:
            yield (
                f"line {one.line}: price {one.price_micro_per_kwh} of {one.kind} is not "
                f"{settlement[column]}"
            )


def _in_force(
    journal: JournalReader, period: int, revision: int
) -> tuple[dict[LineKey, Line], dict[str, MeteredRow]]:
    """Sum up lines, and find what each meter counts, with a revision and those before it."""
    lines: dict[LineKey, Line] = {}
    metered: dict[str, MeteredRow] = {}
    for one in range(revision + 1):
        for entry in journal.entries_of(period, one):
            house, pays = _HOUSE.get(entry.kind, ("", True))
            house_pays = entry.debit == house
            account = entry.credit if house_pays else entry.debit
            micro = entry.amount_micro if house_pays == pays else -entry.amount_micro
            key = (account, entry.kind, entry.trade_id, entry.meter)
            held = lines.get(key, Line(0, 0, 0))
            lines[key] = Line(
                held.micro + micro,
                held.energy_milliwh + entry.energy_milliwh,
                entry.price_micro_per_kwh,
            )
        metered.update({row.meter: row for row in journal.metered_of(period, one)})
    return lines, metered


def _line_faults(lines: dict[LineKey, Line]) -> Iterator[str]:
    left: dict[str, int] = defaultdict(int)
    for (account, kind, trade, _), line in lines.items():
        due = priced_micro(line.energy_milliwh, line.price_micro_per_kwh)
        if kind not in _DIFFERENCES and line.micro != due:
            of_trade = "" if trade is None else f" of trade {trade}"
            yield f"amount {line.micro} of {account}, {kind}{of_trade} is not {due}"
        if kind in _HOUSE:
            house, pays = _HOUSE[kind]
            left[house] += -line.micro if pays else line.micro
    if left["clearing"]:
        yield f"clearing is left with {left['clearing']} and not with nothing"


def _meter_faults(lines: dict[LineKey, Line], metered: dict[str, MeteredRow]) -> Iterator[str]:
    booked: dict[tuple[str | None, str], int] = defaultdict(int)
    for (account, kind, _, meter), line in lines.items():
        booked[meter, kind] += line.energy_milliwh
        owner = metered[meter].participant if meter in metered else None
        if meter is not None and owner is None:
            yield f"{kind} of meter {meter}, which is not metered"
        elif meter is not None and account not in (owner, "losses"):
            yield f"{kind} of meter {meter} is settled with {account}, not {owner}"
    for meter, row in metered.items():
        for name, met, beyond in _COUNTED:
            counts = getattr(row, f"{name}_milliwh")
            found = booked[meter, met] + booked[meter, beyond]
            if counts != found:
                yield f"{name} of meter {meter} {counts} mWh metered, {found} mWh booked"


def _sum_faults(
    settlement: tuple[int, ...], lines: dict[LineKey, Line], metered: dict[str, MeteredRow]
) -> Iterator[str]:
    kinds: dict[str, int] = defaultdict(int)
    for (_, kind, _, _), line in lines.items():
        kinds[kind] += line.energy_milliwh
    exported = sum(row.export_milliwh for row in metered.values())
    imported = sum(row.import_milliwh for row in metered.values())
    by_meters = (exported, imported, exported - imported)
    for name, stated, found in zip(
        ("export", "import", "losses"), settlement[4:7], by_meters, strict=True
    ):
        if stated != found:
            yield f"{name} {stated} mWh stated, {found} mWh metered"
    if kinds["losses"] != exported - imported:
        yield f"losses {exported - imported} mWh metered, {kinds['losses']} mWh booked"
    bought = kinds["taken"] + kinds["untaken"]
    sold = kinds["delivered"] + kinds["shortfall"]
    if bought != sold:
        yield f"trades bought {bought} mWh and sold {sold} mWh"


def _backing_faults(journal: JournalReader, row: MeteredRow) -> Iterator[str]:
    """Ask the readings that were posted: are they there, and do they count what is metered."""
    digests = [row.readings[at : at + 32] for at in range(0, len(row.readings), 32)]
    readings = [journal.reading(digest) for digest in digests]
    if row.quality != "estimated" and not digests:
        yield f"meter {row.meter}: {row.quality} without a reading"
    for digest, reading in zip(digests, readings, strict=True):
        if reading is None:
            yield f"meter {row.meter}: no verified reading {digest.hex()}"
    if row.quality == "estimated" or len(readings) != 2 or None in readings:
        return
    opening, closing = readings
    if opening is None or closing is None or opening.start_ms is not None:
        return
    if not opening.time_ms <= row.from_ms < row.to_ms <= closing.time_ms:
        yield f"meter {row.meter}: no reading at its opening or its closing"
        return
    for name in ("import", "export"):
        first, last = (getattr(one, f"{name}_milliwh") for one in (opening, closing))
        if first is None or last is None:
            continue
        found = counted(first, last, opening.time_ms, closing.time_ms, row.from_ms, row.to_ms)
        stated = getattr(row, f"{name}_milliwh")
        if found != stated:
            yield f"{name} of meter {row.meter} {stated} mWh metered, {found} mWh by its readings"
