"""An inverter on a secured wire, attacked in every way there is, while its bench goes on.

The bench reads, and changes its own limit between two values, all the time; a reader with a
certificate of its own comes anew in each control period. Neither knows of the strangers. What these
did is judged by what the bench reads after each attempt, and by the signed meter.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.lab import Lab, open_lab
from gridrig.clock import Clock
from gridrig.devices.links import ModbusTcpLink, ModbusTlsLink
from gridrig.devices.wire.modbus_authority import EXPIRED, WITHOUT_ROLE, files_of
from gridrig.devices.wire.sunspec_roles import READ_ONLY
from gridrig.errors import CampaignError, DriverError
from gridrig.promises.attacks import FLOOD_S, HIGH, LOW, Attacked, Tried, attack
from gridrig.promises.strangers import (
    Refused,
    connected,
    find_set_points,
    owner,
    stranger,
    target_of,
)
from gridrig.rig.description import load_rig

PERIOD_S = 2.0
CHANGE_PERIODS = 5  # from one set point of the bench to the next
IN_SERVICE_S, SETTLE_S = 60.0, 10.0
OFFSET_S = 0.37  # strangers keep out of step with the bench, so that a run is the same each time
REQUESTS_A_PERIOD = 8  # of the bench and its reader, at most: two readings, a set point, a meter
PLAIN = "one-inverter.toml"


@dataclass
class Found:
    """What the attacks came to.

    Parameters
    ----------
    tried : Tried
        What strangers tried.
    on_plain : int
        Of the same replays, those that a device on plain Modbus carried out.
    outside_w : float
        Furthest that the power at the meter was from what the bench had set. [W]
    readings : int
        The reader's, each on a connection of its own.
    control_gap_s, reader_gap_s : float
        Longest time from one reading of the bench, and of the reader, to the next. [s]
    flood_times : float
        Requests of the flood beside the most that the bench and its reader ask in that time.
    """

    tried: Tried
    on_plain: int
    outside_w: float = 0.0
    readings: int = 0
    control_gap_s: float = 0.0
    reader_gap_s: float = 0.0

    @property
    def flood_times(self) -> float:
        """How much more strangers asked than the bench."""
        return self.tried.flooded / (REQUESTS_A_PERIOD * FLOOD_S / PERIOD_S)


async def hostile_traffic(lab: Lab, device: str) -> Found:
    """Attack a device of a bench.

    Raises
    ------
    CampaignError
        `campaign.no_secured_wire`, if the device is on a plain one; `campaign.keys_missing`, if
        what strangers need does not lie beside the bench's certificate.
    """
    link = lab.bench.link_of(device)
    keys = _keys_beside(link, device)
    on_plain = await plain_replays(lab.clock)
    async with _in_service(lab, device) as attacked:
        recordings = await attacked.record()
        await lab.pass_time(SETTLE_S, step_s=1.0)

        async def strangers() -> Tried:
            await lab.clock.sleep(OFFSET_S)
            return await attack(attacked, recordings, keys)

        attacking = asyncio.create_task(strangers())
        watch = _Watch(lab, device, attacked)
        try:
            await watch.keep(attacking, stranger(*files_of(keys, READ_ONLY)[1:]))
        finally:
            attacking.cancel()
    found = Found(attacking.result(), on_plain, watch.outside_w, len(watch.reader_s) - 2)
    found.control_gap_s, found.reader_gap_s = _gap(watch.control_s), _gap(watch.reader_s)
    return found


async def plain_replays(clock: Clock) -> int:
    """Return how many replayed set points the same inverter carries out on plain Modbus.

    The attack has to succeed where nobody is asked who he is, or being refused would say nothing.
    """
    tried = Tried()
    async with (
        open_lab(load_rig(RIGS / PLAIN), clock, [], []) as plain,
        _in_service(plain, plain.name_of("inverter")) as attacked,
    ):
        await attacked.replay(await attacked.record(), tried)
    return len(tried.unsafe)


class _Watch:
    """The bench as it goes on, and a reader that comes and goes."""

    def __init__(self, lab: Lab, device: str, attacked: Attacked) -> None:
        self._lab = lab
        self._device = device
        self._attacked = attacked
        self.outside_w = 0.0
        self.control_s = [lab.clock.now_s()]
        self.reader_s = [lab.clock.now_s()]

    async def keep(self, attacking: "asyncio.Task[Tried]", reader: ssl.SSLContext) -> None:
        """Go on until the strangers have done."""
        lab, driver, rating_w = self._lab, self._attacked.driver, self._attacked.rating_w
        period = 0
        while not attacking.done():
            with suppress(DriverError):  # a gap tells of it
                if period % CHANGE_PERIODS == 0:
                    share = (LOW, HIGH)[period // CHANGE_PERIODS % 2]
                    await driver.set_limit_w(share * rating_w)
                await driver.read()
                self.control_s.append(lab.clock.now_s())
            with suppress(Refused):
                async with connected(target_of(self._attacked.link), reader) as session:
                    await self._attacked.set_points.read(session)
                self.reader_s.append(lab.clock.now_s())
            p_w = (await lab.measured(self._device)).p_w
            self.outside_w = max(self.outside_w, p_w - HIGH * rating_w, LOW * rating_w - p_w)
            await lab.pass_time(PERIOD_S, step_s=1.0)
            period += 1
        self.control_s.append(lab.clock.now_s())
        self.reader_s.append(lab.clock.now_s())


@asynccontextmanager
async def _in_service(lab: Lab, device: str) -> AsyncIterator[Attacked]:
    """Bring a device to its limit, and stay connected with it."""
    limits = lab.rig.device(device).limits
    rating_w = float(limits.p_w_max)  # type: ignore[union-attr]
    driver = lab.driver(device)
    lab.give(device, rating_w)
    await driver.set_limit_w(HIGH * rating_w)
    await lab.pass_time(IN_SERVICE_S, step_s=1.0)
    link = lab.bench.link_of(device)
    assert isinstance(link, ModbusTcpLink)
    async with connected(target_of(link), owner(link)) as session:
        set_points = await find_set_points(session)
        _, high_raw, _ = await set_points.read(session)
        yield Attacked(link, driver, rating_w, lab.clock, session, set_points, high_raw)


def _keys_beside(link: object, device: str) -> Path:
    if not isinstance(link, ModbusTlsLink):
        raise CampaignError(
            "campaign.no_secured_wire",
            "{device} is on a plain wire, which refuses nobody, expected link kind modbus-tls",
            device=device,
        )
    keys = Path(link.certfile).parent
    for file in (READ_ONLY, WITHOUT_ROLE, EXPIRED):
        if not (keys / f"{file}.crt").exists():
            raise CampaignError(
                "campaign.keys_missing",
                "{folder} has no {file}.crt, expected one as gridrig modbus-keys makes it",
                folder=str(keys),
                file=file,
            )
    return keys


def _gap(times_s: list[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(times_s))
