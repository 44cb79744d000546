"""What a run directory holds: one type for each kind of record, and the names of the files."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

RIG, SCENARIO, RUN, HOST = "rig.toml", "scenario.toml", "run.json", "host.json"
FEEDER = "feeder"  # a folder: the files that its network, profiles and weather were read from
TRACE, ISLAND = "trace.parquet", "island.parquet"
LIVE_EVENTS = "events.live.jsonl"  # while it runs; it stays only if the run was killed
EVENTS, READINGS = "events.jsonl", "readings.jsonl"
ORDERS, TRADES, CLEARING = "orders.csv", "trades.csv", "clearing.csv"
ZONES, LINKS = "zones.csv", "links.csv"  # of a market that clears in zones
ENTRIES, BALANCES, ENERGY, JOURNAL = "entries.csv", "balances.csv", "energy.csv", "journal.sqlite"
JOBS, ESCROW = "jobs.csv", "escrow.csv"  # of a run with computing jobs
TIMING = "timing.json"  # of a run on the wall clock
VERDICTS, REPORT, JUNIT = "verdicts.json", "report.html", "junit.xml"
CAPTURE = "capture.jsonl"
BUNDLE = "bundle.zip"  # of a run that did not pass
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"

BY_NATURE_DIFFERENT = (HOST, JOURNAL, MANIFEST, SIGNATURE)
"""Files whose bytes two runs of one seed need not share; every other file is the same."""

ISLAND_COLUMNS = ("t_s", "f_hz", "v_pu", "opening")


@dataclass(frozen=True)
class DeviceRecord:
    """A device of the rig, as it identified itself at the start of the run."""

    name: str
    capability: str
    driver: str
    kind: Literal["emulated", "hardware"]
    identity: Mapping[str, Any] = field(default_factory=dict)
    bus: str = ""
    calibration: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ParticipantRecord:
    """Who trades: its agent's kind, its meter and its bus."""

    name: str
    kind: str
    meter: str
    bus: str = ""


@dataclass(frozen=True)
class Opening:
    """A moment at which the feeder was parted from the main grid.

    Parameters
    ----------
    t_s : float
        When, since the run began. [s]
    p_balance_w : float
        Generation minus load inside at that moment: what the former had to take up. [W]
    former_rating_va : float or None
        Rating of the grid-forming source; None if there is none. [VA]
    text : str
        What happened then.
    """

    t_s: float
    p_balance_w: float
    former_rating_va: float | None
    text: str = ""


@dataclass(frozen=True)
class LimitLine:
    """A relay or ride-through setting to draw beside a measured quantity.

    Parameters
    ----------
    quantity : {"f_hz", "v_pu"}
        What it limits, in the unit of the name.
    value : float
        The limit.
    text : str
        Short name, for example "OF2 trip 0.16 s".
    kind : {"trip", "ride-through"}
        A device must be gone beyond it, or must not be gone within it.
    """

    quantity: Literal["f_hz", "v_pu"]
    value: float
    text: str
    kind: Literal["trip", "ride-through"] = "trip"


@dataclass(frozen=True)
class RunRecord:
    """What a run was: the content of `run.json`.

    Parameters
    ----------
    title, rig, scenario : str
        Names for people.
    seed : int
        Of all randomness.
    clock : {"virtual", "wall"}
        Kind of clock.
    gridrig : str
        Version of the project.
    start_utc_s, duration_s, period_s : int
        Scenario start, length, and delivery period. [s]
    nominal : mapping
        `f_hz`, `v_ll`, `phases` of the rig.
    feeder : mapping
        `engine`, `network`, `pcc`.
    versions : mapping of str to str
        Of the libraries that took part.
    overrides : mapping
        What the command line or a mutant changed in rig or scenario.
    slice : mapping
        The part of the scenario that ran, if not all of it: `from_s`, `for_s`, `tick_s`. [s]
    devices, participants, opening, limits
        As their types say.
    """

    title: str
    seed: int
    clock: str
    gridrig: str
    start_utc_s: int
    duration_s: int
    period_s: int
    rig: str = ""
    scenario: str = ""
    nominal: Mapping[str, Any] = field(default_factory=dict)
    feeder: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    devices: tuple[DeviceRecord, ...] = ()
    participants: tuple[ParticipantRecord, ...] = ()
    opening: tuple[Opening, ...] = ()
    limits: tuple[LimitLine, ...] = ()
    slice: Mapping[str, int] = field(default_factory=dict)

    @property
    def emulated(self) -> tuple[str, ...]:
        """Names of the devices that were emulated."""
        return tuple(device.name for device in self.devices if device.kind == "emulated")

    def to_json(self) -> dict[str, Any]:
        """Return the content of `run.json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "RunRecord":
        """Read `run.json` back."""
        nested: dict[str, Any] = {
            "devices": DeviceRecord,
            "participants": ParticipantRecord,
            "opening": Opening,
            "limits": LimitLine,
        }
        values = dict(content)
        for key, row_type in nested.items():
            values[key] = tuple(row_type(**entry) for entry in content.get(key, ()))
        return cls(**values)


@dataclass(frozen=True)
class ReadingRow:
    """A signed reading as it was received, and whether it was believed.

    Parameters
    ----------
    period : int
        Delivery period it was asked for.
    meter : str
        Device that sent it.
    record : bytes
        Exactly what came over the wire.
    outcome : str
        "verified", or the stable code of the refusal.
    message : str
        Reason of the refusal, for people.
    digest : str
        SHA-256 of the payload in hex; empty if refused.
    received_s : int or None
        When it came; None if nobody noted it. [UTC s]
    """

    period: int
    meter: str
    record: bytes
    outcome: str
    message: str = ""
    digest: str = ""
    received_s: int | None = None


@dataclass(frozen=True)
class OrderRow:
    """An order as placed; `refused` is empty, or the code of the refusal; `why` a mind says."""

    period: int
    order_id: int
    participant: str
    side: str
    energy_milliwh: int
    price_micro_per_kwh: int
    refused: str = ""
    why: str = ""


@dataclass(frozen=True)
class TradeRow:
    """A filled order or part of one, against the clearing house.

    `zone` is empty for the main grid, and where there are none; `financial_only_milliwh` is what of
    it no wire brings to its counterparty, None where there are no zones. [mWh]
    """

    period: int
    trade_id: int
    order_id: int
    participant: str
    side: str
    energy_milliwh: int
    price_micro_per_kwh: int
    zone: str = ""
    financial_only_milliwh: int | None = None


@dataclass(frozen=True)
class ClearingRow:
    """One delivery period's auction; no price if nothing was traded."""

    period: int
    start_utc_s: int
    price_micro_per_kwh: int | None
    volume_milliwh: int
    island: bool


@dataclass(frozen=True)
class ZoneRow:
    """One zone in one delivery period; no price if nothing was traded in it."""

    period: int
    zone: str
    price_micro_per_kwh: int | None
    bought_milliwh: int
    sold_milliwh: int


@dataclass(frozen=True)
class LinkRow:
    """What one link carried in one delivery period, its first zone to its second positive.

    `fee_micro_per_kwh` is that of the way it flowed, `full` whether it could carry no more.
    """

    period: int
    link: str
    net_milliwh: int
    fee_micro_per_kwh: int
    fee_micro: int
    full: bool


@dataclass(frozen=True)
class EntryRow:
    """One line of the ledger: who paid whom for what, backed by which readings.

    `(period, revision, entry_id)` is its key; `booked_in` is the period that was open when it was
    posted, `quality` how the energy of its meter is known.
    """

    entry_id: int
    period: int
    kind: str
    debit: str
    credit: str
    amount_micro: int
    energy_milliwh: int
    price_micro_per_kwh: int
    trade_id: int | None = None
    meter: str | None = None
    opening_digest: bytes | None = None
    closing_digest: bytes | None = None
    revision: int = 0
    booked_in: int | None = None
    quality: str | None = None


@dataclass(frozen=True)
class JobRow:
    """A computing job and how it ended; see `Ended`."""

    job: str
    node: str
    buyer: str
    work: str
    ending: str
    why: str
    begun_s: float | None
    done_s: float | None
    energy_milliwh: int
    result: str | None
    deposit_micro: int
    paid_micro: int
    refunded_micro: int


@dataclass(frozen=True)
class BalanceRow:
    """What an account came to at the end. [millionths]."""

    account: str
    amount_micro: int


@dataclass(frozen=True)
class EnergyRow:
    """Energy of one delivery period over the feeder's head, and its losses by two ways. [mWh].

    `losses_milliwh` comes from signed registers, `engine_losses_milliwh` from the feeder engine.
    """

    period: int
    imported_milliwh: int
    exported_milliwh: int
    losses_milliwh: int
    engine_losses_milliwh: float
    allowed_difference_milliwh: int
