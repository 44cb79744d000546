"""A street as an OpenDSS file: unbalanced, with a regulator, as large as one likes."""

from pathlib import Path

_HEAD = """clear
new circuit.street basekv=12.47 pu=1.0 phases=3 bus1=head mvasc3=400 mvasc1=300
set DefaultBaseFrequency=60
new linecode.main nphases=3 r1=0.30 x1=0.35 r0=0.60 x0=1.05 c1=3 c0=2 units=km normamps=400
new linecode.lateral nphases=1 r1=0.60 x1=0.45 r0=0.90 x0=1.20 c1=2 c0=2 units=km normamps=100
new transformer.reg phases=3 windings=2 buses=[head m0] conns=[wye wye] kvs=[12.47 12.47]
~ kvas=[5000 5000] xhl=0.01 %loadloss=0.001 numtaps=32
new regcontrol.reg transformer=reg winding=2 vreg=122 band=2 ptratio=60
"""
_TAIL = "set voltagebases=[12.47]\ncalcvoltagebases\n"


def write_street(path: Path, houses: int) -> None:
    """Write a street of medium voltage with a lateral of one phase for each house.

    Parameters
    ----------
    path : Path
    houses : int
        Each draws 20 kW by a model of its own: power, impedance, current in turn.
    """
    script = [_HEAD]
    for house in range(1, houses + 1):
        phase, model = 1 + house % 3, (1, 2, 5)[house // 3 % 3]
        script.append(
            f"new line.m{house} bus1=m{house - 1} bus2=m{house} linecode=main length=0.1 units=km\n"
            f"new line.l{house} bus1=m{house}.{phase} bus2=h{house}.{phase} phases=1 "
            f"linecode=lateral length=0.2 units=km\n"
            f"new load.h{house} bus1=h{house}.{phase} phases=1 kv=7.2 kw=20 kvar=5 model={model}\n"
        )
    path.write_text("".join([*script, _TAIL]), encoding="utf-8")
