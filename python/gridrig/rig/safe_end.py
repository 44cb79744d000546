"""Driving a bench to its safe state: step by step, each guarded and bounded, whatever fails.

Invariants: a failing device never keeps another from its safe state; every step ends within its
`within_s` for all devices together; a pack's switch is opened only below `below_a`, because opening
it under load destroys it, so a pack that still carries current is left closed and named unsafe.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from gridrig.errors import DriverError
from gridrig.rig.guard import GuardedInverter
from gridrig.rig.guarded import Guarded
from gridrig.rig.instruments import SourceTerminal
from gridrig.rig.safe_order import CAPABILITIES_OF, FINAL_STEP, SafeStep
from gridrig.rig.safe_proof import SAFE, opened_protection, prove

POLL_S = 0.2
UNREACHABLE = "unreachable"
NO_STEP = "unsafe: no step reached it"
LOST = frozenset({"timeout", "unavailable"})


@dataclass(frozen=True)
class SafeReport:
    """How each device was left, in rig order.

    Parameters
    ----------
    devices : mapping of str to str
        "safe", "safe: ..." for one without power that does not say so itself, "unreachable: ..." or
        "unsafe: ...".
    """

    devices: Mapping[str, str]

    @property
    def left_unsafe(self) -> tuple[str, ...]:
        """Devices not known to be in their safe state."""
        return tuple(name for name, text in self.devices.items() if not is_safe(text))


def is_safe(end: str) -> bool:
    """Return whether a device that was left so is in a safe state."""
    return end == SAFE or end.startswith(f"{SAFE}:")


async def make_safe(
    devices: Mapping[str, Guarded],
    steps: Sequence[SafeStep],
    report: Callable[..., object],
    *,
    already: Mapping[str, str] | None = None,
) -> SafeReport:
    """Drive all devices to their safe state.

    Parameters
    ----------
    devices : mapping of str to Guarded
        In rig order.
    steps : sequence of SafeStep
        In this order.
    report : callable
        Takes (device, kind, **data): "safe_step" for each device and step.
    already : mapping of str to str, optional
        Devices among them that cannot be reached, with their end: an analyser may still prove them
        without power.

    Returns
    -------
    SafeReport
    """
    ends: dict[str, str | None] = dict.fromkeys(devices)
    for name, device in devices.items():
        if device.capability not in FINAL_STEP:
            ends[name] = SAFE  # it moves nothing
    ends.update(already or {})
    for step in steps:
        concerned = [
            device
            for name, device in devices.items()
            if device.capability in CAPABILITIES_OF[step.do]
            and (name in step.devices or not step.devices)
            and (step.do == "prove" or name not in (already or {}))
        ]
        if step.do == "prove":
            await _prove(step, concerned, devices, ends, report)
            continue
        results = await asyncio.gather(*(_bounded(step, device) for device in concerned))
        for device, failure in zip(concerned, results, strict=True):
            report(device.name, "safe_step", step=step.do, result=failure or "done")
            # Only the final step, and what undoes it, decides where a device was left.
            if step.do in (FINAL_STEP[device.capability], "restore"):
                ends[device.name] = failure or SAFE
    opened = await asyncio.gather(*(opened_protection(device) for device in devices.values()))
    for name, wrong in zip(devices, opened, strict=True):
        ends[name] = wrong or ends[name]
    return SafeReport({name: end or NO_STEP for name, end in ends.items()})


async def _prove(
    step: SafeStep,
    concerned: Sequence[Guarded],
    devices: Mapping[str, Guarded],
    ends: dict[str, str | None],
    report: Callable[..., object],
) -> None:
    """Have the analysers decide, of the devices that one measures, how they are left."""
    behind = [d for d in concerned if isinstance(d.device.terminal, SourceTerminal)]
    told = await asyncio.gather(
        *(prove(step, device, devices, ends[device.name] or NO_STEP) for device in behind)
    )
    for device, end in zip(behind, told, strict=True):
        report(device.name, "safe_step", step=step.do, result="done" if is_safe(end) else end)
        ends[device.name] = end


async def _bounded(step: SafeStep, device: Guarded) -> str | None:
    """Do one step with one device; return None, or how it failed."""
    try:
        await asyncio.wait_for(_STEPS[step.do](step, device), step.within_s)
    except TimeoutError:
        return f"{UNREACHABLE}: no answer within {step.within_s:g} s"
    except DriverError as error:
        end = UNREACHABLE if error.kind in LOST else "unsafe"
        return f"{end}: {error}"
    except Exception as error:
        # A driver's bug must not keep the other devices from their safe state; it is named.
        return f"unsafe: {type(error).__name__}: {error}"
    return None


async def _power_zero(_: SafeStep, device: Guarded) -> None:
    assert isinstance(device, GuardedInverter)
    await device.power_zero()


async def _settle(step: SafeStep, device: Guarded) -> None:
    await _fall(device, "p_w", step.below_w, step.within_s)


async def _cease(_: SafeStep, device: Guarded) -> None:
    await device.make_safe()


async def _open_fets(step: SafeStep, device: Guarded) -> None:
    if False in device.device.safe_settings().values():
        await _fall(device, "i_a", step.below_a, step.within_s)
    await device.make_safe()


async def _restore(step: SafeStep, device: Guarded) -> None:
    try:
        # Half the time is kept for the safe state, which has the last word.
        async with asyncio.timeout(step.within_s / 2):
            await device.restore()
    finally:
        await device.make_safe()


async def _fall(device: Guarded, key: str, below: float, within_s: float) -> None:
    """Wait until a reading falls below a magnitude, a little less than the step may take."""
    deadline_s = asyncio.get_running_loop().time() + 0.9 * within_s
    # NaN is not below anything: a reading without a value settles nothing.
    while not abs(found := float(getattr(await device.read(), key))) < below:
        if asyncio.get_running_loop().time() + POLL_S > deadline_s:
            raise DriverError(
                "rig.not_settled",
                "{device}: {key} is still {found:g}, not below {below:g} in magnitude",
                kind="other",
                device=device.name,
                key=key,
                found=found,
                below=below,
            )
        await asyncio.sleep(POLL_S)


_STEPS: Mapping[str, Callable[[SafeStep, Guarded], Awaitable[None]]] = {
    "power-zero": _power_zero,
    "settle": _settle,
    "cease": _cease,
    "open-switch": _cease,
    "ac-off": _cease,
    "dc-off": _cease,
    "open-fets": _open_fets,
    "load-off": _cease,
    "restore": _restore,
}
