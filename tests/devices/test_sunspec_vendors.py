"""pysunspec2 and its `suns.py`, unchanged, against the maps that different vendors would make."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from modbus_bench import RTU, TCP, Terminal, pv, storage
from test_sunspec_map import rtu_client, served, tcp_client

from gridrig.devices.drivers.sunspec import SunSpecInverter, SunSpecParameters
from gridrig.devices.emulators.inverter import InverterEmulator

pytest.importorskip("sunspec2.modbus.client")
VENDORS: dict[str, dict[str, Any]] = {
    "plain": {},
    "base 0": {"base": 0},
    "base 50000": {"base": 50000},
    "old common model": {"common_length": 65},
    "no function 6": {"fc6": False},
    "falling order": {"order": "falling"},
    "legacy, single phase": {"generation": "legacy", "phases": 1, "v_nominal_v": 230.0},
    "legacy, floats": {
        "generation": "legacy",
        "phases": 1,
        "v_nominal_v": 230.0,
        "numbers": "float",
    },
    "split phase": {"phases": 2, "v_nominal_v": 240.0},
    "live scale factors": {"scale_factors": "live"},
    "short replies": {"read_count_max": 60},
    "no end model": {"end_model": False},
    "no reversion timers": {"reversion": False},
}


def unit_126(**options: Any) -> InverterEmulator:
    return pv(replace(TCP, unit=126), **options)


def short(open_client: Any) -> Any:
    """Return a client told that the device gives 60 registers a reply, which it is never asked."""

    def opened(endpoint: Any) -> Any:
        device = open_client(endpoint)
        device.client.max_count = 60
        return device

    return opened


@pytest.mark.parametrize("vendor", [name for name in VENDORS if name != "no end model"])
def test_the_reference_client_reads_and_writes_every_vendors_map(vendor: str) -> None:
    options, terminal = VENDORS[vendor], Terminal()

    def use(device: Any) -> tuple[Any, ...]:
        legacy = options.get("generation") == "legacy"
        old = 111 if options.get("numbers") == "float" else 101
        block = device.models[old if legacy else 701][0]
        control = device.models[123 if legacy else 704][0]
        block.read()
        enable = control.WMaxLim_Ena if legacy else control.WMaxLimPctEna
        enable.value, control.WMaxLimPct.cvalue = 1, 50.0
        control.write()  # with FC16 where they lie side by side, with two FC6 in model 123
        block.read()
        return block.W.cvalue, block.Hz.cvalue

    open_client = short(tcp_client) if "read_count_max" in options else tcp_client
    found = served(unit_126(terminal=terminal, **options), open_client, use)
    assert found == (pytest.approx(4321.0, abs=1), pytest.approx(50.01))
    assert terminal.commands == [("limit_w", 5500.0)]


def test_a_device_without_function_6_refuses_what_the_reference_client_writes() -> None:
    def cease(device: Any) -> str:
        device.models[703][0].ES.value = 0
        with pytest.raises(Exception, match="exception") as caught:
            device.models[703][0].write()
        return str(caught.value)

    assert served(pv(fc6=False), tcp_client, cease).endswith("exception: 1")


def test_the_reference_client_fails_on_a_map_without_end_where_our_driver_reads_it() -> None:
    with pytest.raises(Exception, match="Modbus exception 2"):
        served(pv(end_model=False), tcp_client, lambda device: device)


@pytest.mark.parametrize("vendor", [name for name in VENDORS if "legacy" not in name])
def test_our_driver_reads_and_limits_every_1547_vendor(run_fast: Any, vendor: str) -> None:
    options, terminal = VENDORS[vendor], Terminal()
    emulator = unit_126(terminal=terminal, **options)
    parameters = SunSpecParameters(
        timeout_s=0.5, read_count_max=int(options.get("read_count_max", 125))
    )

    async def main() -> tuple[float, float | None]:
        await emulator.start()
        driver = SunSpecInverter("pv-1", emulator.endpoint_link, parameters)
        try:
            await driver.open()
            await driver.set_limit_w(5500.0)
            reading = await driver.read()
            return reading.p_w, reading.limit_w
        finally:
            await driver.close()
            await emulator.stop()

    p_w, limit_w = run_fast(main)
    assert (p_w, limit_w) == (pytest.approx(4321.0, abs=0.5), 5500.0)
    assert terminal.commands == [("limit_w", 5500.0)]


def adopt(device: Any) -> dict[str, Any]:
    """Write curve 2 of a volt-var model, adopt it, and return what is then in force."""
    model = device.models[705][0]
    curve = model.Crv[1]  # pysunspec2 counts from zero
    assert (model.Crv[0].ReadOnly.value, curve.ReadOnly.value) == (1, 0)
    points = [(90.0, 30.0), (97.0, 0.0), (103.0, 0.0), (109.0, -30.0)]
    for point, (v, q) in zip(curve.Pt, points, strict=True):
        point.V.cvalue, point.Var.cvalue = v, q
    curve.RspTms.cvalue = 1.0
    model.write()
    model.AdptCrvReq.value = 2
    model.write()
    for _ in range(100):
        model.read()
        if model.AdptCrvRslt.value != 0:
            break
    model.Ena.value = 1
    model.write()
    model.read()
    return {
        "result": model.AdptCrvRslt.value,
        "points": [(p.V.cvalue, p.Var.cvalue) for p in model.Crv[0].Pt],
        "response": model.Crv[0].RspTms.cvalue,
        "read_only": model.Crv[0].ReadOnly.value,
    }


@pytest.mark.parametrize("rtu", [False, True])
def test_the_reference_client_adopts_a_curve_and_the_plant_is_told_in_its_terms(rtu: bool) -> None:
    terminal = Terminal(functions=frozenset({"volt_var"}))
    emulator = pv(RTU if rtu else TCP, terminal, adopt_s=0.01)
    found = served(emulator, rtu_client if rtu else tcp_client, adopt)
    assert found == {
        "result": 1,
        "points": [(90.0, 30.0), (97.0, 0.0), (103.0, 0.0), (109.0, -30.0)],
        "response": 1.0,
        "read_only": 1,
    }
    ((name, settings),) = terminal.commands
    assert name == "volt_var"
    assert settings["points"] == [(0.9, 0.3), (0.97, 0.0), (1.03, 0.0), (1.09, -0.3)]
    assert settings["reference"] == "var_max"
    assert settings["response_s"] == 1.0


def test_the_reference_client_reads_a_battery_in_three_models() -> None:
    def use(device: Any) -> list[Any]:
        found = []
        for number, name in ((713, "SoC"), (802, "SoC"), (124, "ChaState"), (713, "WHRtg")):
            device.models[number][0].read()
            found.append(getattr(device.models[number][0], name).cvalue)
        return found

    assert served(storage(), tcp_client, use) == [55.0, 55.0, 55.0, 200 * 16 * 3.2]


def half_a_power_factor(device: Any) -> str:
    control = device.models[704][0]
    address = control.model_addr + control.PFWInj.PF.offset
    with pytest.raises(Exception, match="exception") as caught:
        device.write(address, (950).to_bytes(2, "big"))
    return str(caught.value)


def test_half_of_a_sync_group_is_refused_and_the_whole_is_taken() -> None:
    assert served(pv(), tcp_client, half_a_power_factor).endswith("exception: 3")
    terminal = Terminal(functions=frozenset({"power_factor_injecting"}))

    def whole(device: Any) -> None:
        control = device.models[704][0]
        control.PFWInj.PF.cvalue, control.PFWInj.Ext.value = 0.95, 1
        control.PFWInjEna.value = 1
        control.write()

    served(pv(terminal=terminal), tcp_client, whole)
    name, settings = terminal.commands[-1]
    assert (name, settings) == ("power_factor_injecting", {"pf": 0.95, "over_excited": False})


@pytest.mark.parametrize("link", ["tcp", "rtu"])
def test_suns_py_scans_and_prints_every_model(link: str) -> None:
    script = Path(sys.executable).parent / "suns.py"

    async def main() -> tuple[int | None, str]:
        emulator = pv(TCP if link == "tcp" else RTU)
        await emulator.start()
        where = emulator.endpoint
        if link == "tcp":
            over = ["-t", "tcp", "-i", where["host"], "-P", where["port"]]
        else:
            over = ["-t", "rtu", "-p", where["port"], "-b", where["baudrate"]]
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(script), *map(str, over)),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            text, _ = await asyncio.wait_for(process.communicate(), 30)
            return process.returncode, text.decode()
        finally:
            await emulator.stop()

    code, text = asyncio.run(main())
    assert code == 0, text
    for name in ("inverter_three_phase", "DERMeasureAC", "DERVoltVar", "DERWattVar"):
        assert name in text
