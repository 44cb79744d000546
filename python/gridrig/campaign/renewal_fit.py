"""Whether a run's ticks renew what devices would otherwise let fall back.

A driver whose rig states `revert_s` lets its set-points fall back unless a reading renews them, and
a device is read once a tick. `RENEWALS_MIN` ticks must fit into that time, so that one lost reading
is no fall. A time that no rig states is derived from the ticks and always fits; so does the time of
a driver that tells again between readings, as its parameters' `TELLS_AGAIN` says.
"""

from gridrig.campaign.scenario import Scenario
from gridrig.errors import RigError
from gridrig.rig.description import Rig
from gridrig.rig.issues import Issues
from gridrig.rig.toml_file import parse_toml

RENEWALS_MIN = 2


def require_renewal(rig: Rig, scenario: Scenario) -> None:
    """Refuse a scenario whose ticks are too long for the reversion timers of a rig.

    Raises
    ------
    RigError
        `scenario.does_not_fit`, with every device.
    """
    longest_s = scenario.tick_s_max
    top, issues = parse_toml(rig.text, rig.path).top, Issues(rig.path)
    for index, device in enumerate(rig.devices):
        revert_s = getattr(device.parameters, "revert_s", None) or 0
        if getattr(device.parameters, "TELLS_AGAIN", False):
            continue
        if 0 < revert_s < RENEWALS_MIN * longest_s:
            at = top.key("device").item(index, device.name).key("parameters").key("revert_s")
            least_s = RENEWALS_MIN * longest_s
            expected = f"at least {least_s:g}, {RENEWALS_MIN} ticks of {longest_s:g} s"
            issues.add(at, str(revert_s), expected)
    if found := issues.sorted():
        raise RigError(
            "scenario.does_not_fit",
            "{scenario} does not fit {rig}",
            issues=tuple(found),
            scenario=scenario.path,
            rig=rig.path,
        )
