"""The evidence of `gridrig test`: a folder for each execution, and one signature over all of them.

    campaign.json                    every verdict, as `gridrig test --json` prints them
    index.html, *.html, junit.xml    for people and for CI
    bundles/                         what makes a failure again
    executions/001-test_volt_var/
        rig.toml, feeder/            the bench as it was described, with the files that it names
        procedure.py                 the code that was executed
        procedure.json               claim, mutant, versions, devices with their calibration, seed
        events.jsonl                 every write, every step to the safe state
        recordings.json, recordings/ what instruments recorded, in Parquet
        verdicts.json, timing.json   each criterion with its limit; deadlines on a wall clock
        watchdog.json                if the watchdog had to act
    manifest.json, manifest.sig      SHA-256 of every file, signed with the key of this machine

Invariants: what an execution came to is written when it ends, so a campaign that is killed leaves
all it knew, unsigned. What lies below the folder when the campaign ends is signed, captures too.
Limits: of the code of a procedure its own file is kept, not modules of its own that it imports.
"""

import inspect
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gridrig.campaign.evidence import RunDirectory
from gridrig.campaign.execution_records import ExecutionRecords
from gridrig.campaign.formats import json_bytes, parquet_bytes
from gridrig.campaign.lab import SEED
from gridrig.campaign.procedure_summary import Executed, to_json
from gridrig.campaign.procedures import Mutant, Procedure
from gridrig.campaign.run_written import versions
from gridrig.campaign.story import device_records
from gridrig.campaign.timing import TimingBudget
from gridrig.rig.description import Rig

CAMPAIGN, PROCEDURE, SOURCE, RECORDINGS = (
    "campaign.json",
    "procedure.json",
    "procedure.py",
    "recordings",
)
BUNDLES, EXECUTIONS = "bundles", "executions"


class CampaignEvidence:
    """Writer of one campaign's evidence.

    Parameters
    ----------
    path : Path
        Made with its parents; refused if it exists and is not an empty directory.

    Raises
    ------
    CampaignError
        If the path is taken, or nothing could be signed: before anything is executed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._whole = RunDirectory(path)
        self._whole.signing_key()
        self._begun = 0

    def begin(self, tested: Procedure, rig: Rig, mutant: Mutant | None) -> ExecutionRecords:
        """Return where the next execution keeps its records, its inputs already among them."""
        self._begun += 1
        words = [f"{self._begun:03d}", tested.name, *([mutant.name] if mutant else [])]
        name = "-".join(re.sub(r"\W+", "_", word) for word in words)
        order = [device.name for device in rig.devices]
        directory = RunDirectory(self.path / EXECUTIONS / name, device_order=order)
        directory.add_rig(rig.text)
        directory.add_feeder(rig)
        source = inspect.getsourcefile(tested.body)
        assert source is not None, "a procedure is a function in a file"
        directory.add_file(SOURCE, Path(source).read_bytes())
        return ExecutionRecords(directory)

    def end(self, kept: ExecutionRecords, executed: Executed, *, repetitions: int) -> None:
        """Write what an execution came to."""
        directory, execution = kept.directory, executed.execution
        directory.add_file(PROCEDURE, json_bytes(_facts(executed, repetitions)))
        _add_recordings(kept)
        if execution.times is not None:
            directory.add_timing(execution.times.to_json(TimingBudget()))
        directory.add_verdicts(execution.verdicts)
        directory.close()

    def finish(self, executed: Sequence[Executed], exit_code: int) -> str:
        """Write what the campaign came to, sign all of it, and return the signer's id."""
        self._whole.add_file(CAMPAIGN, json_bytes(to_json(executed, exit_code)))
        return self._whole.finish()


def _facts(executed: Executed, repetitions: int) -> dict[str, Any]:
    tested, rig, execution = executed.tested, executed.rig, executed.execution
    identities = {name: dict(vars(who)) for name, who in execution.identities.items()}
    mutant = executed.mutant
    return {
        "name": tested.name,
        "claim": tested.claim,
        "clause": tested.clause,
        "hazards": tested.hazards,
        "rig": rig.name,
        "clock": rig.clock,
        "seed": SEED,
        "repetitions": repetitions,
        "mutant": mutant and {**vars(mutant), "killed": executed.killed},
        "devices": [asdict(device) for device in device_records(rig, identities)],
        "settings_found": dict(execution.applied),
        "settings_tried": list(execution.evaluated),
        "effort": vars(execution.effort),
        "trace_back": execution.trace_back,
        "versions": versions(),
    }


def _add_recordings(kept: ExecutionRecords) -> None:
    """Write every recording, its points by their time after the trigger."""
    listed = []
    for number, recording in enumerate(kept.recordings, start=1):
        name = f"{RECORDINGS}/{number:03d}.parquet"
        columns = {"t_s": recording.since_trigger_s(), **recording.tracks}
        kept.directory.add_file(name, parquet_bytes(columns))
        listed.append(
            {
                "file": name,
                "trigger_s": recording.trigger_s,  # by the instrument's own clock
                "step_s": recording.step_s,
                "tracks": list(recording.tracks),
            }
        )
    if listed:
        kept.directory.add_file(f"{RECORDINGS}.json", json_bytes(listed))
