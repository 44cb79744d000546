"""Batteries whose told state of charge leaves the limits of their rig: told once, and a finding.

Set-points stop at these limits. What forms an island gives what the island takes, whatever was
ordered: there a limit can only be watched.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gridrig.devices.capabilities import BmsReading
from gridrig.events import EventLog
from gridrig.rig.description import Rig
from gridrig.rig.device import BmsLimits

ROUNDING = 1e-9  # of a quotient of whole counts


@dataclass
class _Passed:
    """How far and how often one limit of a pack was passed."""

    limit: float
    first_s: float
    worst: float
    times: int = 0
    islands: int = 0

    def text(self, name: str, key: str) -> str:
        side = "below" if key == "soc_min" else "above"
        where = {0: "", self.times: ", in an island"}.get(
            self.islands, f", {self.islands} of them in an island"
        )
        times = "once" if self.times == 1 else f"{self.times} times"
        return (
            f"{name} told a state of charge {side} {key} = {self.limit:g}: {self.worst:.3g} at "
            f"worst; passed {times}{where}, first at {self.first_s:g} s"
        )


class SocLimits:
    """Follows what each battery manager tells of its state of charge.

    Parameters
    ----------
    rig : Rig
        Whose batteries have limits.
    events : EventLog
        Told `soc_limit_passed`, each time a limit is passed.
    """

    def __init__(self, rig: Rig, events: EventLog) -> None:
        self._limits = {d.name: d.limits for d in rig.of("bms") if isinstance(d.limits, BmsLimits)}
        self._events = events
        self._outside: dict[str, str] = {}  # which limit is passed now, by battery
        self._passed: dict[tuple[str, str], _Passed] = {}

    def look(self, t_s: float, batteries: Mapping[str, BmsReading], *, islanded: bool) -> None:
        """Take the readings of one tick; who did not answer stays as it was. [s]"""
        for name, reading in batteries.items():
            limits, soc = self._limits[name], reading.soc
            if soc < limits.soc_min - ROUNDING:
                self._note(t_s, name, "soc_min", limits.soc_min, soc, islanded)
            elif soc > limits.soc_max + ROUNDING:
                self._note(t_s, name, "soc_max", limits.soc_max, soc, islanded)
            else:
                self._outside.pop(name, None)

    def findings(self) -> list[str]:
        """Return which limits were passed, how far and how often."""
        return [passed.text(name, key) for (name, key), passed in self._passed.items()]

    def _note(
        self, t_s: float, name: str, key: str, limit: float, soc: float, islanded: bool
    ) -> None:
        passed = self._passed.setdefault((name, key), _Passed(limit, t_s, soc))
        worse = min if key == "soc_min" else max
        passed.worst = worse(passed.worst, soc)
        if self._outside.get(name) == key:
            return
        self._outside[name] = key
        passed.times += 1
        passed.islands += islanded
        self._events.record(
            "soc_limit_passed", name, key=key, soc=soc, limit=limit, islanded=islanded
        )
