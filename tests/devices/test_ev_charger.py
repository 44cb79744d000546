"""EV chargers over OCPP 1.6 and 2.0.1: emulator and driver on a real websocket, on both clocks."""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from ocpp.v16 import ChargePoint as Stranger16
from ocpp.v16 import call as call16
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gridrig.campaign.flow import Coasting
from gridrig.circuit.vehicle import Vehicle
from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.devices.drivers.ev_charger import OcppCharger, OcppParameters
from gridrig.devices.emulators.charge_point import QUEUE_MAX, EvChargerParameters
from gridrig.devices.emulators.charging_profiles import (
    PROFILES_MAX,
    ProfileRefused,
    Profiles,
    read_profile,
)
from gridrig.devices.emulators.ev_charger import EvChargerEmulator
from gridrig.devices.links import OcppLink
from gridrig.errors import DriverError
from gridrig.plant import World

VERSIONS = ("1.6", "2.0.1", "2.1")
UTC_S = 1_466_424_000


@dataclass
class ChargerBench:
    clock: Clock
    vehicle: Vehicle
    emulator: EvChargerEmulator
    driver: OcppCharger
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]


@asynccontextmanager
async def charger(clock: Clock, version: str, **emulate: Any) -> AsyncIterator[ChargerBench]:
    parameters = EvChargerParameters(**emulate)
    world = World(s_base_va=1e5, seed=1)
    vehicle = Vehicle(
        world,
        world.add_storage("cp", parameters.terminal_settings()),
        target_soc=parameters.target_soc,
        p_w_max=parameters.vehicle_w_max,
        plugged=parameters.plugged,
        discharge_w_max=parameters.discharge_w_max,
        reserve_soc=parameters.reserve_soc,
    )
    events: list[tuple[str, dict[str, Any]]] = []
    emulator = EvChargerEmulator(
        "cp",
        OcppLink("127.0.0.1", 0, "CP-1", version),
        parameters,
        vehicle,
        lambda kind, **data: events.append((kind, data)),
    )
    coasting = Coasting(world, clock)
    coasting.start()
    await emulator.start()
    driver = OcppCharger("cp", emulator.endpoint_link, OcppParameters(timeout_s=5.0))
    driver.use_clock(clock.utc_s)
    try:
        await driver.open()
        yield ChargerBench(clock, vehicle, emulator, driver, events)
    finally:
        await driver.close()
        await emulator.stop()
        await coasting.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(body: Callable[[Clock], Awaitable[Any]], *, wall: bool = False) -> Any:
    return (run_wall if wall else run_virtual)(body, start_utc_s=UTC_S)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_limit_counts_at_once_though_a_charger_is_told_the_time_in_whole_seconds(
    version: str,
) -> None:
    async def body(clock: Clock) -> float | None:
        await clock.sleep_until(0.9)  # the charger hears 0 s, and is behind by so much
        async with charger(clock, version) as bench:
            await clock.sleep_until(1.05)
            await bench.driver.set_limit_w(0.0)
            return (await bench.driver.read()).allowed_w

    assert run(body) == 0.0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_vehicle_is_charged_within_its_limit_until_it_has_what_it_needs(version: str) -> None:
    async def body(clock: Clock) -> Any:
        async with charger(clock, version, capacity_wh=20_000, soc=0.5, target_soc=0.6) as bench:
            driver, found = bench.driver, []
            await driver.set_limit_w(6000.0)
            before = await driver.read()
            await driver.begin_transaction()
            await clock.sleep(300.0)
            found.append(await driver.read())
            await driver.set_limit_w(2000.0)
            await clock.sleep(60.0)
            found.append(await driver.read())
            await driver.set_limit_w(1000.0)  # below 6 A nothing is offered
            await clock.sleep(60.0)
            found.append(await driver.read())
            await driver.set_limit_w(None)
            await clock.sleep(600.0)
            found.append(await driver.read())
            await driver.end_transaction()
            return before, found, await driver.read(), bench.vehicle.state()

    before, (six, two, held, full), after, vehicle = run(body)
    assert (before.plugged, before.charging, before.status) == (True, False, "Preparing")
    assert six.charging
    assert six.p_w == -6000.0  # into the grid: it draws
    assert 499_000 <= six.import_milliwh <= 500_000  # 300 s, less the way up to 6 kW
    assert two.p_w == -2000.0
    assert (held.p_w, held.status, held.charging) == (0.0, "SuspendedEVSE", False)
    assert (full.p_w, full.status) == (0.0, "SuspendedEV")
    assert full.soc == pytest.approx(0.6, abs=0.001)
    assert full.import_milliwh == vehicle.import_milliwh // 1000 * 1000
    # A tenth of 20 kWh into the cells, by way of a rectifier of 96 % and their resistance.
    assert 1.0 < vehicle.import_milliwh / (0.1 * 20_000_000 / 0.96) < 1.05
    assert not after.charging


def test_a_vehicle_gives_back_what_it_is_asked_for_and_keeps_its_drivers_reserve() -> None:
    async def body(clock: Clock) -> Any:
        v2g = {"capacity_wh": 20_000, "discharge_w_max": 5000, "reserve_soc": 0.45}
        async with charger(clock, "2.1", soc=0.5, **v2g) as bench:
            driver, found = bench.driver, []
            await driver.begin_transaction()
            for p_w, after_s in ((3000.0, 60.0), (9000.0, 60.0), (9000.0, 900.0), (-2000.0, 60.0)):
                await driver.set_power_w(p_w)
                await clock.sleep(after_s)
                found.append(await driver.read())
            await driver.set_power_w(-6000.0)
            await driver.set_limit_w(2500.0)  # the lower of both holds
            await clock.sleep(60.0)
            found.append(await driver.read())
            await driver.set_power_w(3000.0)
            await driver.make_safe({"charge": False})
            await clock.sleep(5.0)
            found.append(await driver.read())
            return found, bench.vehicle.state()

    (given, most, kept, taken, limited, safe), vehicle = run(body)
    assert (given.p_w, given.charging) == (3000.0, True)
    assert given.export_milliwh == pytest.approx(50_000, abs=1_000)
    assert given.soc < 0.5
    assert most.p_w == 5000.0  # what the vehicle can
    assert (kept.p_w, kept.status) == (0.0, "SuspendedEV")
    assert kept.soc == pytest.approx(0.45, abs=0.001)
    assert (taken.p_w, limited.p_w) == (-2000.0, -2500.0)
    assert (safe.p_w, safe.charging) == (0.0, False)
    assert vehicle.export_milliwh // 1000 * 1000 == safe.export_milliwh


def test_a_set_point_that_is_not_taken_is_a_named_error() -> None:
    async def body(clock: Clock) -> list[str]:
        async with charger(clock, "2.1", discharge_w_max=5000) as bench:
            await bench.driver.begin_transaction()
            codes = []
            for fault in ("refuse", "ignore_profile"):
                bench.emulator.arm(fault)
                with pytest.raises(DriverError) as caught:
                    await bench.driver.set_power_w(3000.0)
                codes.append(caught.value.code)
            return codes

    assert run(body) == ["driver.refused", "driver.readback"]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_happened_offline_is_told_in_order_with_its_own_times(version: str) -> None:
    async def body(clock: Clock) -> Any:
        async with charger(clock, version) as bench:
            driver = bench.driver
            await driver.begin_transaction()
            await clock.sleep(15.0)
            heard: list[dict[str, Any]] = []
            view = driver._view
            metered = view.metered

            def listen(meter_value: list[dict[str, Any]]) -> None:
                heard.extend(meter_value)
                metered(meter_value)

            view.metered = listen  # type: ignore[method-assign]
            bench.emulator.arm("offline", offline_s=95.0)
            await clock.sleep(1.0)
            with pytest.raises(DriverError) as caught:
                await driver.read()
            bench.emulator.arm("plug_out")  # the transaction ends while nobody hears it
            await clock.sleep(130.0)
            return caught.value.kind, heard, await driver.read(), view.transaction

    kind, heard, reading, transaction = run(body)
    assert kind == "unavailable"
    assert transaction == ""
    assert not reading.plugged
    times = [row["timestamp"] for row in heard]
    assert times == sorted(times)
    first_s = float(times[0][17:-1])
    assert first_s < 30.0 or len(times) < 3  # told then, not when it came back


@pytest.mark.parametrize("version", VERSIONS)
def test_a_charger_that_cannot_is_a_named_error(version: str) -> None:
    async def body(clock: Clock) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}

        async def attempt(what: str, acting: Awaitable[Any]) -> None:
            with pytest.raises(DriverError) as caught:
                await acting
            found[what] = (caught.value.code, caught.value.kind)

        async with charger(clock, version, plugged=False) as bench:
            driver = bench.driver
            await attempt("no vehicle", driver.begin_transaction())
            await attempt("discharge", driver.set_power_w(3000.0))
            await attempt("a limit that is none", driver.set_limit_w(float("nan")))
            bench.emulator.arm("refuse")
            await attempt("profile refused", driver.set_limit_w(4000.0))
            bench.emulator.arm("ignore_profile")
            await attempt("profile ignored", driver.set_limit_w(4000.0))
            await attempt("unknown safe state", driver.make_safe({"chrage": False}))
            bench.emulator.arm("plug_in")
            await clock.sleep(2.0)
            await driver.begin_transaction()
            await driver.make_safe({"charge": False})
            assert not (await driver.read()).charging
            bench.emulator.unplug()
            await clock.sleep(1.0)
            await attempt("no power", driver.read())
        return found

    assert run(body) == {
        "no vehicle": ("driver.refused", "refused"),
        "discharge": ("driver.refused", "refused")  # before its transaction
        if version == "2.1"
        else ("driver.unsupported", "other"),
        "a limit that is none": ("driver.limit", "limit"),
        "profile refused": ("driver.refused", "refused"),
        "profile ignored": ("driver.readback", "readback"),
        "unknown safe state": ("driver.safe_state", "limit"),
        "no power": ("driver.unavailable", "unavailable"),
    }


def test_a_stranger_and_a_charger_of_another_version_are_sent_away() -> None:
    async def body(clock: Clock) -> Any:
        async with charger(clock, "1.6") as bench:
            link, reasons = bench.emulator.endpoint_link, []
            for path, version in (("CP-2", "ocpp1.6"), ("CP-1", "ocpp2.0.1")):
                url = f"ws://{link.host}:{link.port}/{path}"
                async with connect(url, subprotocols=[version]) as station:  # type: ignore[list-item]
                    with pytest.raises(ConnectionClosed) as caught:
                        await station.recv()
                    reasons.append(caught.value.rcvd.reason)  # type: ignore[union-attr]
            return reasons, await bench.driver.read()

    reasons, reading = run(body)
    assert reasons == ["/CP-2 is not expected here", "ocpp2.0.1, expected ocpp1.6"]
    assert reading.plugged


def test_a_charger_that_never_comes_is_named_within_the_bound() -> None:
    async def body(clock: Clock) -> Any:
        driver = OcppCharger("cp", OcppLink("127.0.0.1", free_port(), "CP-1", "1.6"))
        with pytest.raises(DriverError) as caught:
            await driver.open()
        await driver.close()
        return caught.value, clock.now_s()

    error, now_s = run(body)
    assert error.kind == "timeout"
    assert now_s == pytest.approx(25.0)


def test_an_independent_station_talks_to_the_driver_on_the_wall_clock() -> None:
    """The bare `ocpp` library as a station, with kWh and phases as real ones send them."""

    async def body(clock: Clock) -> Any:
        link = OcppLink("127.0.0.1", free_port(), "CP-9", "1.6")
        driver = OcppCharger("cp", link, OcppParameters(connect_s=5, timeout_s=2))
        driver.use_clock(clock.utc_s)
        opening = asyncio.create_task(driver.open())
        await asyncio.sleep(0.2)
        url = f"ws://127.0.0.1:{link.port}/CP-9"
        async with connect(url, subprotocols=["ocpp1.6"]) as connection:  # type: ignore[list-item]
            stranger = Stranger16("CP-9", connection, response_timeout=2)
            listening = asyncio.create_task(stranger.start())
            answer = await stranger.call(call16.BootNotification("Model 3X", "Acme"))
            await opening
            row = [
                {"value": "7.2", "measurand": "Power.Active.Import", "unit": "kW"},
                {"value": "2400", "measurand": "Power.Active.Import", "unit": "W", "phase": "L1"},
                {"value": "12.345", "unit": "kWh"},
            ]
            values = [{"timestamp": answer.current_time, "sampledValue": row}]
            await stranger.call(call16.MeterValues(1, values))
            view = driver._view
            # It has no TriggerMessage: the driver says so and does not hand out an old value.
            with pytest.raises(DriverError) as caught:
                await driver.read()
            listening.cancel()
        identity = await driver.identify()
        await driver.close()
        return identity, view.p_w, view.energy_milliwh, caught.value, answer.current_time

    identity, p_w, energy_milliwh, error, time = run(body, wall=True)
    assert (identity.manufacturer, identity.model) == ("Acme", "Model 3X")
    assert p_w == 7200.0
    assert energy_milliwh == 12_345_000
    assert error.kind == "refused"
    assert time.startswith("2016-06-20T12:00:0")


def profile(
    number: int, purpose: str, *periods: tuple[int, float], stack: int = 0, unit: str = "W"
) -> dict[str, Any]:
    rows = [{"start_period": start, "limit": limit} for start, limit in periods]
    schedule = {"charging_rate_unit": unit, "charging_schedule_period": rows}
    return {
        "charging_profile_id": number,
        "stack_level": stack,
        "charging_profile_purpose": purpose,
        "charging_profile_kind": "Relative",
        "charging_schedule": schedule,
    }


CENTRAL = {"operation_mode": "CentralSetpoint"}


def set_point(number: int, said: dict[str, Any]) -> dict[str, Any]:
    whole = profile(number, "TxProfile")
    whole["charging_schedule"]["charging_schedule_period"] = [{"start_period": 0} | said]
    return whole


def test_profiles_count_by_purpose_stack_level_and_period() -> None:
    profiles, begun = Profiles(), 1000.0
    assert profiles.limit_w(begun, begun) == float("inf")
    profiles.install(read_profile(profile(1, "TxDefaultProfile", (0, 10.0), unit="A"), 690.0))
    assert profiles.limit_w(begun + 5, begun) == 6900.0
    profiles.install(read_profile(profile(2, "TxProfile", (0, 9000.0), (60, 3000.0)), 690.0))
    assert profiles.limit_w(begun + 5, begun) == 9000.0  # instead of the default
    assert profiles.limit_w(begun + 60, begun) == 3000.0
    profiles.install(read_profile(profile(3, "TxProfile", (0, 5000.0), stack=2), 690.0))
    assert profiles.limit_w(begun + 5, begun) == 5000.0  # the higher stack level
    profiles.install(read_profile(profile(4, "ChargePointMaxProfile", (0, 4000.0)), 690.0))
    assert profiles.limit_w(begun + 5, begun) == 4000.0  # never above the station
    profiles.end_transaction()
    assert profiles.limit_w(begun + 5, begun) == 4000.0
    assert profiles.clear(identifier=4) == 1
    assert profiles.limit_w(begun + 5, begun) == 6900.0
    assert profiles.clear(purpose="TxProfile") == 0


@pytest.mark.parametrize(
    "change",
    [
        {"charging_profile_purpose": "Weekly"},
        {"charging_profile_kind": "Recurring"},
        {"charging_schedule": profile(1, "TxProfile", (5, 1.0))["charging_schedule"]},
        {"charging_schedule": profile(1, "TxProfile", (0, 1.0), (0, 2.0))["charging_schedule"]},
        {"charging_schedule": profile(1, "TxProfile", (0, -3000.0))["charging_schedule"]},
        {"charging_schedule": profile(1, "TxProfile")["charging_schedule"]},
        {"charging_schedule": set_point(1, {"setpoint": -1.0})["charging_schedule"]},
        {"charging_schedule": set_point(1, CENTRAL)["charging_schedule"]},
        {
            **set_point(1, CENTRAL | {"setpoint": -1.0}),
            "charging_profile_purpose": "TxDefaultProfile",
        },
    ],
    ids=json.dumps,
)
def test_a_profile_that_is_not_understood_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProfileRefused):
        read_profile(profile(1, "TxProfile", (0, 1.0)) | change, 690.0)


def test_the_number_of_profiles_is_bounded() -> None:
    profiles = Profiles()
    for number in range(PROFILES_MAX):
        profiles.install(read_profile(profile(number, "TxProfile", (0, 1.0), stack=number), 690.0))
    with pytest.raises(ProfileRefused):
        profiles.install(read_profile(profile(99, "TxProfile", (0, 1.0), stack=99), 690.0))


def test_the_queue_is_bounded_and_loses_meter_values_first() -> None:
    async def body(clock: Clock) -> Any:
        async with charger(clock, "1.6", meter_s=1, capacity_wh=1e6) as bench:
            await bench.driver.begin_transaction()
            await clock.sleep(1.5)  # until it knows that its transaction was taken
            bench.emulator.arm("offline", offline_s=3000.0)
            await clock.sleep(1100.0)
            bench.emulator.arm("plug_out")
            await clock.sleep(2.0)
            return list(bench.emulator._charger.queue), bench.kinds()

    waiting, kinds = run(body)
    assert len(waiting) == QUEUE_MAX
    assert "message_lost" in kinds
    times = [t.time for t in waiting]
    assert all(a <= b for a, b in itertools.pairwise(times))
    assert {t.kind for t in waiting} == {"status", "meter", "end"}  # what matters is still there
