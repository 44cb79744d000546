"""An independent client: pyvisa with pyvisa-py, unchanged, reads and commands the instruments."""

import asyncio
from typing import Any

import numpy as np
import pytest
import pyvisa
from instrument_bench import V_N, instruments


def opened(endpoint: dict[str, Any]) -> Any:
    manager = pyvisa.ResourceManager("@py")
    if endpoint["kind"] == "serial":
        name, more = f"ASRL{endpoint['port']}::INSTR", {"baud_rate": endpoint["baudrate"]}
    else:
        name, more = f"TCPIP0::{endpoint['host']}::{endpoint['port']}::SOCKET", {}
    return manager.open_resource(
        name, read_termination="\n", write_termination="\n", timeout=5000, **more
    )


def use(source: dict[str, Any], analyser: dict[str, Any]) -> dict[str, Any]:
    """What a laboratory's own script would do, in its own thread."""
    ac, pa = opened(source), opened(analyser)
    found: dict[str, Any] = {"identity": ac.query("*IDN?")}
    ac.write("*RST;*CLS")
    ac.write(f"VOLT {V_N:.3f};:FREQ 50;:OUTP ON")
    found["output"] = ac.query_ascii_values("OUTP?")
    ac.write("VOLT 1 KV")
    found["error"] = ac.query("SYST:ERR?")
    found["no error"] = ac.query("SYST:ERR?")
    found["stb"] = int(ac.query("*STB?"))
    found["opc"] = ac.query("*OPC?")
    pa.write("SENS:WIND 20 MS")
    pa.write("TRAC:RATE 10000;POIN 400;PRET 0;:TRIG:SOUR BUS;:INIT;*TRG")
    while pa.query("TRAC:STAT?") != "DONE":
        pass
    found["wave"] = pa.query_binary_values(
        "TRAC:DATA? V1", datatype="f", is_big_endian=True, container=np.array
    )
    found["volts"] = pa.query_ascii_values("MEAS:VOLT? (@4:6)")
    for resource in (ac, pa):
        resource.close()
    return found


@pytest.mark.parametrize("kind", ["socket", "serial"])
def test_pyvisa_talks_to_the_instruments(on_wall, kind: str) -> None:
    async def body(clock):
        async with instruments(clock, kind=kind) as bench:
            bench.circuit.move([(0.0, True, True)])
            ends = [bench.emulators[name].endpoint for name in ("ac", "pa")]
            return await asyncio.to_thread(use, *ends)

    found = on_wall(body)
    assert found["identity"] == "gridrig,AC source,ac,1.0"
    assert found["output"] == [1.0]
    assert found["error"].startswith('-222,"Data out of range')
    assert found["no error"] == '0,"No error"'
    assert found["stb"] & 0x04 == 0
    assert found["opc"] == "1"
    assert found["wave"].shape == (400,)
    assert np.sqrt(np.mean(found["wave"] ** 2)) == pytest.approx(V_N, rel=0.005)
    assert found["volts"] == pytest.approx([V_N] * 3, rel=0.003)
