"""A street of 60 sellers and 350 buyers on three distribution networks.

Everything is drawn from a seed. Most roofs stand in one network and few in another, so that part of
what is sold has to go across. A few homes have a device and a meter on real wires; all others are a
column of numbers and a key that signs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gridrig._core import Order
from gridrig.clock.seeds import stream
from gridrig.market.zones import Link, Network, Zone
from gridrig.promises.plant_days import sun_share

SLOT_S, SLOTS = 900, 96
ZONES = ("east", "north", "west")
ROOFS = {"east": 34, "north": 18, "west": 8}
BUYERS = {"east": 80, "north": 120, "west": 150}
MAIN_GRID = "grid"
BUSES = 15
"""Connection points of each network."""
TICK_MICRO_PER_KWH = 1_000
BIDS, OFFERS = (150, 350), (60, 240)  # in ticks
FORECAST_ERROR = 0.2
OUT = frozenset({"east-roof-3", "north-roof-2", "west-roof-4"})
OUT_H = range(11, 14)
"""Roofs that give nothing in these hours of the day, and were expected to."""


@dataclass(frozen=True)
class Home:
    """One connection: in which network and at which point of it, and what it has.

    Parameters
    ----------
    name, zone : str
    bus : int
        From 0, the one nearest to the station, outwards.
    roof_w, load_w : float
        Peak of its roof, mean of its load. [W]
    price_micro_per_kwh : int
        What it bids or asks at most, or at least. [millionths/kWh]
    device : str
        The one on a wire that stands for it, and gives or takes by no habit; else empty.
    """

    name: str
    zone: str
    bus: int
    roof_w: float
    load_w: float
    price_micro_per_kwh: int
    device: str = ""


@dataclass(frozen=True)
class ZonedStreet:
    """Homes of a seed.

    Parameters
    ----------
    seed : int
    start_utc_s : int
        Midnight of the day. [s since 1970]
    homes : tuple of Home
    """

    seed: int
    start_utc_s: int
    homes: tuple[Home, ...] = ()

    @classmethod
    def draw(
        cls,
        seed: int,
        start_utc_s: int,
        wired: Mapping[str, tuple[str, float, float]] | None = None,
    ) -> "ZonedStreet":
        """Draw a street, and put devices on wires in the place of some of its homes.

        Parameters
        ----------
        seed, start_utc_s : int
        wired : mapping of home to (device, roof_w, load_w), optional
            The device that a home then is, the peak of its roof and what it takes. [W]
        """
        random = stream(seed, "zoned-street")
        homes = []
        for kind, counts, prices in (("roof", ROOFS, OFFERS), ("house", BUYERS, BIDS)):
            for zone in ZONES:
                for number in range(1, counts[zone] + 1):
                    roof_w = random.uniform(2_000, 5_500) if kind == "roof" else 0.0
                    price = TICK_MICRO_PER_KWH * random.randint(*prices)
                    load_w = random.uniform(250, 700)
                    name = f"{zone}-{kind}-{number}"
                    homes.append(Home(name, zone, number % BUSES, roof_w, load_w, price))
        for place, home in enumerate(homes):
            if wired is not None and home.name in wired:
                device, roof_w, load_w = wired[home.name]
                homes[place] = replace(home, device=device, roof_w=roof_w, load_w=load_w)
        return cls(seed, start_utc_s, tuple(homes))

    def network(self) -> Network:
        """Return the three networks, joined by contracts only."""
        zones = tuple(
            Zone(zone, participants=tuple(h.name for h in self.homes if h.zone == zone))
            for zone in ZONES
        )
        pairs = [(a, b) for a in ZONES for b in ZONES if a < b]
        links = tuple(Link(a, b, financial=True) for a, b in pairs)
        return Network(zones, links, MAIN_GRID)

    def begins_utc_s(self, slot: int) -> int:
        """Return when a slot begins. [s since 1970]"""
        return self.start_utc_s + SLOT_S * slot

    def expected_w(self, home: Home, slot: int) -> float:
        """Return what a home gives without any accident, less what it takes. [W]"""
        sun = sun_share(self.begins_utc_s(slot) + SLOT_S // 2)
        return home.roof_w * sun - home.load_w * (1.0 if home.device else _habit(slot))

    def powers_w(self, slot: int) -> dict[str, float]:
        """Return what each home gives less what it takes: as expected, but for who is out. [W]"""
        hour = slot * SLOT_S // 3600
        out = OUT if hour in OUT_H else frozenset()
        return {
            home.name: -home.load_w * _habit(slot)
            if home.name in out
            else self.expected_w(home, slot)
            for home in self.homes
        }

    def orders(self, slot: int) -> list[Order]:
        """Return who offers and who bids for a slot, as they forecast it; whole watt-hours."""
        random = stream(self.seed, f"zoned-street-orders-{slot}")
        found = []
        for number, home in enumerate(self.homes, start=1):
            error = random.uniform(1 - FORECAST_ERROR, 1 + FORECAST_ERROR)
            energy = 1_000 * round(self.expected_w(home, slot) * error * SLOT_S / 3600)
            side = "offer" if home.roof_w else "bid"
            energy = energy if home.roof_w else -energy
            if energy > 0:
                found.append(Order(number, home.name, side, energy, home.price_micro_per_kwh))
        return found


def _habit(slot: int) -> float:
    """Return what homes take in a slot, of their mean: little at night, most in the evening."""
    hour = slot * SLOT_S / 3600
    morning, evening = ((hour - at) / width for at, width in ((7.5, 1.5), (19.0, 2.5)))
    return 0.6 + 0.8 * math.exp(-(morning**2)) + 1.2 * math.exp(-(evening**2))
