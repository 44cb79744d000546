"""`gridrig jobs`: the computing jobs of a run, and certificates retired for what they took."""

import json
import sys
from collections import Counter
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from gridrig.campaign import records
from gridrig.campaign.formats import csv_rows
from gridrig.computing.escrow import EscrowEntry
from gridrig.errors import CampaignError
from gridrig.settlement.certificates_store import CertificateStore
from gridrig.settlement.retiring import retire_for

LOG_WIDTH = 150  # columns, when there is no terminal to ask


def jobs_command(run: Path, *, register: Path | None, holder: str | None, as_json: bool) -> int:
    """Print how each job of a run ended; retire a holder's certificates for those that were paid.

    Returns
    -------
    int
        0; 1 if the accounts of the escrow do not sum to zero.

    Raises
    ------
    CampaignError
        `campaign.jobs_none` if the run had no jobs; as `csv_rows`.
    SettlementError
        `settlement.certificate_*`.
    """
    if not (run / records.JOBS).is_file():
        raise CampaignError(
            "campaign.jobs_none", "{path}: the run had no computing jobs", path=str(run)
        )
    jobs = csv_rows(records.JobRow, run / records.JOBS)
    entries = csv_rows(EscrowEntry, run / records.ESCROW)
    retired = {}
    if register is not None and holder is not None:
        with CertificateStore(register) as store:
            retired = {
                job.job: retire_for(
                    store,
                    job.energy_milliwh,
                    holder=holder,
                    purpose=f"compute job {job.job}",
                    beneficiary=job.buyer,
                )
                for job in jobs
                if job.ending == "paid"
            }
    balances: Counter[str] = Counter()
    for entry in entries:
        balances[entry.debit] -= entry.amount_micro
        balances[entry.credit] += entry.amount_micro
    if as_json:
        rows = [vars(job) | {"retired_wh": retired.get(job.job)} for job in jobs]
        print(json.dumps({"jobs": rows, "balances_micro": balances}, indent=1))
    else:
        _print(jobs, balances, retired)
    return 1 if sum(balances.values()) else 0


def _print(jobs: list[records.JobRow], balances: Counter[str], retired: dict[str, int]) -> None:
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=console.file, width=LOG_WIDTH)
    heads = ("job", "buyer", "node", "ended", "begun s", "done s", "mWh", "paid", "given back")
    table = Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False)
    for job in jobs:
        ended = f"{job.ending} ({job.why})" if job.why else job.ending
        if job.job in retired:
            ended += f", {retired[job.job]} Wh retired"
        begun, done = (None if t is None else f"{t:g}" for t in (job.begun_s, job.done_s))
        numbers = (job.energy_milliwh, job.paid_micro, job.refunded_micro)
        cells = (job.job, job.buyer, job.node, ended, begun or "", done or "", *map(str, numbers))
        table.add_row(*cells)
    console.print(table)
    for account, amount_micro in balances.items():
        console.print(f"{account}  {amount_micro} millionths", highlight=False)
