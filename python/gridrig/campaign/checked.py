"""What `gridrig check` found out about a bench, for a program."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from gridrig.campaign.energising import Finding
from gridrig.campaign.formats import plain
from gridrig.campaign.outcomes import USAGE_EXIT_CODE
from gridrig.campaign.stated_time import WireTime
from gridrig.devices.capabilities import Identity
from gridrig.errors import Issue, RigError
from gridrig.rig.description import Rig
from gridrig.rig.safe_end import SafeReport
from gridrig.rig.safe_order import FINAL_STEP
from gridrig.rig.watchdog import needs_watchdog, safe_within_s


@dataclass
class Checked:
    """What a check came to, filled in as it goes; `to_json` is what `--json` prints.

    Parameters
    ----------
    rig : Rig
        The bench.
    dry_run : bool
        Whether nothing was written, and what would be is in `writes`.
    cause : str
        Why it did not come to its end, if it did not.
    identities : mapping of str to Identity
        Who each device says it is.
    readings : mapping of str to mapping
        What each device reads now, or `error`.
    writes : list of mapping
        Device, what, value.
    wiring : sequence of Finding
        What `--energise` proved.
    restored : sequence of str
        Devices whose settings an earlier run had not lived to restore.
    safe : SafeReport
        How the devices were left.
    wires : sequence of WireTime
        How long each wire may take to the safe state.
    """

    rig: Rig
    dry_run: bool = False
    cause: str = ""
    identities: Mapping[str, Identity] = field(default_factory=dict)
    readings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    writes: list[Mapping[str, Any]] = field(default_factory=list)
    wiring: Sequence[Finding] = ()
    restored: Sequence[str] = ()
    safe: SafeReport = field(default_factory=lambda: SafeReport({}))
    wires: Sequence[WireTime] = ()

    def to_json(self, exit_code: int) -> dict[str, Any]:
        """Return everything, as JSON can hold it. Times in seconds."""
        watched = needs_watchdog(self.rig)
        return {
            "gridrig": version("gridrig"),
            "rig": self.rig.name,
            "rig_sha256": hashlib.sha256(self.rig.text).hexdigest(),
            "clock": self.rig.clock,
            "dry_run": self.dry_run,
            "exit_code": exit_code,
            "cause": self.cause,
            "issues": [],
            "devices": [self._device(device) for device in self.rig.devices],
            "would_write": [plain(write) for write in self.writes],
            "wiring": [vars(finding) for finding in self.wiring],
            "restored": list(self.restored),
            "left_unsafe": list(self.safe.left_unsafe),
            "safe_within_s": safe_within_s(self.rig) if watched else None,
            "wires": [
                {**asdict(time), "at_most_s": time.at_most_s, "fits": time.fits}
                for time in self.wires
            ],
        }

    def _device(self, device: Any) -> dict[str, Any]:
        who = self.identities.get(device.name)
        moves = not device.emulated and device.capability in FINAL_STEP
        return {
            "name": device.name,
            "capability": device.capability,
            "driver": device.driver,
            "emulated": device.emulated,
            "identity": vars(who) if who else None,
            "reading": plain(self.readings.get(device.name)),
            "left": self.safe.devices.get(device.name),
            "host_dead": device.host_dead if moves else None,
        }


def refused(error: RigError) -> dict[str, Any]:
    """Return what `--json` prints of a file that is wrong: every issue at its place."""
    return {
        "gridrig": version("gridrig"),
        "exit_code": USAGE_EXIT_CODE,
        "cause": error.message,
        "issues": [_issue(issue) for issue in error.issues],
    }


def _issue(issue: Issue) -> dict[str, Any]:
    return {**asdict(issue), "line": getattr(issue, "line", None)}
