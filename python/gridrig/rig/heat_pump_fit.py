"""Whether the limits of each heat pump fit its nameplate, as the rig says both."""

from collections.abc import Sequence

from gridrig.rig.device_reading import DeviceDraft
from gridrig.rig.instruments import HeatPumpLimits
from gridrig.rig.issues import Issues, shown


def check_heat_pumps(devices: Sequence[DeviceDraft], issues: Issues) -> None:
    """Note every pump that may be told more than it takes."""
    for device in devices:
        if not isinstance(device.limits, HeatPumpLimits):
            continue
        most_w, where = device.limits.p_w_max, device.at.key("limits").key("p_w_max")
        for place in ("parameters", "emulate"):
            table = device.table.get(place)
            said = table.get("p_w_max") if isinstance(table, dict) else None
            if isinstance(said, int | float) and said < most_w:
                expected = f"at most {place}.p_w_max = {shown(said)}, the nameplate"
                issues.add(where, shown(most_w), expected)
