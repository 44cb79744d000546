"""`gridrig statement`: one participant's page of a run or a journal."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from gridrig.campaign.manifest import is_finished
from gridrig.campaign.records import RIG, RUN, SCENARIO, RunRecord
from gridrig.campaign.relief import (
    deliveries_of,
    settled_matches,
    settled_trades,
    zones_of_run,
)
from gridrig.campaign.tariff_file import read_tariff
from gridrig.clock.zones import zone_of
from gridrig.errors import CampaignError, SettlementError
from gridrig.market.counterparties import FINANCIAL_ONLY, Delivery
from gridrig.report.statement_page import Placed, Told, statement_page
from gridrig.rig.zone_file import place_of_zones, read_zones
from gridrig.settlement.bills import Bill, Tariff, bills
from gridrig.settlement.emissions import EmissionRates
from gridrig.settlement.journal_commands import journal_at, unwritable
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.statement import Statement, statement_of


def statement_command(
    path: Path,
    participant: str,
    *,
    tariff: Path | None,
    rates: Path | None,
    zone: str | None,
    network: Path | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Write the page, or print the statement.

    `network` is a file of zones; None for those of the run's rig, if it names any.

    Raises
    ------
    CampaignError
        `report.run_finished` for a page inside a signed run.
    RigError
        `settlement.tariff_file`, `market.zone_file`, with every issue.
    SettlementError
        `settlement.journal_*`, `settlement.statement_unknown`, `settlement.emission_rates`,
        `settlement.zone`, `settlement.participant_without_zone`, `settlement.output_unwritable`.
    """
    zones = zones_of_run(path) if network is None else read_zones(network)
    with JournalReader(journal_at(path)) as journal:
        statement = statement_of(journal, participant)
        trades = {} if zones is None else settled_trades(journal)
    deliveries = placed = None
    if zones is not None:
        placed = Placed.of(participant, zones)
        place = str(path / RIG) if network is None else place_of_zones(network)
        deliveries = deliveries_of(participant, settled_matches(trades, zones, place))
    known = None if rates is None else EmissionRates.read(rates)
    read = None if tariff is None else read_tariff(tariff, duration_s=_duration_s(statement))
    told = Told(
        statement,
        _zone(zone, read, path),
        None if read is None else _bill(statement, read, placed, deliveries),
        None if known is None else known.emission(statement.slots, "imported_milliwh"),
        None if known is None else known.emission(statement.slots, "exported_milliwh"),
        *_run(path),
        deliveries,
        placed,
    )
    if as_json:
        print(json.dumps(_document(told), indent=1))
        return 0
    page = Path(f"statement-{participant}.html") if out is None else out
    folder = page.absolute().parent
    if is_finished(folder):
        raise CampaignError(
            "report.run_finished",
            "{path} is a signed run directory; write the page elsewhere",
            path=str(folder),
        )
    try:
        page.write_bytes(statement_page(told))
    except OSError as fault:
        raise unwritable(page, fault) from fault
    print(page)
    return 0


def _duration_s(statement: Statement) -> int:
    return statement.slots[-1].to_s - statement.slots[0].from_s


def _bill(
    statement: Statement,
    tariff: Tariff,
    placed: Placed | None,
    deliveries: Mapping[Delivery, int] | None,
) -> Bill:
    balances = {statement.participant: statement.balance_micro}
    (bill,) = bills(statement.metered(), balances, tariff)
    if placed is None or deliveries is None:
        return bill
    financial_milliwh = deliveries[FINANCIAL_ONLY]
    return replace(bill, zone=placed.zone or "", financial_only_milliwh=financial_milliwh)


def _zone(name: str | None, tariff: Tariff | None, run: Path) -> ZoneInfo:
    """Return the zone that was asked for, else the tariff's, else that of a run's market."""
    if name is None:
        return _zone_of_market(run) if tariff is None else tariff.zone
    found = zone_of(name)
    if found is None:
        raise SettlementError(
            "settlement.zone",
            "--zone: found {name!r}, expected a name such as Europe/Berlin",
            name=name,
        )
    return found


def _zone_of_market(run: Path) -> ZoneInfo:
    """Return the zone of a run's scenario, which was checked before the run; else UTC."""
    path, market = run / SCENARIO, {}
    if path.is_file():
        market = tomllib.loads(path.read_text(encoding="utf-8")).get("market", {})
    return ZoneInfo(market.get("zone", "UTC"))


def _run(path: Path) -> tuple[str, bool]:
    """Return a run's title and whether anything in it was emulated."""
    if not (path / RUN).is_file():
        return "", False
    run = RunRecord.from_json(json.loads((path / RUN).read_text(encoding="utf-8")))
    return run.title, bool(run.emulated)


def _document(told: Told) -> dict[str, object]:
    return {
        **told.statement.to_json(),
        "zone": told.zone.key,
        "emulated": told.emulated,
        "bill": None if told.bill is None else told.bill.to_json(),
        "market_zone": None if told.placed is None else told.placed.zone,
        "link_fees_micro_per_kwh": None if told.placed is None else dict(told.placed.fees),
        "deliveries_milliwh": None if told.deliveries is None else dict(told.deliveries),
        "carbon_taken_g": None if told.taken is None else told.taken.grams,
        "carbon_kept_away_g": None if told.given is None else told.given.grams,
    }
