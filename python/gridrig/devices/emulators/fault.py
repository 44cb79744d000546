"""Faults an emulated device can be told to show, each firing logged.

A fault is armed by name with parameters and an occasion (`fault_spec`), fires when a request fits,
and is spent. The device's own code asks for it at the point where it acts, so that the order of
requests, never the clock, decides which reply is hit; `for_s` alone counts time, on the loop.

Limits: 1,000 faults armed on one device at a time.
"""

import asyncio
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from gridrig.clock import stream
from gridrig.devices.emulators.fault_spec import (
    ANYTHING,
    ArmedFault,
    Asked,
    FaultProblem,
    FaultSpec,
    FaultValue,
    specs_of,
)
from gridrig.errors import DriverError
from gridrig.suggestions import near_miss

__all__ = ["Asked", "FaultBoard", "FaultSpec", "FaultValue", "OnEvent", "no_log"]

ARMED_MAX = 1_000


class OnEvent(Protocol):
    """Takes what happened on an emulated device; the caller stamps the time."""

    def __call__(self, kind: str, **data: object) -> None:
        """Take one event."""


def no_log(kind: str, **data: object) -> None:
    """Forget the event: for emulators nobody listens to."""


class FaultBoard:
    """The faults armed on one device; of one name, the one armed first fires first.

    Parameters
    ----------
    device : str
        Name used in errors and for the stream that `probability` draws from.
    known : mapping of str to FaultSpec, or to collection of str
        The device's faults: their specification, or the names of the parameters each takes.
    on_event : OnEvent
        Gets `fault_armed`, `fault_fired` and `fault_expired`.
    seed : int
        Of `probability`.
    """

    def __init__(
        self,
        device: str,
        known: Mapping[str, Collection[str] | FaultSpec],
        on_event: OnEvent = no_log,
        *,
        seed: int = 0,
    ) -> None:
        self._device = device
        self._known = specs_of(known)
        self._on_event = on_event
        self._random = stream(seed, f"{device}/faults")
        self._armed: dict[str, list[ArmedFault]] = {}

    @property
    def quiet(self) -> bool:
        """Whether nothing is armed, so that nobody needs to ask."""
        return not self._armed

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Let a fault fire on its occasions, by default the next one.

        Parameters
        ----------
        fault : str
            Its name.
        count : int or None
            How often; None for once, or as often as it can if `for_s` bounds it.
        **params
            What the fault takes, and its occasion: `for_s`, `nth`, `probability`, `function`,
            `command`, `address`, `address_to`.

        Raises
        ------
        DriverError
            `emulator.fault_unknown` with the near miss, `emulator.fault_parameter` or
            `emulator.faults_bound`.
        """
        spec = self._known.get(fault)
        if spec is None:
            raise DriverError(
                "emulator.fault_unknown",
                "{device} has no fault {fault!r} (near miss: {near_miss})",
                device=self._device,
                fault=fault,
                near_miss=near_miss(fault, self._known),
                known=tuple(self._known),
            )
        said = params if count is None else {"count": count, **params}
        if problems := spec.problems(said):
            raise self._refusal(fault, problems[0])
        if sum(map(len, self._armed.values())) >= ARMED_MAX:
            raise DriverError(
                "emulator.faults_bound",
                "{device} has {most} faults armed, which is the bound",
                device=self._device,
                most=ARMED_MAX,
            )
        now_s = asyncio.get_running_loop().time() if "for_s" in said else 0.0
        one = ArmedFault(spec, said, now_s)
        self._armed.setdefault(fault, []).append(one)
        told = {} if "for_s" in said and count is None else {"count": one.left}
        self._on_event("fault_armed", fault=fault, **told, **params)

    def peek(self, fault: str, asked: Asked = ANYTHING) -> dict[str, FaultValue] | None:
        """Return the parameters of an armed fault that a request fits, spending nothing."""
        return next((one.values for one in self._fitting(fault, asked)), None)

    def fire(self, fault: str, asked: Asked = ANYTHING) -> dict[str, FaultValue] | None:
        """Return the parameters if the fault fires on this request, spending one firing; else None.

        Parameters
        ----------
        fault : str
            Its name.
        asked : Asked
            What the request is; a fault armed for certain requests fires on no other.
        """
        for one in self._fitting(fault, asked):
            if one.passes_over():
                continue
            if one.probability < 1 and self._random.random() >= one.probability:
                continue
            one.left -= 1
            if not one.left:
                self._remove(fault, one)
            self._on_event("fault_fired", fault=fault, **one.told)
            return dict(one.values)
        return None

    def _fitting(self, fault: str, asked: Asked) -> Iterator[ArmedFault]:
        for one in tuple(self._armed.get(fault, ())):
            if one.ends_s < math.inf and asyncio.get_running_loop().time() >= one.ends_s:
                self._remove(fault, one)
                self._on_event("fault_expired", fault=fault, **one.told)
            elif one.concerns(asked):
                yield one

    def _remove(self, fault: str, one: ArmedFault) -> None:
        self._armed[fault].remove(one)
        if not self._armed[fault]:
            del self._armed[fault]

    def _refusal(self, fault: str, problem: FaultProblem) -> DriverError:
        found = "nothing" if problem.found is None else repr(problem.found)
        return DriverError(
            "emulator.fault_parameter",
            "fault {fault!r} of {device}: {key} is {found}, expected {expected}",
            device=self._device,
            fault=fault,
            key=problem.key,
            found=found,
            expected=problem.expected,
            near_miss=problem.near,
        )
