"""Heat pumps in rig files and behind the rig's limits."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

from gridrig.clock import Clock, run_virtual
from gridrig.errors import DriverError
from gridrig.rig.guard_instruments import guard_instrument
from gridrig.rig.instruments import LIMITS, SAFE_STATES


@pytest.mark.parametrize("p_w", [1.0, -3001.0, math.nan, True, "all"])
def test_a_power_beyond_the_limit_or_into_the_grid_is_refused(p_w: object) -> None:
    limits, safe = LIMITS["heat_pump"], SAFE_STATES["heat_pump"]
    device: Any = SimpleNamespace(
        name="pump",
        capability="heat_pump",
        limits=limits(p_w_max=3000.0),
        safe_state=safe("own"),
        emulated=True,
    )
    told: list[Any] = []
    sent: list[Any] = []

    async def set_power_w(asked_w: float | None) -> None:
        sent.append(asked_w)

    async def main(_: Clock) -> None:
        def report(_: str, **data: Any) -> None:
            told.append(data.get("value"))

        driver = SimpleNamespace(set_power_w=set_power_w)
        for dry_run in (True, False):
            guarded: Any = guard_instrument(device, driver, report, dry_run=dry_run)
            for allowed in (0.0, -3000.0, None):
                await guarded.set_power_w(allowed)
        with pytest.raises(DriverError) as caught:
            await guarded.set_power_w(p_w)
        assert (caught.value.code, caught.value.kind) == ("rig.limit", "limit")

    run_virtual(main, start_utc_s=0)
    assert told[:3] == sent == [0.0, -3000.0, None]
