"""The feeder solved by OpenDSS: the same balanced network written as a three-phase circuit.

Traps and what is done about them:
- the in-process engine is one global circuit: each feeder has a context of its own;
- `Solve` raises nothing when it does not converge: `Converged` is read every time;
- a load outside vminpu..vmaxpu silently becomes a constant impedance, and an overload then
  "converges": the band is 0.5 to 1.5 pu, and the feeder compares what flowed with what was asked;
- a bus without a source reads 0.0, not NaN: the feeder compares with the topology;
- the default frequency is 60 Hz, which would be wrong for the charging of a 50 Hz cable;
- the delta-wye transformer lags 30 degrees only: other groups are made by turning the LV phases.

The iron loss and magnetising branch sit at the LV winding, pandapower's half at each side: the
460 W of a 160 kVA transformer lower the voltages behind it by 2e-5 pu more here.
"""

from math import sqrt
from typing import Any

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.engine import (
    ITERATIONS_MAX,
    V_MAX_PU,
    V_MIN_PU,
    ComplexArray,
    EngineState,
    FloatArray,
    Topology,
)
from gridrig.grid.network import Network, Transformer

_STIFF_OHM = 1e-9
"""Impedance of an ideal source, which OpenDSS cannot have as 0. [ohm]"""

_TOLERANCE_PU = 1e-11
"""Change of voltage between iterations at which OpenDSS may stop. [pu]"""

_GROUPS = {
    0: ("wye", "1.2.3"),
    30: ("delta", "1.2.3"),
    120: ("wye", "3.1.2"),
    150: ("delta", "3.1.2"),
    240: ("wye", "2.3.1"),
    270: ("delta", "2.3.1"),
}
"""By lag of the LV side [deg]: connection of the HV winding, LV nodes of its three phases."""


class OpenDssEngine:
    """One network in an OpenDSS context of its own, with one load element at each bus."""

    name = "opendss"

    def __init__(self, network: Network) -> None:
        from dss import DSS, DSSException

        self._network = network
        self._refusal = DSSException
        self._dss: Any = DSS.NewContext()
        self._circuit: Any = self._dss.ActiveCircuit
        self._topology: Topology | None = None
        self._volts = (1.0, 1.0)
        self._stale = True
        self._base = np.array(network.v_nominal_v) / sqrt(3.0)
        self._node = np.zeros(0, dtype=np.int64)
        self._line_row = np.zeros(0, dtype=np.int64)
        self._trafo_row = np.zeros(0, dtype=np.int64)

    def arrange(self, topology: Topology, source_v_pu: float, former_v_pu: float) -> None:
        """Take another topology or source voltage; the next solve starts from flat."""
        self._topology = topology
        self._volts = (source_v_pu, former_v_pu)
        self.restart()

    def restart(self) -> None:
        """Forget the last solution, so that the next solve starts from flat."""
        self._stale = True

    def solve(self, p_w: FloatArray, q_var: FloatArray) -> EngineState:
        """Solve with these injections by bus, positive into the grid, constant P and Q."""
        circuit = self._circuit
        if self._stale:
            self._write()
        loads = circuit.Loads
        # A negative load generates: one element at each bus, so that no sign is decided twice.
        for index, (p, q) in enumerate(zip(p_w.tolist(), q_var.tolist(), strict=True), start=1):
            loads.idx = index
            loads.kW = -p / 1e3
            loads.kvar = -q / 1e3
        self._call(circuit.Solution.Solve)
        converged = bool(circuit.Solution.Converged)
        if self._stale or not len(self._node):
            self._index()
        self._stale = False
        return self._read(converged)

    def _call(self, action: Any, *words: Any) -> Any:
        try:
            return action(*words)
        except self._refusal as error:
            self._stale = True
            raise GridError(
                "grid.engine_refused", "opendss: {reason}", reason=" ".join(map(str, error.args))
            ) from error

    def _read(self, converged: bool) -> EngineState:
        circuit = self._circuit
        network = self._network
        nodes = _complex(circuit.YNodeVarray)
        v_pu = np.zeros(len(network.buses), dtype=complex)
        here = self._node >= 0
        v_pu[here] = nodes[self._node[here]] / self._base[here]
        powers = _complex(circuit.PDElements.AllPowers) * 1e3
        line_va = np.zeros((len(network.lines), 2), dtype=complex)
        trafo_va = np.zeros((len(network.transformers), 2), dtype=complex)
        for flows, rows in ((line_va, self._line_row), (trafo_va, self._trafo_row)):
            width = 3 if flows is line_va else 4
            for place, row in enumerate(rows):
                if row >= 0:
                    flows[place, 0] = powers[row : row + width].sum()
                    flows[place, 1] = powers[row + width : row + 2 * width].sum()
        return EngineState(
            converged=converged,
            iterations=int(circuit.Solution.Iterations),
            v_pu=v_pu,
            line_va=line_va,
            trafo_va=trafo_va,
        )

    def _index(self) -> None:
        """Find where OpenDSS keeps the first phase of each bus and the flows of each element."""
        circuit = self._circuit
        order = [str(name).lower() for name in circuit.YNodeOrder]
        place = {name: index for index, name in enumerate(order)}
        count = len(self._network.buses)
        self._node = np.array([place.get(f"b{bus}.1", -1) for bus in range(count)])
        elements = circuit.PDElements
        names = [str(name).lower() for name in elements.AllNames]
        sizes = [
            conductors * terminals
            for conductors, terminals in zip(
                elements.AllNumConductors, elements.AllNumTerminals, strict=True
            )
        ]
        starts = dict(zip(names, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
        self._line_row = np.array(
            [starts.get(f"line.l{i}", -1) for i in range(len(self._network.lines))]
        )
        self._trafo_row = np.array(
            [starts.get(f"transformer.t{i}", -1) for i in range(len(self._network.transformers))]
        )

    def _write(self) -> None:
        """Write the circuit anew: topology changes are rare, and nothing old can linger."""
        network, topology = self._network, self._topology
        if topology is None:
            raise GridError("grid.engine_refused", "opendss: no topology was arranged")
        place = {bus: index for index, bus in enumerate(network.buses)}
        source_v_pu, former_v_pu = self._volts
        source = place[network.source.bus]
        script = [
            "clear",
            f"set DefaultBaseFrequency={network.f_hz}",
            f"new circuit.gridrig bus1=b{source} {_ideal(network, source, source_v_pu)} "
            f"angle={network.source.angle_deg}",
        ]
        for i, line in enumerate(network.lines):
            if line.in_service:
                length = line.length_km / line.parallel
                r, x = line.r_ohm_per_km * length, line.x_ohm_per_km * length
                c = line.c_nf_per_km * line.length_km * line.parallel
                script.append(
                    f"new line.l{i} bus1=b{place[line.from_bus]} bus2=b{place[line.to_bus]} "
                    f"phases=3 length=1 units=none r1={r!r} x1={x!r} r0={r!r} x0={x!r} "
                    f"c1={c!r} c0={c!r}"
                )
        for i, trafo in enumerate(network.transformers):
            if trafo.in_service and (topology.closed or i != topology.pcc):
                script.append(_transformer(i, trafo, place))
        if topology.former is not None:
            script.append(
                f"new vsource.former bus1=b{topology.former} "
                f"{_ideal(network, topology.former, former_v_pu)}"
            )
        script += [
            f"new load.p{i} bus1=b{i} phases=3 conn=wye kv={v / 1e3!r} kw=0 kvar=0 model=1 "
            f"vminpu={V_MIN_PU} vmaxpu={V_MAX_PU}"
            for i, v in enumerate(network.v_nominal_v)
        ]
        script += [
            "set voltagebases=[" + " ".join(f"{v / 1e3!r}" for v in set(network.v_nominal_v)) + "]",
            f"set mode=snapshot controlmode=off maxiterations={ITERATIONS_MAX} "
            f"tolerance={_TOLERANCE_PU}",
        ]
        for command in script:
            self._call(self._dss.Text.Commands, command)
        self._node = np.zeros(0, dtype=np.int64)


def _ideal(network: Network, bus: int, v_pu: float) -> str:
    return (
        f"basekv={network.v_nominal_v[bus] / 1e3!r} pu={v_pu!r} phases=3 "
        f"basefreq={network.f_hz} Z1=[0 {_STIFF_OHM}] Z0=[0 {_STIFF_OHM}]"
    )


def _transformer(index: int, trafo: Transformer, place: dict[str, int]) -> str:
    """Write a transformer with its tap, iron losses and vector group."""
    lag = round(trafo.shift_deg) % 360
    if lag not in _GROUPS or trafo.shift_deg != round(trafo.shift_deg):
        raise GridError(
            "grid.vector_group",
            "transformer {transformer!r} shifts by {shift:g} deg; the OpenDSS engine knows {known}",
            transformer=trafo.name,
            shift=trafo.shift_deg,
            known=", ".join(map(str, _GROUPS)),
        )
    connection, nodes = _GROUPS[lag]
    taps = (trafo.tap_ratio, 1.0) if trafo.tap_side == "hv" else (1.0, trafo.tap_ratio)
    x_percent = sqrt(trafo.vk_percent**2 - trafo.vkr_percent**2)
    iron_percent = 100.0 * trafo.iron_loss_w / trafo.s_va
    magnetising_percent = sqrt(max(trafo.i0_percent**2 - iron_percent**2, 0.0))
    kva = trafo.s_va / 1e3
    return (
        f"new transformer.t{index} phases=3 windings=2 "
        f"buses=[b{place[trafo.hv_bus]}.1.2.3 b{place[trafo.lv_bus]}.{nodes}.0] "
        f"conns=[{connection} wye] kvs=[{trafo.v_hv_v / 1e3!r} {trafo.v_lv_v / 1e3!r}] "
        f"kvas=[{kva!r} {kva!r}] taps=[{taps[0]!r} {taps[1]!r}] mintap=0.5 maxtap=1.5 "
        f"%rs=[{trafo.vkr_percent / 2!r} {trafo.vkr_percent / 2!r}] xhl={x_percent!r} "
        f"%noloadloss={iron_percent!r} %imag={magnetising_percent!r} ppm_antifloat=0"
    )


def _complex(pairs: Any) -> ComplexArray:
    values: ComplexArray = np.asarray(pairs, dtype=np.float64).view(np.complex128)
    return values
