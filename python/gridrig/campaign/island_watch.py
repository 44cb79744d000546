"""What the islands of a run were: each opening of the connection until it is closed again."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gridrig.events import EventLog
from gridrig.plant import Event, IslandTick, events_of

LEAD_S = 0.25  # shown before an opening
STEP_S = 0.001


@dataclass
class IslandRecord:
    """One island, from the opening of its connection on.

    Parameters
    ----------
    opened_s : float
        When the connection opened. [s]
    head_before_w : float
        What the main grid delivered just before; negative while the street exported. [W]
    formed_s : float or None
        Time from the opening until voltage and frequency stayed inside their bands. [s]
    sync : mapping or None
        Differences of frequency, voltage and angle when it closed again.
    troubles : list of Event
        Trips, limits that a former reached, and the end of its voltage.
    """

    opened_s: float
    head_before_w: float
    head_import_milliwh: int
    head_export_milliwh: int
    formed_s: float | None = None
    reclosed_s: float | None = None
    reclose_asked_s: float | None = None
    f_min_hz: float = math.inf
    f_max_hz: float = -math.inf
    v_min_pu: float = math.inf
    v_max_pu: float = -math.inf
    rocof_max_hz_per_s: float = 0.0
    sync: dict[str, float] | None = None
    shed: list[tuple[float, str]] = field(default_factory=list)
    shed_out_of_order: int = 0
    throttled: set[str] = field(default_factory=set)
    tripped: list[str] = field(default_factory=list)
    head_energy_milliwh: int = 0
    dead: bool = False
    troubles: list[Event] = field(default_factory=list)


class IslandWatch:
    """Follows the island model's traces and events.

    Parameters
    ----------
    shed_plan : mapping of load to int
        Stage of each load that may be shed, 1 first.
    """

    def __init__(self, events: EventLog, shed_plan: Mapping[str, int]) -> None:
        self._events = events
        self._shed_plan = shed_plan
        self._off: set[str] = set()
        self.records: list[IslandRecord] = []
        self.columns: dict[str, list[float]] = {"t_s": [], "f_hz": [], "v_pu": [], "opening": []}

    def opened(
        self,
        t_s: float,
        head_before_w: float,
        registers: tuple[int, int],
        *,
        f_hz: float,
        v_pu: float,
    ) -> None:
        """Begin a record, with what frequency and voltage were until then."""
        self.records.append(IslandRecord(t_s, head_before_w, *registers))
        self._trace([t_s - LEAD_S, t_s - STEP_S], [f_hz] * 2, [v_pu] * 2)

    def tick(self, tick: IslandTick, registers: tuple[int, int]) -> None:
        """Take what the island model gave over one tick."""
        record = self.records[-1]
        record.f_min_hz = min(record.f_min_hz, tick.f_min_hz)
        record.f_max_hz = max(record.f_max_hz, tick.f_max_hz)
        record.v_min_pu = min(record.v_min_pu, tick.v_min_pu)
        record.v_max_pu = max(record.v_max_pu, tick.v_max_pu)
        record.rocof_max_hz_per_s = max(record.rocof_max_hz_per_s, tick.rocof_max_hz_s)
        self._trace(tick.times_s, tick.f_hz, tick.v_pu)
        for event in events_of(tick):
            self._note(record, event)
            self._events.record(
                f"island_{event.kind}",
                event.name,
                at_s=event.t_s,
                value=event.value,
                detail=event.detail,
            )
        record.head_energy_milliwh = (
            registers[0] - record.head_import_milliwh + registers[1] - record.head_export_milliwh
        )

    def _trace(self, t_s: Sequence[float], f_hz: Sequence[float], v_pu: Sequence[float]) -> None:
        last = self.columns["t_s"][-1] if self.columns["t_s"] else -math.inf
        for t, f, v in zip(t_s, f_hz, v_pu, strict=True):
            if t > last:
                self.columns["t_s"].append(t)
                self.columns["f_hz"].append(f)
                self.columns["v_pu"].append(v)
                self.columns["opening"].append(float(len(self.records) - 1))

    def _note(self, record: IslandRecord, event: Event) -> None:
        if event.kind in ("tripped", "limit", "dead"):
            record.troubles.append(event)
        match event.kind:
            case "formed":
                record.formed_s = event.value
            case "shed":
                record.shed.append((event.t_s, event.name))
                self._off.add(event.name)
                stage = self._shed_plan.get(event.name, 0)
                before = {load for load, s in self._shed_plan.items() if s < stage}
                record.shed_out_of_order += bool(before - self._off) or stage == 0
            case "restored":
                self._off.discard(event.name)
            case "throttled":
                record.throttled.add(event.name)
            case "tripped":
                record.tripped.append(event.name)
            case "sync":
                record.sync = {**(record.sync or {}), event.detail: event.value}
            case "reclosed":
                record.reclosed_s = event.t_s
            case "dead":
                record.dead = True
