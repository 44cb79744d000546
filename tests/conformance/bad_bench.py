"""The wrong drivers as a package that is installed, and which case must refuse each."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gridrig.campaign.builtin import RIGS
from gridrig.clock import Clock, run_wall
from gridrig.conformance.case import CRASHES, FAILED, HANGS, UNNAMED, CaseResult
from gridrig.conformance.catalogue import cases_for, chosen
from gridrig.conformance.examination import Examination
from gridrig.conformance.subject import Subject, subject_of
from gridrig.rig.description import Rig, load_rig

LANES = 4
START_UTC_S = 1_700_000_000


@dataclass(frozen=True)
class Bad:
    """A wrong driver, the device it is tried on, and the limit of the case that it must break."""

    driver: str
    device: str
    case: str
    limit: str

    @property
    def name(self) -> str:
        """As its package registers it: NoReadBack is bad-noreadback."""
        return f"bad-{self.driver.rpartition(':')[2].lower()}"


TABLE = tuple(
    Bad(f"bad_drivers.{driver}", device, case, limit)
    for driver, device, case, limit in (
        ("readings:WrongSign", "storage", "reading.inverter", "p_error_of_rating"),
        ("readings:OffByOneScale", "pv-tcp", "reading.inverter", "p_error_of_rating"),
        ("readings:ReactiveAsActive", "pv-tcp", "reading.inverter", "q_error_of_rating"),
        ("readings:NotANumber", "pv-tcp", "reading.inverter", "v_error_of_nominal"),
        ("readings:ReturnsText", "pv-tcp", "reading.zero", FAILED),
        ("readings:Stale", "pv-tcp", "reading.fresh", "readings_stale"),
        ("readings:OneCallLate", "pv-tcp", "reading.fresh", "readings_stale"),
        ("readings:SwallowsErrors", "pv-tcp", "process.lost", "values_told"),
        ("readings:SwallowsErrors", "pv-tcp", "fault.no_reply", "values_wrong"),
        ("readings:ErrorsAsZero", "pv-tcp", "fault.unplug", "values_told"),
        ("readings:ErrorsAsZero", "pv-tcp", "fault.exception", "values_wrong"),
        ("readings:UnnamedErrors", "pv-tcp", "process.lost", UNNAMED),
        ("readings:InventsPower", "pv-tcp", "reading.not-implemented", "numbers_invented"),
        ("readings:SerialOfTheDay", "pv-tcp", "identity", "identities_differing"),
        ("readings:WordOrder", "meter-signed", "reading.meter", "register_error_milliwh"),
        ("readings:ImportIsExport", "meter-signed", "reading.meter", "register_error_milliwh"),
        ("readings:CellsSorted", "pack-jbd", "reading.pack", "cell_error_mv"),
        ("readings:ColdIsHot", "pack-jbd", "reading.pack.cold", "temperature_error_c"),
        ("readings:LimitsStay", "pack-jbd", "current-limits", "limits_wrong"),
        ("readings:SilentProtections", "pack-jbd", "protections", "protections_untold"),
        ("writes:NoReadBack", "pv-tcp", "fault.write_ignored", "writes_believed"),
        ("writes:BelievesRefusals", "pv-tcp", "write.read-only", "writes_believed"),
        ("writes:RefusedIsLost", "pv-tcp", "write.read-only", "kinds_wrong"),
        ("writes:RoundsUp", "pv-tcp", "limit.tracking", "limit_above_of_rating"),
        ("writes:NoRangeCheck", "pv-tcp", "limit.refused", "accepted"),
        ("writes:WrongDirection", "storage", "power.tracking", "power_error_of_rating"),
        ("writes:WritesWhenOpened", "pv-tcp", "reading.touches-nothing", "commands_seen"),
        ("writes:RestoresDefaults", "pv-tcp", "restore.as-found", "limit_error_of_rating"),
        ("writes:RestoresDefaults", "pv-tcp", "safe.state", "settings_undone"),
        ("writes:ForgetsConnection", "pv-tcp", "restore.as-found", "limit_error_of_rating"),
        ("writes:MakesNothingSafe", "pv-tcp", "safe.state", "settings_unsafe"),
        ("writes:AnySafeState", "pv-tcp", "safe.state", "unknown_accepted"),
        ("writes:ConnectOnly", "pv-tcp", "connect", "switches_wrong"),
        ("writes:NeverReverts", "pv-tcp", "comms-loss", "power_left_of_rating"),
        ("writes:BothSwitches", "pack-jbd", "switches", "switches_wrong"),
        ("writes:ClockInMinutes", "meter-signed", "clock", "clock_error_s"),
        ("writes:WritesAgain", "meter-signed", "sign.exact-bytes", "records_changed"),
        ("writes:TrimsZeroes", "meter-signed", "sign.exact-bytes", "records_changed"),
        ("writes:LastRecord", "meter-signed", "sign.key-change", "records_changed"),
        ("writes:LastRecord", "meter-signed", "sign.equivocation", "records_changed"),
        ("writes:WaitsForMore", "meter-signed", "sign.counter-rollover", "calls_failed"),
        ("heating:HeatsTheGrid", "heat-pump", "reading.heat-pump", "p_error_of_rating"),
        ("heating:WholeDegrees", "heat-pump", "reading.heat-pump", "room_error_k"),
        ("heating:MissingIsCold", "heat-pump", "reading.heat-pump.sensors", "numbers_invented"),
        ("heating:NoneIsNothing", "heat-pump", "heat.tracking", "not_given_back"),
        ("heating:CutsPowers", "heat-pump", "heat.refused", "accepted"),
        ("heating:AlwaysFollows", "heat-pump", "heat.room-wins", "states_wrong"),
        ("heating:TellsOnce", "heat-pump", "heat.kept", FAILED),
        ("heating:TellsForEver", "heat-pump", "heat.lapses", "given_back_late_s"),
        ("heating:LapsesInSilence", "heat-pump", "heat.lapses", "lapse_untold"),
        ("heating:OutlivesItself", "heat-pump", "heat.comms-loss", "given_back_late_s"),
        ("heating:SafeIsCold", "heat-pump", "heat.safe", "left_told"),
        ("heating:RestoresNothing", "heat-pump", "heat.safe", "left_told"),
        ("programs:BlocksForever", "pv-tcp", "reading.zero", HANGS),
        ("programs:WaitsForever", "pv-tcp", "reading.zero", HANGS),
        ("programs:BlocksTheLoop", "pv-tcp", "process.loop-free", "loop_blocked_s"),
        ("programs:Crashes", "pv-tcp", "fault.exception", CRASHES),
        ("programs:Segfaults", "pv-tcp", "reading.zero", CRASHES),
        ("programs:DiesQuietly", "pv-tcp", "reading.zero", CRASHES),
        ("programs:LeaksMemory", "pv-tcp", "process.memory", "memory_growth_bytes_per_reading"),
        ("programs:LeaksDescriptors", "pv-tcp", "process.reopen", "descriptors_leaked"),
        ("programs:LeaksThreads", "pv-tcp", "process.reopen", "threads_leaked"),
        ("programs:OpensAgain", "pv-tcp", "process.closed", "values_told"),
        ("programs:ClosesOnce", "pv-tcp", "process.reopen", "calls_failed"),
        ("programs:GivesUp", "pv-tcp", "fault.exception", "recovery_tries"),
    )
)
# The drivers they were made from, each of which must pass what its wrong kin fails.
GOOD = {
    "pv-tcp": "sunspec",
    "storage": "sunspec-storage",
    "pack-jbd": "jbd",
    "meter-signed": "signed-meter",
    "heat-pump": "lambda-heat-pump",
}


def install(site: Path) -> None:
    """Lay out the package as an installer would."""
    (site / "bad_drivers").symlink_to(Path(__file__).parent / "bad_drivers")
    info = site / "bad_drivers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-drivers\nVersion: 1.0\n")
    lines = sorted({f"{bad.name} = {bad.driver}" for bad in TABLE})
    lines.append("bad-exits = bad_drivers.exits:Nobody")
    (info / "entry_points.txt").write_text("\n".join(["[gridrig.drivers]", *lines, ""]))


def subject(device: str, driver: str) -> Subject:
    """Return a driver on a device of the bench."""
    return subject_of(bench(), device, driver)


@cache
def bench() -> Rig:
    """Return the bench, read once."""
    return load_rig(RIGS / "driver-bench.toml")


def tried(
    wanted: Iterable[tuple[str, str, str]], folder: Path
) -> dict[tuple[str, str], CaseResult]:
    """Try (driver, device, case), several at once; return the results by driver and case."""
    queue = [(driver, subject(device, driver), case) for driver, device, case in wanted]
    results: dict[tuple[str, str], CaseResult] = {}

    async def main(clock: Clock) -> None:
        async def lane() -> None:
            while queue:
                driver, one, case = queue.pop(0)
                records = folder / f"{driver}-{case}"
                records.mkdir()
                exam = Examination(one, clock, records, log, lambda _: None)
                (result,) = await exam.run(chosen(cases_for(one), [case]), lanes=1)
                results[driver, case] = result

        await asyncio.gather(*(lane() for _ in range(LANES)))

    with (folder / "log").open("wb") as log:
        run_wall(main, start_utc_s=START_UTC_S)
    return results
