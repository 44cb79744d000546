"""The places of a rig that compute: a node, the battery and the sun around it, and their meters."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gridrig._core import VerifiedReading
from gridrig.rig.description import Rig
from gridrig.rig.participants import ComputeAgent

Signed = Mapping[str, VerifiedReading]
RESUMES_ABOVE = 0.05  # the reserve, unless the rig says from where [1]


@dataclass(frozen=True)
class Place:
    """A computing node, the battery and the sources around it, and the meter of each.

    Parameters
    ----------
    node, storage, pack : str
        Devices; the pack is the manager of the storage's battery.
    sources : tuple of str
        Inverters.
    meter_of : mapping of str to str
        By device.
    reserve_soc, resume_soc : float
        Where jobs are paused or given up, and from where a paused one goes on. [1]
    draws_w : float
        The most that the node draws. [W]
    """

    node: str
    storage: str
    pack: str
    sources: tuple[str, ...]
    meter_of: Mapping[str, str]
    reserve_soc: float
    resume_soc: float
    draws_w: float

    def taken_milliwh(self, begin: Signed, end: Signed) -> int:
        """Return what the node took or its place gave, whichever is less. [mWh]"""
        meter = self.meter_of[self.node]
        took = (end[meter].import_milliwh or 0) - (begin[meter].import_milliwh or 0)
        giving = [self.meter_of[name] for name in (self.storage, *self.sources)]
        gave = sum((end[m].export_milliwh or 0) - (begin[m].export_milliwh or 0) for m in giving)
        return max(0, min(took, gave))


def places_of(rig: Rig) -> list[Place]:
    """Return the places of a rig that compute, in rig order."""
    found = []
    for node in rig.of("compute_node"):
        members = [
            (rig.device(p.meter), p.agent)
            for p in rig.participants
            if isinstance(p.agent, ComputeAgent) and p.agent.node == node.name
        ]
        devices = {str(meter.measures): meter.name for meter, _ in members}
        if node.name not in devices:
            continue
        storage = next(rig.device(n) for n in devices if rig.device(n).capability == "storage")
        agent = next(a for m, a in members if m.measures == storage.name)
        reserve = agent.reserve_soc or 0.0
        resume = min(1.0, reserve + RESUMES_ABOVE) if agent.resume_soc is None else agent.resume_soc
        sources = tuple(n for n in devices if rig.device(n).capability == "inverter")
        draws_w = float(getattr(node.limits, "p_w_max", math.inf))
        found.append(
            Place(
                node.name,
                storage.name,
                str(storage.bms),
                sources,
                devices,
                reserve,
                resume,
                draws_w,
            )
        )
    return found
