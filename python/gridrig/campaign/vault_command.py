"""`gridrig vault`: what a vault that paid for a run's sites is worth after what they signed.

```toml
[vault]
price_micro_per_kwh = 80_000
fee_permille = 15

[deposits]                  # in this order [millionths]
ann = 70_000_000
ben = 30_000_000

[sites]                     # what the vault paid for the device behind a meter [millionths]
meter-pv-1 = 45_000_000
```

Readings are verified anew from the bytes received, as for certificates.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from gridrig._core import Verifier
from gridrig.campaign import records
from gridrig.campaign.certificates_command import periods_of, standing_readings
from gridrig.metering import enrol_all
from gridrig.rig.description import load_rig
from gridrig.rig.issues import At, Issues, shown
from gridrig.rig.schema import between, read_draft
from gridrig.rig.toml_file import read_toml
from gridrig.settlement.vault import Vault

MICRO_MAX = 10**15


@dataclass(frozen=True)
class _Vault:
    price_micro_per_kwh: Annotated[int, between(0, 1_000_000_000)]
    fee_permille: Annotated[int, between(0, 1000)] = 0


@dataclass(frozen=True)
class _Top:
    vault: dict[str, Any]
    deposits: dict[str, Any]
    sites: dict[str, Any]


def vault_command(run: Path, book: Path, *, as_json: bool) -> int:
    """Print what each holder's shares are worth, and what each site earned.

    Raises
    ------
    RigError
        `settlement.vault_file`, with every issue of the book.
    SettlementError
        `settlement.vault_amount`, `settlement.vault_site`.
    CampaignError
        `campaign.certificates_no_readings`.
    """
    rig = load_rig(run / records.RIG)
    vault, sites = _opened(book, [meter.name for meter in rig.signing()])
    verifier = Verifier()
    enrol_all(verifier, rig.keys)
    readings, withdrawn = standing_readings(run, verifier)
    earned = dict.fromkeys(sites, 0)
    for period in periods_of(readings, {site: site for site in sites}):
        earned[period.meter] += vault.earn(period)
    assets, shares = vault.value()
    worth = {holder: held * assets // shares for holder, held in vault.shares.items()}
    if as_json:
        print(
            json.dumps(
                {
                    "assets_micro": assets,
                    "shares": shares,
                    "fees_micro": vault.fees_micro,
                    "earned_micro": earned,
                    "worth_micro": worth,
                    "readings_withdrawn": len(withdrawn),
                }
            )
        )
        return 0
    for site, micro in earned.items():
        print(f"{site} earned {micro} micro after the fee")
    for holder, micro in worth.items():
        print(f"{holder} holds {vault.shares[holder]} shares, worth {micro} micro")
    print(f"assets {assets} micro for {shares} shares, fees {vault.fees_micro} micro")
    return 0


def _opened(book: Path, meters: list[str]) -> tuple[Vault, list[str]]:
    file = read_toml(book)
    issues = Issues(file.path)
    top = read_draft(_Top, file.table, file.top, issues)
    terms = read_draft(_Vault, top.get("vault") or {}, file.top.key("vault"), issues)
    deposits = _amounts(top.get("deposits"), file.top.key("deposits"), 1, issues)
    sites = _amounts(top.get("sites"), file.top.key("sites"), 0, issues)
    for site in sites:
        if site not in meters:
            expected = f"a signing meter of the run: {', '.join(meters)}"
            issues.add(file.top.key("sites").key(site), shown(site), expected)
    issues.raise_if_any("settlement.vault_file", file.path)
    read = terms.build()
    vault = Vault(read.price_micro_per_kwh, read.fee_permille)
    for holder, micro in deposits.items():
        vault.deposit(holder, micro)
    for site, micro in sites.items():
        vault.fund(site, site, micro)
    return vault, list(sites)


def _amounts(found: object, at: At, least: int, issues: Issues) -> dict[str, int]:
    amounts = {}
    for name, value in (found if isinstance(found, dict) else {}).items():
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= MICRO_MAX:
            amounts[name] = value
        else:
            issues.add(at.key(name), shown(value), f"a whole number from {least} to {MICRO_MAX}")
    return amounts
