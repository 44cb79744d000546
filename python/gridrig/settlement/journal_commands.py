"""What `gridrig prove`, `verify PROOF`, `audit`, `balance` and `export` do with a journal."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from gridrig.errors import SettlementError
from gridrig.settlement.audit import audit
from gridrig.settlement.balance_sheet import Sheet, sheets_of, unreconciled
from gridrig.settlement.export import export
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.proofs import Proof, prove

JOURNAL = "journal.sqlite"
"""Name of the journal in a run directory."""

HOLDS, BROKEN = 0, 1

ROOT_BYTES = 32


def journal_at(path: Path) -> Path:
    """Return the journal of a run directory, or the path itself if it is a file.

    Raises
    ------
    SettlementError
        `settlement.journal_missing` if there is none.
    """
    found = path / JOURNAL if path.is_dir() else path
    if not found.is_file():
        raise SettlementError(
            "settlement.journal_missing",
            "no journal at {path}, expected a journal or a run directory with {name}",
            path=str(found),
            name=JOURNAL,
        )
    return found


def root_of(text: str) -> bytes:
    """Return the root that a command was given.

    Raises
    ------
    SettlementError
        `settlement.root_malformed` if it is none: a slip of the pen says nothing of a proof.
    """
    try:
        root = bytes.fromhex(text)
    except ValueError:
        root = b""
    if len(root) != ROOT_BYTES:
        raise SettlementError(
            "settlement.root_malformed", "--root: found {root!r}, expected 64 hex digits", root=text
        )
    return root


def unwritable(path: Path, fault: OSError) -> SettlementError:
    """Say why a file that was to be written is not there."""
    return SettlementError(
        "settlement.output_unwritable",
        "{path}: {fault}",
        path=str(fault.filename or path),
        fault=fault.strerror or str(fault),
    )


def prove_command(
    path: Path, *, period: int, revision: int, line: int | None, meter: str | None, out: Path | None
) -> int:
    """Write a proof to a file, or print it; say which root it is for."""
    with JournalReader(journal_at(path)) as journal, journal.snapshot():
        proof, post = prove(journal, period, revision=revision, line=line, meter=meter)
    text = json.dumps(proof.to_json(), indent=1)
    if out is None:
        print(text)
    else:
        try:
            out.write_text(text + "\n", encoding="utf-8")
        except OSError as fault:
            raise unwritable(out, fault) from fault
    print(
        f"root of period {post.period}, of {post.leaf_count} records: {post.root.hex()}",
        file=sys.stderr if out is None else sys.stdout,
    )
    return HOLDS


def verify_proof_command(path: Path, *, root: str | None, as_json: bool) -> int:
    """Check a proof file against a root; tell what is proven."""
    if root is None:
        raise SettlementError(
            "settlement.root_missing",
            "{path} is a file: give the root to check it against, --root HEX",
            path=str(path),
        )
    digest = root_of(root)
    proof = Proof.read(path)
    try:
        proof.verify(digest)
    except SettlementError as refusal:
        if as_json:
            print(json.dumps({"proven": False, "code": refusal.code, "reason": str(refusal)}))
        else:
            print(f"not proven: {refusal}")
        return BROKEN
    content = proof.to_json()
    if as_json:
        print(json.dumps({"proven": True, "root": digest.hex(), **content}, indent=1))
        return HOLDS
    print(f"proven: record {content['index']} of {content['leaf_count']}, {content['record']}")
    for name, value in content["fields"].items():
        print(f"  {name:20} {'' if value is None else value}")
    return HOLDS


def audit_command(
    path: Path, *, head: str | None, as_json: bool, beside: Sequence[str] = ()
) -> int:
    """Recompute a journal; name the first thing that is wrong, and how many others there are.

    `beside` are faults that were found in what lies beside the journal.
    """
    found = journal_at(path)
    faults = [*audit(found, head=head), *beside]
    with JournalReader(found) as journal:
        posts, stated = len(journal.periods()), journal.head()
    signer = stated.public_key.hex() if stated.public_key and stated.is_signed() else None
    if as_json:
        told = {"posts": posts, "head": stated.text(), "signer": signer, "faults": faults}
        print(json.dumps(told, indent=1))
    elif faults:
        print(f"BROKEN  {faults[0]}")
        if len(faults) > 1:
            print(f"        and {len(faults) - 1} more; --json lists them all")
    else:
        print(f"holds   {posts} posts, every root, link, amount, balance and backing")
        print(f"head    {stated.text()}")
        print(f"signed  {'by ' + signer if signer else 'by nobody'}")
    return BROKEN if faults else HOLDS


def balance_command(path: Path, *, as_json: bool) -> int:
    """Print the balance sheet of every account, and what does not close."""
    with JournalReader(journal_at(path)) as journal, journal.snapshot():
        sheets = sheets_of(journal)
    faults = list(unreconciled(sheets))
    if as_json:
        told = [sheet.to_json() for sheet in sheets.values()]
        print(json.dumps({"accounts": told, "unreconciled": faults}, indent=1))
    else:
        _print_sheets(sheets)
        for fault in faults:
            print(f"BROKEN  {fault}")
        if not faults:
            print(
                "closes  to the milliwatt-hour with the meters, to the millionth between accounts"
            )
    return BROKEN if faults else HOLDS


def export_command(path: Path, *, out: Path, form: str) -> int:
    """Write the tables of a journal as files."""
    with JournalReader(journal_at(path)) as journal:
        try:
            written = export(journal, out, form)
        except OSError as fault:
            raise unwritable(out, fault) from fault
    for name, rows in written.items():
        print(f"{out / name}  {rows} rows")
    return HOLDS


def _print_sheets(sheets: dict[str, Sheet]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("account")
    for name in ("exported", "sold", "imported", "bought"):
        table.add_column(f"{name}\nmWh", justify="right", no_wrap=True)
    table.add_column("balance\nmicro", justify="right", no_wrap=True)
    for sheet in sheets.values():
        cells = (
            sheet.exported_milliwh,
            sheet.sold_milliwh,
            sheet.imported_milliwh,
            sheet.bought_milliwh,
            sheet.balance_micro,
        )
        table.add_row(sheet.account, *(f"{cell:,}" for cell in cells))
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=120)
    console.print(table)
