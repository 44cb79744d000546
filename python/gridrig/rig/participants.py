"""Who trades: a participant behind each meter, with the parameters of its agent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from gridrig.rig.device import HEAD, LOAD
from gridrig.rig.schema import Name, NotNegative, Positive, Share, at_least, between

PRICE_MICRO_PER_KWH_MAX = 10**9
Price = Annotated[int, between(-PRICE_MICRO_PER_KWH_MAX, PRICE_MICRO_PER_KWH_MAX)]
Spread = Annotated[int, between(0, PRICE_MICRO_PER_KWH_MAX)]
Hour = Annotated[int, between(0, 24)]
Warmth = Annotated[float, between(5, 35)]


@dataclass(frozen=True)
class ConsumerAgent:
    """Buys what it forecasts to use.

    Parameters
    ----------
    bid_micro_per_kwh : int or None
        Price it bids; None leaves it to the posted tariff. [millionths/kWh]
    spread_micro_per_kwh : int or None
        Largest personal deviation from that price. [millionths/kWh]
    """

    kind: Literal["consumer"]
    bid_micro_per_kwh: Price | None = None
    spread_micro_per_kwh: Spread | None = None


@dataclass(frozen=True)
class ProducerAgent:
    """Sells what it forecasts to generate; prices as of a consumer, but offered."""

    kind: Literal["producer"]
    offer_micro_per_kwh: Price | None = None
    spread_micro_per_kwh: Spread | None = None


@dataclass(frozen=True)
class StorageAgent:
    """Buys low to charge and sells high, within what its pack allows; prices as the others."""

    kind: Literal["storage"]
    bid_micro_per_kwh: Price | None = None
    offer_micro_per_kwh: Price | None = None
    spread_micro_per_kwh: Spread | None = None


@dataclass(frozen=True)
class GridAgent:
    """The main grid behind the feeder head: buys and sells at the posted tariff."""

    kind: Literal["grid"]


@dataclass(frozen=True)
class Building:
    """What a household states of the room that a heat pump warms; it may be wrong by a fifth.

    Parameters
    ----------
    capacity_wh_per_k, conductance_w_per_k : float
        Heat that warms it by a kelvin, and that it loses for each one. [Wh/K, W/K]
    cop : float
        Heat per electricity. [1]
    gains_w : float
        Heat of people, cooking and the sun, on average. [W]
    least_w : float
        The least that the pump takes if it runs. [W]
    """

    capacity_wh_per_k: Positive
    conductance_w_per_k: Positive
    cop: Annotated[float, between(0.5, 10)]
    gains_w: NotNegative = 0.0
    least_w: NotNegative = 0.0


@dataclass(frozen=True)
class ComfortHours:
    """How warm a household wants it from an hour of its day to another, past midnight too.

    Parameters
    ----------
    from_hour, to_hour : int
        The first, and that where the next hours begin. [h]
    low_c, high_c : float
        The ends of the comfort band. [deg C]
    """

    from_hour: Hour
    to_hour: Hour
    low_c: Warmth
    high_c: Warmth

    @property
    def hours(self) -> tuple[int, ...]:
        """The hours of the day that it holds in; all of them if it ends where it begins."""
        count = (self.to_hour - self.from_hour) % 24 or 24
        return tuple((self.from_hour + k) % 24 for k in range(count))


@dataclass(frozen=True)
class HomeAgent:
    """One connection of a home, whose mind forecasts, plans and orders for all of them.

    Parameters
    ----------
    home : str
        Of which home; participants that name the same one share a mind.
    reserve_soc : float
        Of a battery: what it keeps for its owner, beyond its own least. [1]
    zone : str
        Time zone the household lives by; one in all connections of a home.
    connection_w : float or None
        What all its meters together may take; one in all connections of a home, None if
        nothing limits it. [W]
    building : Building or None
        Of a heat pump: what it warms.
    comfort : tuple of ComfortHours
        Of a heat pump: how warm, for every hour of the day.
    """

    kind: Literal["home"]
    home: Name
    reserve_soc: Share = 0.0
    zone: Name = "Europe/Berlin"
    connection_w: Positive | None = None
    building: Building | None = None
    comfort: tuple[ComfortHours, ...] = ()

    def band_c(self, hour: int) -> tuple[float, float]:
        """Return the ends of the comfort band at an hour of the household's day. [deg C]"""
        band = next(one for one in self.comfort if hour in one.hours)
        return band.low_c, band.high_c


@dataclass(frozen=True)
class ComputeAgent:
    """One connection of a place that computes: it orders nothing and follows the node's jobs.

    Parameters
    ----------
    node : str
        Around which computing node; participants that name the same one share a place.
    reserve_soc, resume_soc : float or None
        Of its battery: where jobs are paused or given up, and from where a paused one goes on;
        without the latter, a twentieth above the reserve. [1]
    """

    kind: Literal["compute"]
    node: Name
    reserve_soc: Share | None = None
    resume_soc: Share | None = None


Agent = ConsumerAgent | ProducerAgent | StorageAgent | GridAgent | HomeAgent | ComputeAgent
HOME, COMPUTE = "home", "compute"


@dataclass(frozen=True)
class Participant:
    """One account of the market.

    Parameters
    ----------
    name : str
        Unique in the rig.
    meter : str
        The meter whose registers are this participant's energy; nobody else's.
    agent : ConsumerAgent, ProducerAgent, StorageAgent, GridAgent, HomeAgent or ComputeAgent
        What it bids.
    shed_stage : int or None
        Of a consumer: the stage of under-frequency shedding that drops its load, 1 first;
        None is never shed.
    zone : str or None
        The distribution network that its connection is in, where the rig's market spans several;
        None of the main grid, and of everybody where it spans one.
    """

    name: Name
    meter: Name
    agent: Agent
    shed_stage: Annotated[int, at_least(1)] | None = None
    zone: Name | None = None


# Which agent may stand behind a meter: by what the meter measures, else by the capability of
# the device it measures. Minds of several connections may stand behind each of `OF_A_MIND`, too.
AGENT_BEHIND: Mapping[str, str] = {
    LOAD: "consumer",
    HEAD: "grid",
    "inverter": "producer",
    "storage": "storage",
    "ev_charger": "consumer",
    "heat_pump": "consumer",
    "compute_node": "consumer",
}
OF_A_MIND: Mapping[str, frozenset[str]] = {
    HOME: frozenset({LOAD, "inverter", "storage", "ev_charger", "heat_pump"}),
    COMPUTE: frozenset({"inverter", "storage", "compute_node"}),
}
ROLES = tuple(dict.fromkeys(AGENT_BEHIND.values()))


def role_of(measures: str, capability: str | None) -> str:
    """Return what a participant is to the market, by what is behind its meter.

    Parameters
    ----------
    measures : str
        What the meter measures: "load", "head" or a device.
    capability : str or None
        Of that device.
    """
    return AGENT_BEHIND[measures if capability is None else capability]
