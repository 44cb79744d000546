"""A bench's circuit takes long steps while nothing changes: held against all of it at 1 ms.

A dip that trips the inverter, its delay and its ramp into service, a volt-var step, over-frequency
with droop, until OF1 trips: as long as the defaults of IEEE 1547-2018 make it, half an hour; and a
short one, of the same steps.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from gridrig.circuit.bench_circuit import BenchCircuit
from gridrig.clock import Clock, run_virtual
from gridrig.devices.emulators.bench_terminal import Setting
from gridrig.plant import World

RATED_W = 10_000.0
SAMPLE_S = 2.5  # longer than the longest step


@dataclass(frozen=True)
class Length:
    """How long the parts of the run last [s], and how near its powers have to be [pu]."""

    delay_s: float
    ramp_s: float
    response_s: float
    of1_s: float
    within_pu: float


FULL, SHORT = Length(300.0, 300.0, 90.0, 300.0, 0.015), Length(5.0, 60.0, 5.0, 7.5, 0.03)


def flowed(length: Length, *, at_1_ms: bool) -> tuple[np.ndarray, float]:
    """Play the run; return P and Q at every sample, over rated, and when OF1 tripped. [s]"""
    found: list[tuple[float, float]] = []
    end_s = 30.0 + length.delay_s + length.ramp_s + 4 * length.response_s + length.of1_s
    volt_var_s = 20.0 + length.delay_s + length.ramp_s
    fast_s = volt_var_s + 4 * length.response_s
    plays = {  # voltage [pu] and frequency [Hz] from a time on
        0.0: (1.0, 50.0), 10.0: (0.3, 50.0), 12.5: (1.0, 50.0), volt_var_s: (1.06, 50.0),
        fast_s: (1.0, 51.1),
    }  # fmt: skip

    async def main(clock: Clock) -> None:
        world = World(f_nominal_hz=50.0, s_base_va=RATED_W, seed=1)
        pv = world.add_pv(
            "pv",
            {
                "s_va": RATED_W,
                "category": "II",
                "detector": "none",  # long steps leave its phase shift out
                "reactive_mode": "volt_var",
                "volt_var_response_s": length.response_s,
                "enter_service_delay_s": length.delay_s,
                "enter_service_ramp_s": length.ramp_s,
                "relays": {"OF1": [51.0, length.of1_s]},
            },
        )
        world.set_available(pv, 0.9 * RATED_W)
        circuit = BenchCircuit(
            world,
            clock,
            f_nominal_hz=50.0,
            v_ll=400.0,
            phases=3,
            devices={"pv": pv},
            has_switch=False,
        )
        circuit.source_on = True
        if at_1_ms:
            circuit.watch(end_s)
        while clock.now_s() < end_s:
            at_s = round(clock.now_s(), 6)
            if at_s in plays:
                circuit.changed()  # as a command to the source does
                v_pu, f_hz = plays[at_s]
                circuit.source.apply(Setting((v_pu * 400 / 3**0.5,) * 3, (0.0,) * 3, f_hz))
            await clock.sleep_until(at_s + SAMPLE_S)
            circuit.now_s()
            found.append(tuple(-x / RATED_W for x in circuit.drawn("pv")))

    run_virtual(main, start_utc_s=0)
    power = np.array(found)
    feeding = np.flatnonzero(power[:, 0] > 0.05)
    return power, float(feeding[-1] + 1) * SAMPLE_S


@pytest.mark.parametrize("length", [SHORT, pytest.param(FULL, marks=pytest.mark.soak)])
def test_long_steps_give_what_steps_of_a_millisecond_give(length: Length) -> None:
    (quick, quick_trip_s), (fine, fine_trip_s) = (
        flowed(length, at_1_ms=at_1_ms) for at_1_ms in (False, True)
    )
    assert quick_trip_s == fine_trip_s
    # It did trip in the dip, come back, absorb by volt-var and throttle by droop before it tripped.
    assert fine[round(12.5 / SAMPLE_S) - 1, 0] == pytest.approx(0.0, abs=1e-3)
    assert fine[:, 0].max() == pytest.approx(0.9, abs=0.01)
    assert fine[:, 1].min() < -0.2
    assert fine_trip_s < len(fine) * SAMPLE_S
    assert np.abs(quick - fine).max() < length.within_pu
