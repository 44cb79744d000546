"""Instruments behind the rig's limits: what the rig does not allow never leaves."""

import math
from typing import Any

import pytest
from test_bench_rig import rig_of

from gridrig.campaign.assembly import make_bench, make_street
from gridrig.clock import Clock, run_virtual
from gridrig.devices.bench_capabilities import SequenceStep
from gridrig.errors import DriverError
from gridrig.events import EventLog

V_N = 400 / 3**0.5


def test_what_the_limits_do_not_allow_is_refused_before_it_is_sent() -> None:
    rig = rig_of(("operations_max = 500", "operations_max = 2"))

    async def body(clock: Clock) -> Any:
        events = EventLog(clock, [device.name for device in rig.devices])
        bench = make_bench(rig, make_street(rig, None, seed=1), clock, events)
        refused = {}

        async def attempt(what: str, acting: Any) -> None:
            with pytest.raises(DriverError) as caught:
                await acting
            refused[what] = (caught.value.code, caught.value.kind)

        async with bench:
            ac, dc, rlc, s3 = (bench.devices[n] for n in ("ac-1", "dc-1", "rlc-1", "s3"))
            await attempt("volts", ac.set_voltage_v([291.0, V_N, V_N]))
            await attempt("not a number", ac.set_voltage_v([math.nan] * 3))
            await attempt("hertz", ac.set_frequency_hz(39.9))
            high = SequenceStep((300.0,) * 3, (0.0,) * 3, 50.0, 0.1)
            fine = SequenceStep((V_N,) * 3, (0.0,) * 3, 50.0, 0.1)
            await attempt("one step of a sequence", ac.load_sequence([fine, high]))
            await attempt("dc volts", dc.set_supply(951.0, 1.0))
            await attempt("an array's current in full sun", dc.set_array(900.0, 25.0, 750.0, 23.0))
            await attempt("irradiance", dc.set_irradiance(1501.0))
            await attempt("load", rlc.set_load(12_001.0, 0.0, 0.0))
            await s3.set_closed(True)
            await s3.set_closed(False)
            await attempt("worn contactor", s3.set_closed(True))
            # A setting made behind gridrig's back is no way around the limits.
            await ac.driver.set_voltage_v([295.0] * 3)
            await attempt("output onto it", ac.set_output(True))
        return refused, bench.safe_report

    refused, safe = run_virtual(body, start_utc_s=1_466_424_000)
    assert len(refused) == 10
    assert set(refused.values()) == {("rig.limit", "limit")}
    assert safe.left_unsafe == ()
