"""What a stranger recomputes from a journal alone: amounts, energy and backing of every period."""

import sqlite3
from pathlib import Path

from gridrig.errors import SettlementError

_MILLIWH_PER_KWH = 1_000_000

# The price of the period that each kind is booked at; none where a trade has its own.
_PRICED_AT = {
    "delivered": None,
    "shortfall": None,
    "surplus": "long",
    "taken": None,
    "untaken": None,
    "excess": "short",
    "losses": "short",
}

# Not energy x price, but what all other lines of the period leave.
_DIFFERENCES = ("residual",)


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


def _counted(register: str) -> str:
    """Return the SQL of what a register counted in the time of a row of `metered`."""
    return (
        f"counted(o.{register}_milliwh, c.{register}_milliwh, o.time_ms, c.time_ms, "
        "m.opening_ms, m.closing_ms)"
    )


def audit(path: Path | str) -> list[str]:
    """Recompute a closed journal and list what does not hold.

    Checked without the core: the amount of every entry, who pays by the sign of energy x price,
    and that the other side is the participant of the meter named; that an entry outside trades is
    at the period's price; that delivered and surplus are the export and taken and excess the
    import of each meter, by the readings named, that the losses are their difference and that as
    much was bought as sold; and that every entry names readings of its meter in its period.

    Not checked, because no journal holds it: the price at which a trade was made, and the
    signatures of the readings.

    Parameters
    ----------
    path : Path or str
        The journal; it is opened for reading only.

    Returns
    -------
    list of str
        One line per fault; none if all holds.

    Raises
    ------
    SettlementError
        `settlement.journal_unusable` if it cannot be read as a journal.
    """
    try:
        db = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
        try:
            db.create_function("counted", 6, counted, deterministic=True)
            return [*_amounts(db), *_parties(db), *_periods(db), *_meters(db), *_backing(db)]
        finally:
            db.close()
    except sqlite3.Error as fault:
        raise SettlementError(
            "settlement.journal_unusable", "{path}: {fault}", path=str(path), fault=str(fault)
        ) from fault


def _amounts(db: sqlite3.Connection) -> list[str]:
    faults = []
    for period, entry, kind, debit, credit, amount, energy, price in db.execute(
        "SELECT period, entry_id, kind, debit, credit, amount_micro, energy_milliwh, "
        "price_micro_per_kwh FROM entry ORDER BY period, entry_id"
    ):
        priced = priced_micro(energy, price)
        clearing_pays = (kind in {"delivered", "surplus"}) != (priced < 0)
        if kind in _DIFFERENCES:
            continue
        if abs(priced) != amount:
            faults.append(f"{period}/{entry}: amount {amount} is not {abs(priced)}")
        if (debit == "clearing") != clearing_pays or (credit == "clearing") == clearing_pays:
            faults.append(f"{period}/{entry}: {debit} pays {credit}, which {kind} does not")
    return faults


def _parties(db: sqlite3.Connection) -> list[str]:
    faults = []
    for period, entry, kind, debit, credit, price, trade, owner, long, short in db.execute(
        "SELECT e.period, e.entry_id, e.kind, e.debit, e.credit, e.price_micro_per_kwh, "
        "e.trade_id, m.participant, p.long_price_micro_per_kwh, p.short_price_micro_per_kwh "
        "FROM entry e LEFT JOIN metered m ON m.period = e.period AND m.meter = e.meter "
        "LEFT JOIN period p ON p.period = e.period ORDER BY e.period, e.entry_id"
    ):
        where = f"{period}/{entry}"
        if kind in _DIFFERENCES:
            continue
        if kind not in _PRICED_AT:
            faults.append(f"{where}: {kind} is no kind of entry")
            continue
        other = credit if debit == "clearing" else debit
        expected = "losses" if kind == "losses" else owner
        if other != expected:
            faults.append(f"{where}: {kind} is settled with {other}, not {expected}")
        priced_at = _PRICED_AT[kind]
        if (priced_at is None) != (trade is not None):
            faults.append(f"{where}: {kind} of trade {trade}")
        due = {"long": long, "short": short, None: price}[priced_at]
        if price != due:
            faults.append(f"{where}: price {price} of {kind} is not {due}")
    return faults


def _periods(db: sqlite3.Connection) -> list[str]:
    faults = []
    for period, *stated in db.execute(
        "SELECT period, exported_milliwh, imported_milliwh, losses_milliwh FROM period "
        "ORDER BY period"
    ):
        exported, imported = db.execute(
            f"SELECT coalesce(sum({_counted('export')}), 0), "
            f"coalesce(sum({_counted('import')}), 0) FROM metered m "
            "JOIN reading o ON o.digest = m.opening_digest "
            "JOIN reading c ON c.digest = m.closing_digest WHERE m.period = ?",
            (period,),
        ).fetchone()
        kinds = dict.fromkeys(_PRICED_AT, 0) | dict(
            db.execute(
                "SELECT kind, sum(energy_milliwh) FROM entry WHERE period = ? GROUP BY kind",
                (period,),
            )
        )
        booked = [
            kinds["delivered"] + kinds["surplus"],
            kinds["taken"] + kinds["excess"],
            kinds["losses"],
        ]
        metered = [exported, imported, exported - imported]
        for name, by_period, by_meters, by_entries in zip(
            ("export", "import", "losses"), stated, metered, booked, strict=True
        ):
            if not by_period == by_meters == by_entries:
                faults.append(
                    f"period {period}: {name} {by_period} mWh stated, {by_meters} mWh metered, "
                    f"{by_entries} mWh booked"
                )
        bought = kinds["taken"] + kinds["untaken"]
        sold = kinds["delivered"] + kinds["shortfall"]
        if bought != sold:
            faults.append(f"period {period}: trades bought {bought} mWh and sold {sold} mWh")
    return faults


def _meters(db: sqlite3.Connection) -> list[str]:
    faults = []
    for name, met, beyond in (("export", "delivered", "surplus"), ("import", "taken", "excess")):
        for period, meter, metered, booked in db.execute(
            f"SELECT m.period, m.meter, {_counted(name)} AS metered, "
            "(SELECT coalesce(sum(e.energy_milliwh), 0) FROM entry e WHERE e.period = m.period "
            "AND e.meter = m.meter AND e.kind IN (?, ?)) AS booked FROM metered m "
            "JOIN reading o ON o.digest = m.opening_digest "
            "JOIN reading c ON c.digest = m.closing_digest "
            "WHERE metered <> booked ORDER BY 1, 2",
            (met, beyond),
        ):
            faults.append(
                f"period {period}: {name} of meter {meter} {metered} mWh metered, "
                f"{booked} mWh booked"
            )
    return faults


def _backing(db: sqlite3.Connection) -> list[str]:
    unbacked = db.execute(
        "SELECT e.period, e.entry_id FROM entry e LEFT JOIN metered m ON m.period = e.period "
        "AND m.meter = e.meter AND m.opening_digest = e.opening_digest "
        "AND m.closing_digest = e.closing_digest WHERE m.meter IS NULL AND e.kind <> 'residual' "
        "ORDER BY 1, 2"
    )
    faults = [f"{period}/{entry}: no verified reading behind it" for period, entry in unbacked]
    for end, order in (("opening", "<="), ("closing", ">=")):
        foreign = db.execute(
            f"SELECT m.period, m.meter FROM metered m LEFT JOIN reading r "
            f"ON r.digest = m.{end}_digest AND r.meter = m.meter AND r.time_ms {order} m.{end}_ms "
            "WHERE r.digest IS NULL ORDER BY 1, 2"
        )
        faults += [
            f"period {period}: no reading of meter {meter} at its {end}"
            for period, meter in foreign
        ]
    return faults
