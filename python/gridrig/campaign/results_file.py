"""The results file of a certification: settings by their IEEE labels, and the criteria behind them.

Columns: label, value, units, procedure, outcome. A setting as found has -AS and no procedure; the
range over which a procedure evaluated a setting has -ER-MIN and -ER-MAX with that procedure's
outcome; every criterion has a row of its own, named as the report has it. The last row is the
SHA-256 of all rows before it, as written: a file cannot hold its own.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from gridrig.campaign.procedure_summary import Executed, limit_text, rig_text, value_text
from gridrig.campaign.setting_labels import unit_of
from gridrig.errors import CampaignError
from gridrig.rig.device import Device

HEADER = ("RR Label", "Value", "Units", "Procedure", "Outcome")
CHECKSUM = "TA_RR_FILE_CHECKSUM"
Row = tuple[str, str, str, str, str]


def write_results(path: Path, executed: Sequence[Executed]) -> None:
    """Write what unmutated procedures came to.

    Raises
    ------
    CampaignError
        `campaign.results_exist` if the file is there: results are not overwritten.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(HEADER)
    rows.writerows(_rows(path, [one for one in executed if one.mutant is None]))
    digest = hashlib.sha256(text.getvalue().encode()).hexdigest()
    rows.writerow((CHECKSUM, digest, "Text", "", ""))
    try:
        with path.open("x", encoding="utf-8", newline="") as stream:
            stream.write(text.getvalue())
    except FileExistsError as error:
        raise CampaignError(
            "campaign.results_exist", "{path} is there already", path=str(path)
        ) from error


def _rows(path: Path, executed: Sequence[Executed]) -> Iterator[Row]:
    yield "TA_REPORT_NAME", "gridrig test", "Text", "", ""
    yield "TA_RR_FILE_NAME", path.name, "Text", "", ""
    told: set[tuple[str, str]] = set()
    for one in executed:
        for device in one.rig.of("inverter", "storage"):
            if (one.rig.path, device.name) in told or device.name not in one.execution.identities:
                continue
            told.add((one.rig.path, device.name))
            yield from _nameplate(one, device)
            if one.execution.applied:
                yield from (_row(f"{label}-AS", value) for label, value in one.execution.applied)
            break  # procedures try the first
    for one in executed:
        yield from _evaluated(one)
        for verdict in one.execution.verdicts.verdicts:
            criterion = verdict.criterion
            value = f"{value_text(verdict)}, {limit_text(criterion)}"
            yield criterion.name, value, criterion.unit, one.tested.name, str(verdict.outcome)


def _nameplate(one: Executed, device: Device) -> Iterator[Row]:
    who = one.execution.identities[device.name]
    yield _row("GRIDRIG_RIG", rig_text(one.rig))
    yield _row("NP_MANUFACTURER", who.manufacturer)
    yield _row("NP_MODEL", who.model)
    yield _row("NP_SERIAL_NUM", who.serial)
    yield _row("NP_FW_VER", who.firmware)
    yield _row("NP_AC_V_NOM", float(one.rig.nominal.v_ll))
    if device.categories is not None:
        yield _row("NP_NORMAL_OP_CAT", f"CAT_{device.categories.normal}")
        yield _row("NP_ABNORMAL_OP_CAT", f"CAT_{device.categories.abnormal}")


def _evaluated(one: Executed) -> Iterator[Row]:
    by_label: dict[str, list[float | str]] = {}
    for label, value in one.execution.evaluated:
        by_label.setdefault(label, []).append(value)
    outcome = str(one.execution.verdicts.outcome)
    for label, values in by_label.items():
        numbers = [value for value in values if isinstance(value, float | int)]
        if not numbers:
            continue  # a word has no range
        for ending, value in (("-ER-MIN", min(numbers)), ("-ER-MAX", max(numbers))):
            yield f"{label}{ending}", f"{value:.6g}", unit_of(label), one.tested.name, outcome


def _row(label: str, value: float | str) -> Row:
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return label, shown, unit_of(label.removesuffix("-AS")), "", ""
