"""The feeder's benchmark: a step of the feeder beside the engine alone, on the same circuit.

A step gives every load another power, solves, and reads every voltage; or every voltage and
loading, the losses and what comes from the main grid. The engine alone does that and looks at
nothing. The feeder also checks what it is given and what it gets back: converged, balanced at every
bus, voltages within their band, dead buses.

Both take turns step by step with the same powers, in one process, so that a machine that is slow
for a while is slow for both.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from gridrig.bench.feeder_bare import (
    OPENDSS_DEFAULT,
    Bare,
    dss_batch,
    dss_interface,
    pandapower_tuned,
    pandapower_usual,
)
from gridrig.bench.feeder_street import write_street
from gridrig.bench.rows import Goal, Measured, Row
from gridrig.clock.stopwatch import now_ns
from gridrig.grid import Feeder, Network, Solution, load_network, make_feeder
from gridrig.grid.engine import ComplexArray, FloatArray

WORKLOADS = ("opendss", "pandapower", "opendss-file")
OVERHEAD_MAX = 0.20
NETWORKS = ("pandapower:case33bw", "pandapower:kerber_vorstadtnetz_kabel_1")
STREET_HOUSES = 60
STEPS, QUICK_STEPS = 400, 5
NS_PER_US = 1e3


@dataclass(frozen=True)
class Peer:
    """An engine alone, and what its step reads."""

    name: str
    step: Bare
    overhead_max: float | None = None
    """What the feeder may take more than it; None only informs. [1]"""
    all_of_it: bool = False
    """Whether flows are read beside voltages, by both."""


def measure(workloads: Sequence[str], quick: bool) -> Measured:
    """Measure the chosen workloads, in the order asked for."""
    measured = Measured()
    names = NETWORKS[:1] if quick else NETWORKS
    for workload in workloads:
        if workload == "opendss-file":
            with TemporaryDirectory(prefix="gridrig-feeder-") as folder:
                write_street(Path(folder) / "street.dss", STREET_HOUSES)
                network = load_network("street.dss", folder=Path(folder))
                measured.rows += _opendss(network, quick)
            continue
        for name in names:
            network = load_network(name)
            measured.rows += (_opendss if workload == "opendss" else _pandapower)(network, quick)
    measured.remarks.append(
        "half of the steps took less than this; judged is the engine through its usual interface, "
        "asked for the accuracy that the feeder asks for"
    )
    return measured


def _opendss(network: Network, quick: bool) -> Iterator[Row]:
    one_by_one = "OpenDSS, load by load"
    peers = [
        Peer(one_by_one, dss_interface(network), OVERHEAD_MAX),
        Peer(one_by_one, dss_interface(network, all_of_it=True), OVERHEAD_MAX, all_of_it=True),
        Peer("OpenDSS, loads as arrays", dss_batch(network)),
        Peer("OpenDSS, loads as arrays", dss_batch(network, all_of_it=True), all_of_it=True),
        Peer(
            f"{one_by_one}, to {OPENDSS_DEFAULT:g} pu",
            dss_interface(network, tolerance=OPENDSS_DEFAULT),
        ),
    ]
    yield from _rows(network, "opendss", peers, quick)


def _pandapower(network: Network, quick: bool) -> Iterator[Row]:
    tuned = "runpp, recycled, lightsim2grid"
    peers = [
        Peer(tuned, pandapower_tuned(network), OVERHEAD_MAX),
        Peer(tuned, pandapower_tuned(network, all_of_it=True), OVERHEAD_MAX, all_of_it=True),
        Peer("runpp, from the last result", pandapower_usual(network), all_of_it=True),
    ]
    yield from _rows(network, "pandapower", peers, quick)


def _rows(network: Network, engine: str, peers: Sequence[Peer], quick: bool) -> Iterator[Row]:
    feeder = make_feeder(engine, network, "source")
    for peer in peers:
        ours, theirs, apart = _beside(feeder, peer, QUICK_STEPS if quick else STEPS)
        # The two answer the same question; a benchmark of two different ones would mean nothing.
        assert apart < 1e-3, f"{engine} alone differs by {apart} pu"
        yield Row(
            task=f"a step, {engine}: {'voltages and flows' if peer.all_of_it else 'voltages'}",
            workload=f"{Path(network.name).name}, {len(network.buses)} buses",
            ours=ours / NS_PER_US,
            unit="us",
            peer=peer.name,
            peer_figure=theirs / NS_PER_US,
            goal=None if peer.overhead_max is None else Goal(ratio=1.0 / (1.0 + peer.overhead_max)),
            less_is_better=True,
            note=f"at most {OVERHEAD_MAX:.0%} over the engine alone is a ratio of 0.83 x or more",
        )


def _beside(feeder: Feeder, peer: Peer, steps: int) -> tuple[float, float, float]:
    """Return the median of both [ns], and how far their voltages are apart at most. [pu]"""
    ours = partial(_step, feeder, _all_of_it if peer.all_of_it else _voltages)
    powers = list(_powers(feeder, steps))
    apart = max(
        float(np.abs(ours(p_w, q_var).v_high_pu.max() - peer.step(p_w, q_var).max()))
        for p_w, q_var in powers[:3]
    )
    times: tuple[list[int], list[int]] = [], []
    for p_w, q_var in powers:
        times[0].append(_timed(ours, p_w, q_var))
        times[1].append(_timed(peer.step, p_w, q_var))
    return float(np.median(times[0])), float(np.median(times[1])), apart


def _step(
    feeder: Feeder, read: Callable[[Solution], object], p_w: FloatArray, q_var: FloatArray
) -> Solution:
    solution = feeder.solve(p_w, q_var)
    read(solution)
    return solution


def _voltages(solution: Solution) -> object:
    return solution.v_pu, solution.v_low_pu, solution.v_high_pu


def _all_of_it(solution: Solution) -> object:
    loadings = solution.line_loading_percent, solution.trafo_loading_percent
    return _voltages(solution), loadings, solution.losses_w, solution.head_p_w


def _timed(step: Callable[..., object], p_w: FloatArray, q_var: FloatArray) -> int:
    began = now_ns()
    step(p_w, q_var)
    return now_ns() - began


def _powers(feeder: Feeder, steps: int) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Give what goes in at each point, loads within 10 % of half their rating."""
    rated: ComplexArray = np.zeros(len(feeder.buses), dtype=complex)
    for load in feeder.network.loads:
        rated[feeder.buses.index(load.bus)] -= 0.5 * (load.draw_w + 1j * load.draw_var)
    random = np.random.default_rng(1)
    for _ in range(steps):
        injected = rated * random.uniform(0.9, 1.1, len(rated))
        yield injected.real.copy(), injected.imag.copy()
