"""The feeder's benchmark: a step of the feeder beside the engine alone, on the same circuit.

A step gives every load another power, solves, and reads every voltage. The engine alone does that
and looks at nothing. The feeder also checks what it is given and what it gets back (converged,
balanced at every bus, voltages, dead buses), and tells flows, losses, loadings and the head.

Both take turns step by step with the same powers, in one process, so that a machine that is slow
for a while is slow for both.
"""

from collections.abc import Callable, Iterator, Sequence
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
from gridrig.grid import Feeder, Network, load_network, make_feeder
from gridrig.grid.engine import ComplexArray, FloatArray

WORKLOADS = ("opendss", "pandapower", "opendss-file")
OVERHEAD_MAX = 0.20
NETWORKS = ("pandapower:case33bw", "pandapower:kerber_vorstadtnetz_kabel_1")
STREET_HOUSES = 60
STEPS, QUICK_STEPS = 400, 5
NS_PER_US = 1e3


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
    yield from _rows(
        network,
        "opendss",
        [
            (dss_interface(network), "OpenDSS, load by load", OVERHEAD_MAX),
            (dss_batch(network), "OpenDSS, loads as arrays", None),
            (
                dss_interface(network, tolerance=OPENDSS_DEFAULT),
                f"OpenDSS, load by load, to {OPENDSS_DEFAULT:g} pu",
                None,
            ),
        ],
        quick,
    )


def _pandapower(network: Network, quick: bool) -> Iterator[Row]:
    yield from _rows(
        network,
        "pandapower",
        [
            (pandapower_tuned(network), "runpp, recycled, lightsim2grid", OVERHEAD_MAX),
            (pandapower_usual(network), "runpp, from the last result", None),
        ],
        quick,
    )


def _rows(
    network: Network, engine: str, bares: Sequence[tuple[Bare, str, float | None]], quick: bool
) -> Iterator[Row]:
    feeder = make_feeder(engine, network, "source")
    for bare, name, overhead_max in bares:
        ours, theirs, apart = _beside(feeder, bare, QUICK_STEPS if quick else STEPS)
        # The two answer the same question; a benchmark of two different ones would mean nothing.
        assert apart < 1e-3, f"{engine} alone differs by {apart} pu"
        yield Row(
            task=f"a step, {engine}",
            workload=f"{Path(network.name).name}, {len(network.buses)} buses",
            ours=ours / NS_PER_US,
            unit="us",
            peer=name,
            peer_figure=theirs / NS_PER_US,
            goal=None if overhead_max is None else Goal(ratio=1.0 / (1.0 + overhead_max)),
            less_is_better=True,
            note=f"at most {OVERHEAD_MAX:.0%} over the engine alone is a ratio of 0.83 x or more",
        )


def _beside(feeder: Feeder, bare: Bare, steps: int) -> tuple[float, float, float]:
    """Return the median of both [ns], and how far their voltages are apart at most. [pu]"""
    powers = list(_powers(feeder, steps))
    apart = max(
        float(np.abs(feeder.solve(p_w, q_var).v_high_pu.max() - bare(p_w, q_var).max()))
        for p_w, q_var in powers[:3]
    )
    ours, theirs = [], []
    for p_w, q_var in powers:
        ours.append(_timed(feeder.solve, p_w, q_var))
        theirs.append(_timed(bare, p_w, q_var))
    return float(np.median(ours)), float(np.median(theirs)), apart


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
