"""What a battery manager itself gets wrong: what packs add to the faults of their line.

The wire is in order when they fire. Those that deceive tell a well-formed falsehood: a driver
reports it as told, and what must notice is the procedure, which has instruments.
"""

from collections.abc import Mapping

from gridrig.devices.emulators.fault_spec import FaultParameter, FaultSpec
from gridrig.errors import DriverError
from gridrig.suggestions import one_of

STICKING = ("soc", "v_v", "i_a", "cells_mv", "temperature_c")

PACK_FAULTS: Mapping[str, FaultSpec] = {
    spec.name: spec
    for spec in (
        FaultSpec(
            "soc_jump",
            "state",
            "the manager believes another state of charge and counts on from it",
            (FaultParameter("soc", float, "what it believes", 0, 1),),
            'name = "soc_jump", soc = 0.9',
            deceives=True,
        ),
        FaultSpec(
            "stuck_value",
            "state",
            "one quantity stays as it is told at the first firing",
            (FaultParameter("field", str, f"one of {', '.join(STICKING)}"),),
            'name = "stuck_value", field = "i_a", for_s = 600',
            deceives=True,
        ),
        FaultSpec(
            "over_range_current",
            "state",
            "tells a current beyond what it carries, up to the end of the wire's range",
            (FaultParameter("i_a", float, "positive while discharging", -4000, 4000, 300.0),),
            'name = "over_range_current", i_a = 300',
            deceives=True,
        ),
        FaultSpec(
            "counter_rollover",
            "state",
            "the counter of cycles is about to roll over: it tells 65535 cycles more, in 16 bits",
            (),
            'name = "counter_rollover", for_s = 600',
            deceives=True,
        ),
        FaultSpec(
            "alarm",
            "state",
            "a protection is told that does not act",
            (FaultParameter("protection", str, "its name"),),
            'name = "alarm", protection = "cell_over_voltage"',
            deceives=True,
        ),
        FaultSpec(
            "fet_refused",
            "state",
            "a switching command is acknowledged and nothing moves",
            (),
            'name = "fet_refused"',
        ),
    )
}


def require_sticking(device: str, fault: str, params: Mapping[str, object]) -> None:
    """Refuse a `stuck_value` of what no pack tells.

    Raises
    ------
    DriverError
        `emulator.fault_parameter`.
    """
    field = params.get("field", STICKING[0])
    if fault == "stuck_value" and field not in STICKING:
        raise DriverError(
            "emulator.fault_parameter",
            "fault {fault!r} of {device}: {key} is {found!r}, expected {expected}",
            device=device,
            fault=fault,
            key="field",
            found=field,
            expected=one_of(STICKING),
        )


EXCEPTION = FaultSpec(
    "exception",
    "semantics",
    "the request is refused with a return code",
    (FaultParameter("code", int, "the protocol's code", 1, 255),),
    'name = "exception", code = 128',
)
