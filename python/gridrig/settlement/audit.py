"""What a stranger recomputes from a journal alone: amounts, energy and backing of every period."""

import sqlite3
from pathlib import Path

_MILLIWH_PER_KWH = 1_000_000


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


def audit(path: Path | str) -> list[str]:
    """Recompute a closed journal and list what does not hold.

    Checked without the core: the amount of every entry, who pays by the sign of energy x price,
    that delivered and surplus are the export and taken and excess the import of the readings
    named, that the losses are their difference, and that every entry names readings of its meter
    in its period.

    Parameters
    ----------
    path : Path or str
        The journal; it is opened for reading only.

    Returns
    -------
    list of str
        One line per fault; none if all holds.
    """
    db = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
    try:
        return [*_amounts(db), *_energies(db), *_backing(db)]
    finally:
        db.close()


def _amounts(db: sqlite3.Connection) -> list[str]:
    faults = []
    for period, entry, kind, debit, credit, amount, energy, price in db.execute(
        "SELECT period, entry_id, kind, debit, credit, amount_micro, energy_milliwh, "
        "price_micro_per_kwh FROM entry ORDER BY period, entry_id"
    ):
        priced = priced_micro(energy, price)
        clearing_pays = (kind in {"delivered", "surplus"}) != (priced < 0)
        if abs(priced) != amount:
            faults.append(f"{period}/{entry}: amount {amount} is not {abs(priced)}")
        if (debit == "clearing") != clearing_pays or (credit == "clearing") == clearing_pays:
            faults.append(f"{period}/{entry}: {debit} pays {credit}, which {kind} does not")
    return faults


def _energies(db: sqlite3.Connection) -> list[str]:
    faults = []
    for period, *stated in db.execute(
        "SELECT period, exported_milliwh, imported_milliwh, losses_milliwh FROM period "
        "ORDER BY period"
    ):
        exported, imported = db.execute(
            "SELECT sum(c.export_milliwh - o.export_milliwh), "
            "sum(c.import_milliwh - o.import_milliwh) FROM metered m "
            "JOIN reading o ON o.digest = m.opening_digest "
            "JOIN reading c ON c.digest = m.closing_digest WHERE m.period = ?",
            (period,),
        ).fetchone()
        booked = dict(
            db.execute(
                "SELECT kind, sum(energy_milliwh) FROM entry WHERE period = ? GROUP BY kind",
                (period,),
            )
        )
        settled = [
            booked.get("delivered", 0) + booked.get("surplus", 0),
            booked.get("taken", 0) + booked.get("excess", 0),
            booked.get("losses", 0),
        ]
        metered = [exported, imported, exported - imported]
        for name, by_period, by_meters, by_entries in zip(
            ("export", "import", "losses"), stated, metered, settled, strict=True
        ):
            if not by_period == by_meters == by_entries:
                faults.append(
                    f"period {period}: {name} {by_period} mWh stated, {by_meters} mWh metered, "
                    f"{by_entries} mWh booked"
                )
    return faults


def _backing(db: sqlite3.Connection) -> list[str]:
    unbacked = db.execute(
        "SELECT e.period, e.entry_id FROM entry e LEFT JOIN metered m ON m.period = e.period "
        "AND m.meter = e.meter AND m.opening_digest = e.opening_digest "
        "AND m.closing_digest = e.closing_digest WHERE m.meter IS NULL ORDER BY 1, 2"
    )
    return [f"{period}/{entry}: no verified reading behind it" for period, entry in unbacked]
