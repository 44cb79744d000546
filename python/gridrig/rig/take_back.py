"""A lost device that answers again: itself, made safe, set as it was, or not taken back.

Nothing is written before it has said who it is. Then it is driven to its declared safe state by the
steps of the bench's own safe sequence, which also writes its settings back as they were found and
looks at its protection; then what the run had set is written again, each through the guard and
read back, and the permit to connect comes last. What fails on the way leaves it lost and, as far as
it can be told anything, safe.

Limits: inverters, storages and packs. What the safe state changes and nobody wrote in this run (a
permit, a limit, a pack's switches) is put back as the device had it when it answered first.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from gridrig.errors import DriverError, DriverFailure
from gridrig.rig.device import InverterLimits
from gridrig.rig.guard import GuardedBms, GuardedInverter
from gridrig.rig.guarded import Guarded
from gridrig.rig.safe_end import UNREACHABLE, is_safe, make_safe
from gridrig.rig.safe_order import SafeStep
from gridrig.rig.safe_proof import opened_protection

TAKEN_BACK = frozenset({"inverter", "storage", "bms"})
OWN_STEPS = frozenset({"power-zero", "settle", "cease", "open-fets", "restore"})
NOT_SAFE = "rig.not_made_safe"


async def follow_control(driver: Any, control_period_s: float | None, report: Any) -> None:
    """Let a device's reversion timers follow the control, where it has them. [s]"""
    if control_period_s is not None and hasattr(driver, "use_control_period"):
        report("reversion", **await driver.use_control_period(control_period_s))


async def take_back(
    device: Guarded,
    steps: Sequence[SafeStep],
    report: Callable[..., object],
    *,
    control_period_s: float | None,
) -> tuple[str, ...]:
    """Take a lost device back.

    Parameters
    ----------
    device : Guarded
        Marked as lost; it is not any more when this returns.
    steps : sequence of SafeStep
        The bench's safe sequence; those that concern the device alone are taken.
    report : callable
        Takes (device, kind, **data).
    control_period_s : float or None
        As the bench's. [s]

    Returns
    -------
    tuple of str
        The settings that were written again and read back.

    Raises
    ------
    DriverError
        `rig.other_device` if another one is at its place; `rig.not_made_safe` if it is not in its
        safe state or its protection is not as it was found; or what the wire or the guard said.
    """
    driver = device.driver
    device.answers = False
    await driver.close()
    await driver.open()  # anew, for what it is able to do may have changed
    await device.prove()
    if device.as_it_was is None:  # else a try before this one has made it safe, and knows
        device.as_it_was = await _as_it_was(device)
    as_it_was = device.as_it_was
    own = [step for step in steps if step.do in OWN_STEPS]

    def step_done(name: str, kind: str, **data: Any) -> None:
        # Why a step failed names ports, which no two runs share.
        report(name, kind, **data | {"result": str(data["result"]).partition(":")[0]})

    end = (await make_safe({device.name: device}, own, step_done)).devices[device.name]
    if not is_safe(end):
        wrong = await opened_protection(device) or ""
        kind: DriverFailure = "unavailable" if end.startswith(UNREACHABLE) else "other"
        text = "{device}: {end}"
        raise DriverError(NOT_SAFE, text, kind=kind, device=device.name, end=end, wrong=wrong)
    await follow_control(driver, control_period_s, lambda kind, **d: report(device.name, kind, **d))
    await device.read()
    device.lost = False
    try:
        for again in as_it_was.values():
            await again()
    except BaseException as error:
        device.lost = True
        if isinstance(error, DriverError):
            with contextlib.suppress(DriverError):  # as far as it can be told
                await device.make_safe()
        raise
    device.as_it_was = None
    return tuple(as_it_was)


async def _as_it_was(device: Guarded) -> dict[str, Any]:
    """Return what has to be written again: settings of this run, switches, the permit last."""
    settings: dict[str, Any] = dict(device.standing)
    safe = device.device.safe_settings()
    if isinstance(device, GuardedBms):
        told = await device.read()
        switches = told.charge_fet, told.discharge_fet
        if "fets" not in settings and (safe.get("charge"), safe.get("discharge")) != (True, True):
            settings["fets"] = lambda: device.set_fets(*switches)
    elif isinstance(device, GuardedInverter):
        p_w_max, reading = _limits_of(device).p_w_max, await device.read()
        # Without a limit it would not be permitted to connect; the one it had may be forgotten.
        needs_limit = device.capability == "inverter" and reading.w_max > p_w_max
        if needs_limit or "limit_w" in safe:
            most_w = p_w_max if needs_limit else None
            had_w = reading.limit_w
            limit_w = most_w if had_w is None or had_w > p_w_max else had_w
            settings.setdefault("limit_w", lambda: device.set_limit_w(limit_w))
        connect = settings.pop("connect", None)
        if connect is None and await _is_permitted(device):
            connect = lambda: device.set_connect(True)  # noqa: E731
        if connect is not None:
            settings["connect"] = connect
    return settings


def _limits_of(device: GuardedInverter) -> InverterLimits:
    """Return the rig's limits of an inverter."""
    assert isinstance(device.device.limits, InverterLimits)
    return device.device.limits


async def _is_permitted(device: GuardedInverter) -> bool:
    if hasattr(device.driver, "read_connect"):
        return bool(await device.driver.read_connect())
    return (await device.read()).connected
