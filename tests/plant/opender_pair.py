"""One photovoltaic inverter twice: ours, and EPRI's OpenDER, stepped side by side.

OpenDER restates IEEE 1547-2018 independently. Both are rated 100 kVA and 100 kW at 60 Hz. Two
things differ by construction and bound the agreement: OpenDER's lags are trapezoidal over the mean of two
inputs, ours are exact over a held one, which is half a step of delay; and OpenDER has a current
control of 0.02 s, which it gets switched off here because a quasi-static tick has none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from opender import DER, DER_PV

from gridrig.plant import World

RATED_W = 100e3


@dataclass(frozen=True)
class Stage:
    """A condition that holds for a time."""

    seconds: float
    v_pu: float = 1.0
    f_hz: float = 60.0
    p_pu: float = 1.0


@dataclass(frozen=True)
class Outputs:
    """What both gave after every step: active and reactive power, per unit; the times."""

    t_s: np.ndarray
    ours: np.ndarray
    theirs: np.ndarray


class Pair:
    """The two inverters, settings given in each one's own words."""

    def __init__(
        self, ours: dict[str, object], theirs: dict[str, object], *, step_s: float = 0.02
    ) -> None:
        self.step_s = step_s
        self.world = World(f_nominal_hz=60.0, s_base_va=RATED_W, seed=1)
        self.pv = self.world.add_pv(
            "pv",
            {
                "s_va": RATED_W,
                "response_s": 0.0,
                "q_inject_max_pu": 0.44,
                "q_absorb_max_pu": 0.44,
                "q_none_below_p_pu": 0.05,
                "q_full_from_p_pu": 0.2,
                **ours,
            },
        )
        DER.t_s = step_s
        self.der = DER_PV()
        defaults = {"NP_INV_DELAY": 0.0, "NP_MODE_TRANSITION_TIME": 0.0, "AP_RT": 0.0}
        for key, value in {**defaults, **theirs}.items():
            assert hasattr(self.der.der_file, key), key
            setattr(self.der.der_file, key, value)

    def ours_now(self) -> tuple[float, float]:
        """Return what our terminal gives now."""
        (p_w,), (q_var,) = self.world.held()
        return p_w / RATED_W, q_var / RATED_W

    def run(self, *stages: Stage) -> Outputs:
        """Hold each condition for its time."""
        rows = list(self._steps(stages))
        t_s, ours, theirs = zip(*rows, strict=True)
        return Outputs(np.array(t_s), np.array(ours), np.array(theirs))

    def _steps(self, stages: tuple[Stage, ...]) -> Iterator[tuple[float, object, object]]:
        t_s = 0.0
        for stage in stages:
            self.world.set_available(self.pv, stage.p_pu * RATED_W)
            for _ in range(round(stage.seconds / self.step_s)):
                self.world.held()
                self.world.impose([stage.v_pu], stage.f_hz)
                self.world.integrate(self.step_s)
                self.world.advance(self.step_s)
                self.der.update_der_input(v_pu=stage.v_pu, f=stage.f_hz, p_dc_pu=stage.p_pu)
                p_w, q_var = self.der.run()
                t_s += self.step_s
                yield t_s, self.ours_now(), (float(p_w) / RATED_W, float(q_var) / RATED_W)
