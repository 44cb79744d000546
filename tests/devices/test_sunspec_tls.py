"""Secure SunSpec Modbus: pysunspec2's test certificates, good and bad, and what roles may do."""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from modbus_bench import Run, Terminal, pv
from pymodbus.constants import ExcCodes
from sunspec_pki import PKI, ROLE_FILES, files, link, of_server
from test_sunspec_driver import failure

from gridrig.devices.drivers.sunspec import SunSpecInverter, SunSpecParameters
from gridrig.devices.emulators.inverter import InverterEmulator
from gridrig.devices.links import ModbusTlsLink
from gridrig.devices.wire.sunspec_definitions import standard_definitions
from gridrig.devices.wire.sunspec_roles import ROLES, may_write
from gridrig.errors import DriverError

client = pytest.importorskip("sunspec2.modbus.client")
BAD_CLIENTS = [
    f"client_{how}" for how in ("no_role", "malformed_role", "self_signed", "foreign_ca", "expired")
]
QUICK = SunSpecParameters(timeout_s=1.0, retries=0)


def secured(
    driver_link: ModbusTlsLink,
    terminal: Terminal | None = None,
    server: tuple[str, str] = ("server/tls1_2", "server_valid"),
    **options: Any,
) -> InverterEmulator:
    return pv(driver_link, terminal, **of_server(*server), **options)


async def using(
    emulator: InverterEmulator, use: Callable[[SunSpecInverter], Awaitable[Any]]
) -> Any:
    await emulator.start()
    driver = SunSpecInverter("pv-1", emulator.endpoint_link, QUICK)
    try:
        await driver.open()
        return await use(driver)
    finally:
        await driver.close()
        await emulator.stop()


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_a_grid_service_reads_and_limits_on_both_clocks(run: Run, version: str) -> None:
    terminal = Terminal()
    emulator = secured(link("GridServiceSunSpec", f"client/{version}"), terminal)

    async def use(driver: SunSpecInverter) -> float:
        await driver.set_limit_w(5500.0)
        return (await driver.read()).p_w

    assert run(lambda: using(emulator, use)) == pytest.approx(4321.0)
    assert terminal.commands == [("limit_w", 5500.0)]


def test_the_virtual_clock_counts_below_tls_and_stands_for_a_slow_reply(run_fast: Run) -> None:
    async def use(driver: SunSpecInverter) -> float:
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        await driver.read()
        return loop.time() - begin_s

    emulator = secured(link("ReadOnlySunSpec"), reply_delay_s=0.5)
    assert run_fast(lambda: using(emulator, use)) == pytest.approx(1.0)  # two requests


@pytest.mark.parametrize("role", ["ReadOnlySunSpec", "NetworkAdministratorSunSpec"])
def test_a_role_that_may_not_write_is_refused_and_nothing_happens(run: Run, role: str) -> None:
    terminal, events = Terminal(), []
    emulator = secured(link(role), terminal)
    emulator._on_event = lambda kind, **data: events.append((kind, data.get("role")))

    async def use(driver: SunSpecInverter) -> tuple[str, float]:
        error = await failure(driver.set_limit_w(100.0))
        assert error.facts["exception"] == ExcCodes.ILLEGAL_FUNCTION
        return error.kind, (await driver.read()).p_w

    assert run(lambda: using(emulator, use)) == ("refused", 4321.0)
    assert terminal.commands == []
    assert ("unauthorised", role) in events


def test_rights_are_those_of_the_working_groups_tables() -> None:
    counted = {role: 0 for role in ROLES}
    for number, definition in standard_definitions().items():
        if number in {160, 803, 804, 714}:
            continue
        model = definition.model(dict.fromkeys(definition.counts, 1))
        for name, point in model.points.items():
            for role in ROLES:
                counted[role] += point.writable and may_write(role, number, name)
    # GridService: 121 20, 123 21, 124 12, 702 16, 703 8, 704 40 (34 names, two of them four times),
    # 705 13, 706 9, 711 10, 712 9, 802 6; NetworkAdministrator: the address in model 1.
    assert counted["ReadOnlySunSpec"] == 0
    assert counted["NetworkAdministratorSunSpec"] == 1
    assert counted["GridServiceSunSpec"] == 20 + 21 + 12 + 16 + 8 + 40 + 13 + 9 + 10 + 9 + 6
    assert counted["SuperAdministratorSunSpec"] > counted["GridServiceSunSpec"] + 50
    assert not may_write("GridServiceSunSpec", 707, "Crv[2].MustTrip.Pt[1].V")
    assert not may_write("GridServiceSunSpec", 702, "VNom")


def raw_client(port: int, folder: str, name: str) -> Any:
    certificate, key = files(folder, name)
    return client.SunSpecModbusClientDeviceTCP(
        slave_id=1,
        ipaddr="127.0.0.1",
        ipport=port,
        timeout=2,
        tls=True,
        cafile=str(PKI / "ca" / "server_ca_chain.crt"),
        certfile=certificate,
        keyfile=key,
    )


def served_secured(emulator: InverterEmulator, use: Callable[[int], Any]) -> Any:
    async def main() -> Any:
        await emulator.start()
        try:
            return await asyncio.to_thread(use, int(emulator.endpoint["port"]))
        finally:
            await emulator.stop()

    return asyncio.run(main())


@pytest.mark.parametrize(("role", "allowed"), [("GridServiceSunSpec", 1), ("ReadOnlySunSpec", 0)])
def test_the_reference_client_is_let_in_by_its_role(role: str, allowed: int) -> None:
    terminal = Terminal()

    def use(port: int) -> Any:
        device = raw_client(port, "client/tls1_2", ROLE_FILES[role])
        device.scan()
        try:
            device.connect()
            service = device.models[703][0]
            service.ES.value = 0
            if allowed:
                service.write()
            else:
                with pytest.raises(Exception, match="exception: 1"):
                    service.write()
            device.models[701][0].read()
            return device.models[701][0].W.cvalue
        finally:
            device.close()

    assert served_secured(secured(link(role), terminal), use) == 4321
    assert terminal.commands == [("connect", False)] * allowed


@pytest.mark.parametrize("name", BAD_CLIENTS)
def test_a_client_without_a_good_certificate_and_role_reads_nothing(name: str) -> None:
    def use(port: int) -> None:
        device = raw_client(port, "client/invalid", name)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever ssl or pysunspec2 raises
            device.scan()
        assert "SunS" not in str(caught.value) or "found" not in str(caught.value)
        device.close()

    served_secured(secured(link("ReadOnlySunSpec")), use)


@pytest.mark.parametrize(
    ("name", "cause"), [("client_expired", "EXPIRED"), ("client_foreign_ca", "UNKNOWN_CA")]
)
def test_a_bench_whose_certificate_is_refused_is_told_why(run: Run, name: str, cause: str) -> None:
    emulator = secured(link("ReadOnlySunSpec", "client/invalid", name))

    async def read(driver: SunSpecInverter) -> object:
        return await driver.read()

    error = run(lambda: failure(using(emulator, read)))
    assert error.code == "modbus.tls"
    assert cause in error.message


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("server_expired", "certificate has expired"),
        ("server_self_signed", "self-signed certificate"),
        ("server_foreign_ca", "unable to get local issuer certificate"),
        ("server_no_san", "IP address mismatch"),
    ],
)
def test_a_server_without_a_good_certificate_is_named_and_not_spoken_to(
    run: Run, name: str, cause: str
) -> None:
    emulator = secured(link("GridServiceSunSpec"), server=("server/invalid", name))

    async def main() -> tuple[str, str]:
        await emulator.start()
        driver = SunSpecInverter("pv-1", emulator.endpoint_link, QUICK)
        try:
            error = await failure(driver.open())
            return error.code, error.message
        finally:
            await driver.close()
            await emulator.stop()

    code, message = run(main)
    assert code == "modbus.tls"
    assert cause in message


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (link("GridServiceSunSpec", name="client_readonly"), "modbus.tls_role"),
        (link("ReadOnlySunSpec", "client/invalid", "client_no_role"), "modbus.tls_role"),
        (link("ReadOnlySunSpec", "client/invalid", "client_malformed_role"), "modbus.tls_role"),
        (link("ReadOnlySunSpec", name="client_that_is_not_there"), "modbus.tls_files"),
    ],
)
def test_a_link_that_cannot_be_secured_as_it_says_is_refused_before_it_connects(
    run_fast: Run, broken: ModbusTlsLink, code: str
) -> None:
    async def main() -> str:
        return (await failure(SunSpecInverter("pv-1", broken, QUICK).open())).code

    assert run_fast(main) == code


def test_a_device_without_certificates_does_not_start(run_fast: Run) -> None:
    async def main() -> str:
        with pytest.raises(DriverError) as caught:
            await pv(link("ReadOnlySunSpec")).start()
        return caught.value.code

    assert run_fast(main) == "modbus.tls_files"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_a_client_of_an_old_protocol_gets_no_connection() -> None:
    def use(port: int) -> str:
        found = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_1"],
            input=b"",
            capture_output=True,
            timeout=10,
            check=False,
        )
        return found.stderr.decode() + found.stdout.decode()

    text = served_secured(secured(link("ReadOnlySunSpec")), use)
    assert "Cipher is (NONE)" in text
