"""What a bench's contactor leaves alone: the same however far apart anybody looks at it."""

import numpy as np
import pytest

from gridrig.circuit.bench_circuit import SWITCH, BenchCircuit, Load
from gridrig.clock import Clock, run_virtual
from gridrig.devices.emulators.bench_terminal import Samples, Setting
from gridrig.plant import World

RATED_W = 10_000.0
OPENED_S, CLOSED_S, END_S = 1.0, 2.0, 2.3
PLACES = ("pv", SWITCH, "load")


def flowed(look_every_s: float) -> dict[str, Samples]:
    """Open and close the contactor of a bench; return what flowed at each place."""
    found: dict[str, Samples] = {}

    async def main(clock: Clock) -> None:
        world = World(f_nominal_hz=50.0, s_base_va=RATED_W, seed=1)
        pv = world.add_pv("pv", {"s_va": RATED_W, "category": "II"})
        world.set_available(pv, RATED_W)
        circuit = BenchCircuit(
            world,
            clock,
            f_nominal_hz=50.0,
            v_ll=400.0,
            phases=3,
            devices={"pv": pv},
            has_switch=True,
        )
        v_v = 400.0 / 3**0.5
        circuit.source.apply(Setting((v_v,) * 3, (0.0,) * 3, 50.0))
        circuit.source_on = True
        circuit.load = Load(RATED_W, RATED_W, 0.97 * RATED_W)
        circuit.move([(0.0, True, True)])
        moves = {OPENED_S: [(0.0, False, False)], CLOSED_S: [(0.0, True, True)]}
        while clock.now_s() < END_S:
            at_s = round(clock.now_s(), 6)
            due = [s for s in moves if s <= at_s]
            for s in due:
                circuit.move(moves.pop(s))
            ahead = [*moves, END_S]
            await clock.sleep_until(min(at_s + look_every_s, *ahead))
            circuit.now_s()
        t_s = np.arange(0.9, END_S - 0.01, 0.0007)
        for place in PLACES:
            found[place] = circuit.history.samples(circuit.places[place], t_s)

    run_virtual(main, start_utc_s=0)
    return found


def test_an_island_is_the_same_looked_at_every_millisecond_and_every_half_second() -> None:
    often, seldom = flowed(0.001), flowed(0.5)
    for place in PLACES:
        a, b = often[place], seldom[place]
        np.testing.assert_allclose(a.f_hz, b.f_hz, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(a.v_v, b.v_v, rtol=1e-6, atol=1e-4)
        np.testing.assert_allclose(a.i_a, b.i_a, rtol=1e-6, atol=1e-3)
        assert (a.contact == b.contact).all()


def test_in_an_island_currents_add_up_to_none_and_powers_balance() -> None:
    found = flowed(0.5)
    t_s = found["pv"].t_s
    alone = (t_s > OPENED_S + 0.01) & (t_s < OPENED_S + 0.1)
    assert np.abs(found[SWITCH].i_a[alone]).max() == 0.0
    v_v = found["pv"].v_v[alone]
    power = {place: np.sum(v_v * np.conj(found[place].i_a[alone]), axis=1) for place in PLACES}
    # What the branches do not take or give back goes into the voltage that moves.
    assert np.abs(power["pv"] + power["load"]).max() < 0.05 * RATED_W
    assert power["pv"].real.mean() == pytest.approx(RATED_W, rel=0.05)
    before = t_s < OPENED_S - 0.01
    total = found["pv"].i_a[before] + found["load"].i_a[before]
    np.testing.assert_allclose(found[SWITCH].i_a[before], total, atol=1e-9)
