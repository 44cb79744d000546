"""Whether what was made safe is without power, by an instrument and not by its own word.

A device behind an AC source has an analyser on its terminal. What the analyser reads decides: a
device that says it ceased while current flows is unsafe, and one that hangs is safe once its
sources are off and neither voltage nor current is left.

Protection that a test opened is another matter: a device without power that still has its trip
limits open is not as it was found, and the next one to switch it on does not know.
"""

import asyncio
from collections.abc import Mapping

from gridrig.devices.bench_capabilities import AnalyserReading
from gridrig.errors import DriverError, GridrigError
from gridrig.rig.guard import GuardedInverter
from gridrig.rig.guarded import Guarded
from gridrig.rig.instruments import OutputSafeState, SourceTerminal
from gridrig.rig.safe_order import PROTECTION_S, SafeStep

SAFE = "safe"
POLL_S = 0.2


async def prove(step: SafeStep, device: Guarded, devices: Mapping[str, Guarded], end: str) -> str:
    """Return how a device is left, by the analyser on its terminal.

    Parameters
    ----------
    step : SafeStep
        With `proved_v`, `proved_a` and `within_s`.
    device : Guarded
        Behind an AC source.
    devices : mapping of str to Guarded
        All of the bench.
    end : str
        How it is left by its own word.

    Returns
    -------
    str
        "safe", "safe: ..." for one that has no power whatever itself says, or "unsafe: ...".
    """
    terminal = device.device.terminal
    assert isinstance(terminal, SourceTerminal)
    try:
        async with asyncio.timeout(step.within_s):
            told = await _settled(step, devices[terminal.analyser], device, devices)
    except KeyError:
        return f"unsafe: not proved, {terminal.analyser} was not opened; by its own word {end}"
    except (GridrigError, TimeoutError) as error:
        cause = str(error) or f"no answer within {step.within_s:g} s"
        return f"unsafe: not proved by {terminal.analyser}: {cause}; by its own word {end}"
    return SAFE if end == SAFE else f"{SAFE}: without power, {told}; by its own word {end}"


async def _settled(
    step: SafeStep, analyser: Guarded, device: Guarded, devices: Mapping[str, Guarded]
) -> str:
    """Wait until voltage and current are below the step's limits; return what was read last."""
    terminal = device.device.terminal
    assert isinstance(terminal, SourceTerminal)
    source = devices.get(terminal.source)
    state = source.device.safe_state if source is not None else None
    # A source that stays on by the rig's own word leaves a voltage; then the current decides.
    off = not (isinstance(state, OutputSafeState) and state.output)
    deadline_s = asyncio.get_running_loop().time() + 0.9 * step.within_s
    while True:
        reading: AnalyserReading = await analyser.read()
        v_v = max(abs(reading.v_v[k - 1]) for k in terminal.channels)
        i_a = max(abs(reading.i_a[k - 1]) for k in terminal.channels)
        told = f"{analyser.name} reads {v_v:.3g} V and {i_a:.3g} A"
        # Written so that a reading that is not a number settles nothing.
        if (v_v < step.proved_v or not off) and i_a < step.proved_a:
            return told
        if asyncio.get_running_loop().time() + POLL_S > deadline_s:
            raise DriverError(
                "rig.not_without_power",
                "{told}, not below {proved_v:g} V and {proved_a:g} A",
                told=told,
                proved_v=step.proved_v,
                proved_a=step.proved_a,
            )
        await asyncio.sleep(POLL_S)


async def opened_protection(device: Guarded) -> str | None:
    """Return how a device is left if its protection is off or not as it was found."""
    if not isinstance(device, GuardedInverter):
        return None
    try:
        async with asyncio.timeout(PROTECTION_S):
            wrong = await device.protection.left()
    except (GridrigError, TimeoutError):
        # What was written is known all the same; how it is left otherwise says that it hangs.
        wrong = device.protection.not_restored()
    return f"unsafe: {', '.join(wrong)}" if wrong else None
