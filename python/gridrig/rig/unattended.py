"""Whether a bench may run while nobody stands beside it."""

from gridrig.errors import Issue, RigError
from gridrig.rig.description import Rig
from gridrig.rig.safe_order import FINAL_STEP


def require_unattended(rig: Rig) -> None:
    """Refuse a bench with a real device that nothing brings to rest once the host is dead.

    The watchdog is a process of the same host: it cannot answer for a host without power.

    Raises
    ------
    RigError
        `rig.needs_somebody`, with every such device.
    """
    issues = tuple(
        Issue(
            rig.path,
            f"device {device.name!r}: host_dead",
            '"none"',
            '"reversion-timer" or "relay", for a run that nobody attends',
        )
        for device in rig.devices
        if not device.emulated and device.capability in FINAL_STEP and device.host_dead == "none"
    )
    if issues:
        raise RigError(
            "rig.needs_somebody", "{path} may not run unattended", issues=issues, path=rig.path
        )
