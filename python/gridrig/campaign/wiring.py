"""What measurements say about a bench's wiring: pure judgements, each a sentence or nothing."""

from collections.abc import Sequence

ANGLES_DEG = (0.0, -120.0, 120.0)
ANGLE_DEG_MAX = 10.0
V_TOLERANCE = 0.05  # of the lowest level
P_TOLERANCE = 0.20  # between phases, and against what a device says


def order_fault(
    v_v: Sequence[float], angle_deg: Sequence[float], levels_v: Sequence[float]
) -> str | None:
    """Return what is wrong where each phase was given a level of its own.

    Parameters
    ----------
    v_v, angle_deg : sequence of float
        What the channels show, in the order that the rig names them. [V, deg]
    levels_v : sequence of float
        What was put on the phases. [V]

    Examples
    --------
    >>> order_fault((23.1, 13.9, 18.5), (0, 120, -120), (23.1, 18.5, 13.9))
    'phases swapped: the channels show phases 1/3/2'
    >>> order_fault((23.1, 18.5, 13.9), (0, -120, 120), (23.1, 18.5, 13.9))
    """
    allowed_v = V_TOLERANCE * min(levels_v)
    seen = [_nearest(v, levels_v, allowed_v) for v in v_v]
    if None in seen or len(set(seen)) != len(seen):
        return f"the channels show {_list(v_v)} V where {_list(levels_v)} V was put"
    if seen != sorted(seen, key=lambda k: k or 0):
        places = "/".join(str((k or 0) + 1) for k in seen)
        return f"phases swapped: the channels show phases {places}"
    turned = [_turn(angle - angle_deg[0]) for angle in angle_deg]
    if any(abs(_turn(a - e)) > ANGLE_DEG_MAX for a, e in zip(turned, ANGLES_DEG, strict=False)):
        return f"phase order: the angles are {_list(turned)} deg, expected {_list(ANGLES_DEG)}"
    return None


def load_fault(changes_w: Sequence[float], of_devices: Sequence[bool], load_w: float) -> str | None:
    """Return what is wrong where a load was connected and every group of channels was watched.

    Parameters
    ----------
    changes_w : sequence of float
        By how much the power into the grid changed, of each group. [W]
    of_devices : sequence of bool
        Whether a group is at a device's own terminals, where a load bank is not seen.
    load_w : float
        What was connected. [W]

    Examples
    --------
    >>> load_fault((0.2, 1200.0), (True, False), 1200.0)
    'reversed CT: a load shows as +1200 W into the grid'
    >>> load_fault((-1200.0, 0.1), (True, False), 1200.0)
    'swapped channels: those of a device show the load bank, -1200 W'
    >>> load_fault((0.0, -1200.0), (True, False), 1200.0)
    """
    for change_w, own in zip(changes_w, of_devices, strict=True):
        if abs(change_w) < 0.1 * load_w:
            continue
        if own:
            return f"swapped channels: those of a device show the load bank, {change_w:+.0f} W"
        if change_w > 0:
            return f"reversed CT: a load shows as {change_w:+.0f} W into the grid"
        if abs(change_w + load_w) > P_TOLERANCE * load_w:
            return (
                f"a load of {load_w:.0f} W shows as {change_w:+.0f} W: a CT is reversed or absent"
            )
    return None


def power_fault(p_w: Sequence[float], said_w: float) -> str | None:
    """Return what is wrong where a device gave power, measured by phase and told by itself. [W]

    Examples
    --------
    >>> power_fault((333.0, -333.0, 333.0), 1000.0)
    'reversed CT on channel 2 of the device: 333/-333/333 W'
    >>> power_fault((333.0, -166.0, -167.0), 1000.0)
    'voltage and current channels of other phases: 333/-166/-167 W'
    >>> power_fault((0.0, 0.1, 0.0), 1000.0)
    'not its channels: they show 0 W, the device says 1000 W'
    >>> power_fault((333.0, 334.0, 333.0), 1000.0)
    """
    each_w = said_w / len(p_w)
    shown = _list(p_w, digits=0)
    backwards = [k for k, p in enumerate(p_w) if abs(p + each_w) <= P_TOLERANCE * abs(each_w)]
    right = [k for k, p in enumerate(p_w) if abs(p - each_w) <= P_TOLERANCE * abs(each_w)]
    if backwards and len(backwards) + len(right) == len(p_w):
        places = ", ".join(str(k + 1) for k in backwards)
        return f"reversed CT on channel {places} of the device: {shown} W"
    if any(p * said_w < 0 for p in p_w):
        return f"voltage and current channels of other phases: {shown} W"
    if len(right) == len(p_w):
        return None
    return f"not its channels: they show {sum(p_w):.0f} W, the device says {said_w:.0f} W"


def _nearest(v: float, levels_v: Sequence[float], allowed_v: float) -> int | None:
    found = min(range(len(levels_v)), key=lambda k: abs(v - levels_v[k]))
    return found if abs(v - levels_v[found]) <= allowed_v else None


def _turn(angle_deg: float) -> float:
    """Return an angle within -180 to 180 degrees."""
    return (angle_deg + 180.0) % 360.0 - 180.0


def _list(values: Sequence[float], digits: int = 1) -> str:
    return "/".join(f"{value:.{digits}f}" for value in values)
