"""What `gridrig promises` does: run the procedures behind the rows, then print the table."""

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from gridrig.campaign.outcomes import Outcome, worst
from gridrig.campaign.procedure_command import test_command
from gridrig.campaign.procedure_summary import Executed
from gridrig.errors import GridrigError
from gridrig.promises.campaigns import CAMPAIGNS
from gridrig.promises.choice import chosen_rows, suites_of
from gridrig.promises.figures import measured_here
from gridrig.promises.report_page import write_promises
from gridrig.promises.results import NOT_PROVEN, Result, judged, shown_by

LOG_WIDTH = 150  # columns, when there is no terminal to ask


def promises_command(
    chosen: Sequence[str],
    *,
    only_list: bool,
    mutants: bool,
    as_json: bool,
    report: Path | None = None,
) -> int:
    """Run what proves the chosen rows, print the table and return the exit code.

    `report` is a folder for a page over all rows, and one for each procedure.

    Returns
    -------
    int
        That of the worst row; 3 if a row is not proven and nothing failed. 0 for a list.

    Raises
    ------
    GridrigError
        `promises.unknown`, or `promises.output_unwritable` before anything is run.
    """
    rows = chosen_rows(chosen)
    if report is not None and not only_list:
        try:
            report.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise GridrigError(
                "promises.output_unwritable",
                "{path}: {fault}, expected a folder to write into",
                path=str(report),
                fault=fault.strerror or str(fault),
            ) from fault
    executed: list[Executed] = []
    code = 0
    suites = [] if only_list else suites_of(rows)
    if suites:
        code = _run(suites, mutants, executed)
    if only_list:
        results = [Result(*row, (), "" if row[1].is_carried else NOT_PROVEN) for row in rows]
    else:
        here = measured_here(figure for _, row in rows for figure in row.figures)
        shown = shown_by(executed)
        results = [judged(*row, shown, here) for row in rows]
    if as_json:
        print(json.dumps([_plain(result) for result in results], indent=1))
    else:
        _print(results, only_list=only_list)
    if only_list:
        return 0
    if report is not None:
        print(f"report  {write_promises(report, results, executed)}", file=sys.stderr)
    outcomes = [
        Outcome.INCONCLUSIVE if r.verdict == NOT_PROVEN else Outcome(r.verdict) for r in results
    ]
    found = worst(outcomes)
    # A mutant that lives, or a bench left unsafe, is no row's verdict, and is no pass either.
    return code if code not in (0, 3) else found.exit_code


def _run(suites: list[str], mutants: bool, executed: list[Executed]) -> int:
    """Run procedures; what pytest says goes to standard error, for the table is the output."""
    with redirect_stdout(sys.stderr):
        return test_command(
            suites,
            rig=None,
            mutants=mutants,
            allow_skips=False,
            every_criterion=False,
            repetitions=None,
            results=None,
            captures=None,
            bundles=None,
            evidence=None,
            unattended=False,
            report=executed.extend,
            as_json=False,
        )


def _plain(result: Result) -> dict[str, object]:
    return {
        "row": result.row.name,
        "campaign": result.campaign.number,
        "claim": result.row.claim,
        "measured": [asdict(one) for one in result.shown],
        "machine": result.machine,
        "verdict": result.verdict,
        "not_shown": result.row.missing,
    }


def _print(results: Sequence[Result], *, only_list: bool) -> None:
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=console.file, width=LOG_WIDTH)
    for campaign in CAMPAIGNS:
        mine = [result for result in results if result.campaign is campaign]
        if not mine:
            continue
        table = Table(
            title=f"{campaign.number} {campaign.title}",
            title_justify="left",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
        )
        for head in ("row", "claim", "measured", "limit", "verdict"):
            table.add_column(head, overflow="fold", no_wrap=head in ("row", "verdict"))
        for result in mine:
            measured = "\n".join(f"{one.criterion} {one.measured}" for one in result.shown)
            if only_list:
                names = [proof.criterion for proof in result.row.proofs]
                names += [figure.task for figure in result.row.figures]
                measured = "\n".join(names)
            limits = "\n".join(one.limit for one in result.shown)
            claim = result.row.claim
            if result.row.missing:
                claim += f"\n[dim]({result.row.missing})[/dim]"
            if result.machine:
                claim += f"\n[dim](on {result.machine})[/dim]"
            table.add_row(result.row.name, claim, measured, limits, result.verdict)
        console.print(table)
    proven = sum(result.verdict == str(Outcome.PASS) for result in results)
    if only_list:
        carried = sum(result.row.is_carried for result in results)
        console.print(f"{carried} of {len(results)} rows are carried by a campaign")
    else:
        emulated = "on emulated devices; what they prove of a product is in docs/promises.md"
        console.print(f"{proven} of {len(results)} rows proven, {emulated}")
