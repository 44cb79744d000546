"""`gridrig check` and `gridrig enrol` on a bench of SunSpec devices, as a newcomer runs them."""

import tomllib
from importlib import resources
from pathlib import Path

import pytest

from gridrig.campaign.assembly import make_bench, make_street
from gridrig.campaign.builtin import RIGS, find
from gridrig.campaign.emulation import outside_rig
from gridrig.cli import main
from gridrig.clock import Clock, run_virtual
from gridrig.devices.grid_support import CurveSettings
from gridrig.errors import CampaignError, DriverError
from gridrig.events import EventLog
from gridrig.metering import OcmfSigner
from gridrig.rig.description import load_rig

pytest.importorskip("sunspec2")
PKI = Path(str(resources.files("sunspec2"))) / "tests" / "tls_data"
RIG = """
[rig]
name = "sunspec-bench"
clock = "virtual"
nominal = { f_hz = 50, v_ll = 400, phases = 3 }

[[device]]
name = "pv-1"
capability = "inverter"
driver = "sunspec"
bus = "bench"
link = { kind = "modbus-tcp", host = "127.0.0.1", port = 0, unit = 126 }
terminal = "model"
limits = { p_w_max = 10000, s_va_max = 10000 }
safe_state = { connect = false }
parameters = { read_count_max = 60, revert_s = 60 }

[device.emulate]
model = "pv"
s_va = 10000
seed = 1
base = 0
end_model = false
fc6 = false
read_count_max = 60
order = "falling"
common_length = 65
scale_factors = "live"

[[device]]
name = "pv-2"
capability = "inverter"
driver = "sunspec"
bus = "bench"
terminal = "model"
limits = { p_w_max = 10000, s_va_max = 10000 }
safe_state = { connect = false }

[device.link]
kind = "modbus-tls"
host = "127.0.0.1"
port = 0
unit = 1
cafile = "PKI/ca/server_ca_chain.crt"
certfile = "PKI/client/tls1_2/client_gridservice.crt"
keyfile = "PKI/client/tls1_2/client_gridservice.key"
role = "GridServiceSunSpec"

[device.emulate]
model = "pv"
s_va = 10000
seed = 2
tls_cafile = "PKI/ca/client_ca_chain.crt"
tls_certfile = "PKI/server/tls1_2/server_valid.crt"
tls_keyfile = "PKI/server/tls1_2/server_valid.key"

[[device]]
name = "meter-1"
capability = "meter"
driver = "bsm-meter"
measures = "pv-1"
link = { kind = "modbus-rtu", port = "auto", baudrate = 19200, unit = 42 }
limits = { clock_error_s_max = 60 }
safe_state = {}
emulate = { model = "meter", seed = 201, serial = "001BZR1521070003" }

[[device]]
name = "meter-2"
capability = "meter"
driver = "signed-meter"
measures = "pv-2"
link = { kind = "modbus-rtu", port = "auto", baudrate = 19200, unit = 3 }
limits = { clock_error_s_max = 60 }
safe_state = {}
emulate = { model = "meter", seed = 202, wiring = "delta", serial = "S-2" }
"""
METERS = {"meter-1": ("001BZR1521070003", 201), "meter-2": ("S-2", 202)}


def key_of(meter: str) -> str:
    serial, seed = METERS[meter]
    return OcmfSigner.from_seed(seed, meter, serial).public_key_der.hex()


@pytest.fixture
def rig(tmp_path: Path) -> str:
    keys = "".join(
        f'\n[[key]]\nmeter = "{meter}"\nserial = "{serial}"\nalgorithm = "ecdsa-p256"\n'
        f'public_key = "{key_of(meter)}"\nvalid_from = "2016-01-01T00:00:00Z"\n'
        for meter, (serial, _) in METERS.items()
    )
    (tmp_path / "PKI").symlink_to(PKI)  # beside the rig file, which the tests do not stand beside
    path = tmp_path / "rig.toml"
    path.write_text(RIG + keys, encoding="utf-8")
    return str(path)


def test_check_identifies_and_reads_every_device_and_leaves_it_safe(
    rig: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", rig]) == 0
    shown = capsys.readouterr().out
    for word in ("pv-1", "pv-2", "001BZR1521070003", "S-2", "4 devices in their safe state"):
        assert word in shown


def test_grid_support_is_reached_through_the_benchs_limits(rig: str) -> None:
    described = load_rig(Path(rig))
    street = make_street(described, None, seed=0)
    curve = CurveSettings(((0.9, 0.3), (0.97, 0.0), (1.03, 0.0), (1.09, -0.3)), "var_max", 1.0)

    async def body(clock: Clock) -> tuple[bool, str]:
        events = EventLog(clock, [device.name for device in described.devices])
        async with make_bench(described, street, clock, events) as bench:
            pv = bench.devices["pv-1"]
            await pv.write_function("volt_var", curve, on=True)
            found = await pv.read_function("volt_var")
            with pytest.raises(DriverError) as caught:
                await pv.set_q_var(10_001.0)
            return found.on, caught.value.code

    assert run_virtual(body, start_utc_s=0) == (True, "rig.limit")


def test_enrol_prints_the_keys_that_the_meters_sign_with(
    rig: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["enrol", rig]) == 0
    shown = capsys.readouterr().out
    for meter in METERS:
        assert key_of(meter) in shown


def test_a_rig_for_outside_leads_to_the_same_certificates(rig: str, tmp_path: Path) -> None:
    described = load_rig(Path(rig))

    async def body(clock: Clock) -> list[dict[str, str | int]]:
        events = EventLog(clock, [device.name for device in described.devices])
        street = make_street(described, None, seed=0)
        async with make_bench(described, street, clock, events) as bench:
            return bench.endpoints()

    endpoints = run_virtual(body, start_utc_s=0)
    table = tomllib.loads(outside_rig(described, endpoints))
    link = next(d for d in table["device"] if d["name"] == "pv-2")["link"]
    assert link["port"] == next(e["port"] for e in endpoints if e["device"] == "pv-2")
    assert link["role"] == "GridServiceSunSpec"
    assert Path(link["cafile"]) == tmp_path / "PKI/ca/server_ca_chain.crt"


@pytest.mark.parametrize(
    ("served", "missing"), [("storage-a", "battery-a"), ("battery-a", "storage-a")]
)
def test_half_a_storage_is_no_device_of_a_rig_for_outside(served: str, missing: str) -> None:
    street = load_rig(find("emulated-street", RIGS))
    with pytest.raises(CampaignError) as caught:
        outside_rig(street, [{"device": served, "kind": "modbus-tcp"}])
    assert caught.value.code == "campaign.half_storage"
    assert str(caught.value).endswith(f"--only {missing}")
