"""An inverter brought to where its functions are tested, and the points that a test visits."""

from collections.abc import Sequence

from gridrig.campaign.acceptance import WIDENING
from gridrig.campaign.grid_bench import MRA_P_PU, MRA_V_PU, GridBench, open_grid_bench
from gridrig.campaign.lab import Lab
from gridrig.errors import CampaignError

V_LOW_PU, V_HIGH_PU = 0.88, 1.10  # continuous operation
V_REACH_PU = WIDENING * MRA_V_PU  # how far beside a corner of a curve is stepped to
P_REACH_PU = WIDENING * MRA_P_PU
ENTER_S = 600.0  # default delay and ramp of enter service
LATE_S = 120.0
AT_POWER = 0.97
# What decides active or reactive power and must be out of the way of what is tested. Frequency
# droop may not be switched off, and acts on nothing at nominal frequency.
FUNCTIONS = ("volt_var", "watt_var", "power_factor", "volt_watt")


async def at_power(lab: Lab) -> GridBench:
    """Return the bench with the inverter at rated power and none of its functions on.

    Raises
    ------
    CampaignError
        `campaign.not_at_power` if it does not come to give what is offered.
    """
    bench = await open_grid_bench(lab)
    bench.require(v_pu=MRA_V_PU, p_pu=MRA_P_PU)
    inverter = lab.driver(bench.name)
    await inverter.set_limit_w(bench.rated_w)  # whatever was left in force
    await inverter.set_q_var(None)
    await all_off(bench)
    await bench.connect()
    await bench.hold(ENTER_S)
    if not await bench.gives(AT_POWER, LATE_S):
        raise CampaignError(
            "campaign.not_at_power",
            "{device} gives {found:.3f} pu of what the DC source offers, expected {expected:g}",
            device=bench.name,
            found=await bench.power_pu(),
            expected=AT_POWER,
        )
    return bench


async def all_off(bench: GridBench) -> None:
    """Switch off every function that decides active or reactive power."""
    inverter = bench.lab.driver(bench.name)
    for name in FUNCTIONS:
        if name in inverter.functions:
            found = await inverter.read_function(name)
            if found.on:
                await inverter.write_function(name, found.settings, on=False)


def visited(corners: Sequence[float], reach: float, end: float) -> list[float]:
    """Return what is stepped to from the first of some corners to an end.

    Parameters
    ----------
    corners : sequence of float
        Of a characteristic, in the order of the way.
    reach : float
        How far before and behind each is stepped to.
    end : float
        Never passed; the last step is `reach` before it.

    Examples
    --------
    >>> visited((1.02, 1.08), 0.015, 1.10)
    [1.005, 1.035, 1.05, 1.065, 1.085]
    """
    way = 1.0 if end >= corners[0] else -1.0
    found: list[float] = []
    for k, corner in enumerate(corners):
        found += [corner - way * reach, corner + way * reach]
        if k + 1 < len(corners):
            found.append(0.5 * (corner + corners[k + 1]))
    last = end - way * reach
    inside = [x for x in found if way * (last - x) > 1e-9]
    return [round(x, 6) for x in [*inside, last]]


def there_and_back(way: Sequence[float], home: float) -> list[float]:
    """Return a way, the same back, and home.

    >>> there_and_back([1.0, 1.05], 0.98)
    [1.0, 1.05, 1.0, 0.98]
    """
    return [*way, *reversed(way[:-1]), home]
