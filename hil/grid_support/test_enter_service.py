"""Enter service: an inverter waits for voltage and frequency, then for its delay, then ramps.

Stimulus: the permit to be in service is withdrawn; then, for each of six sets of settings that span
their ranges, the inverter is given the permit with the grid outside its window, for twice its
delay; the grid steps inside; and where there is a delay, once more with the permit given again
inside the window, and with an excursion of 0.08 s half-way, which has to begin the delay anew.
Every step is recorded, later times are measured, both by the analyser's one clock. The inverter's
telemetry is not asked. What fails is given no more.

Known gaps: a random delay is told from none by the longer of two draws, which chance fails once in
ten thousand. That a late entry is a fault is our own rule: it shows that the inverter came at all.
Frequencies are those of 60 Hz, scaled by ratio to the bench's nominal.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from gridrig.campaign.grid_bench import RATE_HZ, GridBench, Trace, open_grid_bench
from gridrig.campaign.power_times import Between, Look, reached
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.recordings import ceased_s
from gridrig.campaign.setting_labels import enter_service_labels
from gridrig.devices.bench_capabilities import SequenceStep
from gridrig.devices.grid_support import EnterServiceSettings

FEEDS_PU = 0.002  # power at which it is taken to export
SHARE = 0.985  # of a time that may not be fallen short of
GONE_PU = 0.05  # current that counts as none
CEASE_S = 2.0
WAIT_MIN_S, SETTLE_S = 60.0, 2.0
EXCURSION_S = 0.08
RECORDED_S = 2.0
RESPONSE_S = 2.0  # of the inverter and of what measures it, where it enters at once
RANDOM_MIN = 0.01
CASES_SOURCE = "IEEE 1547-2018 4.10, restated by pyUL1741SB"


@dataclass(frozen=True)
class Case:
    """One set of settings, and where the grid begins and ends.

    Parameters
    ----------
    number : int
        Of the test.
    delay_s, ramp_s, random_s : float
        [s]
    v_pu, f_hz : (float, float)
        The window; frequencies of 60 Hz. [pu, Hz]
    start, end : float
        Voltage or frequency outside the window and inside. [pu or Hz]
    by_voltage : bool
        Which of the two it is.
    """

    number: int
    delay_s: float
    ramp_s: float
    random_s: float
    v_pu: tuple[float, float]
    f_hz: tuple[float, float]
    start: float
    end: float
    by_voltage: bool


# Ranges by OpenDER, cases by pyUL1741SB, whose case 6 ends at 59.92 Hz: like the others, this one
# ends 0.02 Hz inside its window.
CASES = (
    Case(1, 300, 300, 0, (0.917, 1.05), (59.5, 60.1), 0.897, 0.937, by_voltage=True),
    Case(2, 0, 0, 300, (0.917, 1.05), (59.5, 60.1), 59.48, 59.52, by_voltage=False),
    Case(3, 600, 1000, 0, (0.95, 1.06), (59.9, 61.0), 1.08, 1.04, by_voltage=True),
    Case(4, 0, 0, 1000, (0.95, 1.06), (59.9, 61.0), 61.02, 60.98, by_voltage=False),
    Case(5, 0, 1, 0, (0.88, 1.05), (59.0, 60.1), 0.86, 0.90, by_voltage=True),
    Case(6, 0, 0, 1, (0.88, 1.05), (59.0, 60.1), 58.98, 59.02, by_voltage=False),
)


def kept(name: str, value: float) -> dict[str, object]:
    """Return the table of an inverter that takes a setting, reads it back, and has its own."""
    return {"keeps": [f"enter_service_{name}"], f"enter_service_{name}": value}


@procedure(
    claim="enters service only in its window, after its delay, by its ramp, and with permission",
    clause="IEEE 1547-2018 4.10; IEEE 1547.1-2020 5.6",
    hazards="the inverter may connect at any moment: nobody works on the bus",
    rig="emulated-bench",
    needs=("inverter", "ac_source", "dc_source", "switch", "analyser"),
    criteria=(
        Criterion("permit_cease_s", "s", max=CEASE_S, source=f"{CASES_SOURCE}: 2 s"),
        Criterion("outside_power_pu", "pu", max=FEEDS_PU, source=f"{CASES_SOURCE}: none"),
        Criterion("entered_share_of_delay", "1", min=SHARE, source=f"{CASES_SOURCE}: 98.5 %"),
        Criterion("entered_late_s", "s", max=RESPONSE_S, source="ours: it has to come"),
        Criterion("restarted_share_of_delay", "1", min=SHARE, source=f"{CASES_SOURCE}: 98.5 %"),
        Criterion("ramped_share_of_time", "1", min=SHARE, source=f"{CASES_SOURCE}: 98.5 %"),
        Criterion("random_share_longest", "1", min=RANDOM_MIN, source="ours: there is one"),
    ),
    mutants=(
        Mutant("ignores its permit", "inverter", {"ignores_permit": True}, "permit_cease_s"),
        Mutant("enters at low voltage", "inverter", kept("v_low_pu", 0.88), "outside_power_pu"),
        Mutant("enters at high voltage", "inverter", kept("v_high_pu", 1.09), "outside_power_pu"),
        Mutant("enters at low frequency", "inverter", kept("f_low_hz", 49.0), "outside_power_pu"),
        Mutant("enters early", "inverter", kept("delay_s", 290.0), "entered_share_of_delay"),
        Mutant("enters late", "inverter", kept("delay_s", 320.0), "entered_late_s"),
        Mutant("never enters", "inverter", kept("v_low_pu", 0.94), "entered_late_s"),
        Mutant(
            "measures too slowly to see an excursion",
            "inverter",
            {"v_window_cycles": 50.0},
            "restarted_share_of_delay",
        ),
        Mutant("ramps fast", "inverter", kept("ramp_s", 250.0), "ramped_share_of_time"),
        Mutant("has no random delay", "inverter", kept("random_s", 0.0), "random_share_longest"),
    ),
)
async def test_enter_service(lab: Lab) -> None:
    """Withdraw the permit, then go through the cases."""
    bench = await open_grid_bench(lab)
    bench.require(time_s=CEASE_S)
    await bench.connect()
    await bench.ready()
    trace, known_s = await bench.record_act(
        lambda: lab.driver(bench.name).set_connect(False), 2 * CEASE_S, tracks="I"
    )
    gone_s = ceased_s(trace.t_s, trace.i_pu, GONE_PU)
    gone_s = gone_s if gone_s <= CEASE_S + 1.0 else math.inf
    lab.record("permit_cease_s", "s", gone_s, known_s + 1 / RATE_HZ)
    if gone_s > CEASE_S:
        return
    # What enters at high frequency would stay at the nothing that it gave before.
    await bench.switch_off("frequency_droop")
    found = Found()
    for case in CASES:
        await go_through(bench, case, found)
        if found.wrong:
            break
    found.record(lab)


@dataclass
class Found:
    """What was measured so far, by criterion: value, uncertainty and note of each."""

    values: dict[str, list[tuple[float, float, str]]] = field(default_factory=dict)
    random_shares: list[float] = field(default_factory=list)
    wrong: bool = False

    def add(self, name: str, value: float, uncertainty: float, note: str) -> None:
        """Add a value; note whether it already is beyond its limit."""
        self.values.setdefault(name, []).append((value, uncertainty, note))
        least, limit = LIMITS[name]
        self.wrong |= value < limit if least else value > limit

    def record(self, lab: Lab) -> None:
        """Record the worst of each."""
        for name, values in self.values.items():
            pick: Callable[..., tuple[float, float, str]] = min if LIMITS[name][0] else max
            value, uncertainty, note = pick(values)
            unit = {"outside_power_pu": "pu", "entered_late_s": "s"}.get(name, "1")
            lab.record(name, unit, value, uncertainty, note)
        if len(self.random_shares) > 1:
            lab.record("random_share_longest", "1", max(self.random_shares))


# Whether the limit is the least, and what it is.
LIMITS = {
    "outside_power_pu": (False, FEEDS_PU),
    "entered_share_of_delay": (True, SHARE),
    "entered_late_s": (False, RESPONSE_S),
    "restarted_share_of_delay": (True, SHARE),
    "ramped_share_of_time": (True, SHARE),
}


async def go_through(bench: GridBench, case: Case, found: Found) -> None:
    """Set a case up, step into the window, and where there is a delay try it twice more."""
    inverter, name = bench.lab.driver(bench.name), f"case {case.number}"
    await inverter.set_connect(False)
    f_low_hz, f_high_hz = (bench.hz(f_hz) for f_hz in case.f_hz)
    settings = EnterServiceSettings(
        *case.v_pu, f_low_hz, f_high_hz, case.delay_s, case.random_s, case.ramp_s
    )
    await inverter.write_enter_service(settings)
    bench.lab.tried_settings += enter_service_labels(settings)
    await bench.put(grid(bench, case, case.start))
    await bench.hold(SETTLE_S)  # it has to have measured what is there now
    await inverter.set_connect(True)
    await outside(bench, max(WAIT_MIN_S, 2 * case.delay_s + case.random_s), name, found)
    if found.wrong:
        return
    inside = grid(bench, case, case.end, RECORDED_S)
    trace = await bench.record([inside], tracks="P")
    await entered(bench, case, trace, name, found)
    if case.ramp_s and not found.wrong:
        await ramped(bench, case, trace, name, found)
    if not case.delay_s or found.wrong:
        return
    await inverter.set_connect(False)
    trace, _ = await bench.record_act(lambda: inverter.set_connect(True), RECORDED_S, tracks="P")
    await entered(bench, case, trace, f"{name}, permit given again", found)
    await inverter.set_connect(False)
    await inverter.set_connect(True)
    await bench.hold(case.delay_s / 2)
    away = grid(bench, case, case.start, EXCURSION_S)
    trace = await bench.record([away, inside], tracks="P")
    time = await reached(bench, trace, FEEDS_PU, look(case.delay_s, case), since_s=EXCURSION_S)
    share, spread = share_of(time, case.delay_s)
    found.add("restarted_share_of_delay", share, spread, name)


def grid(bench: GridBench, case: Case, value: float, dwell_s: float = 1.0) -> SequenceStep:
    """Return a step that puts out a case's voltage or frequency, the other nominal."""
    if case.by_voltage:
        return bench.step(dwell_s, value)
    return bench.step(dwell_s, f_hz=bench.hz(value))


async def outside(bench: GridBench, wait_s: float, name: str, found: Found) -> None:
    """Wait with the grid outside the window, and see that nothing is exported. [s]"""
    _, _, u_p = bench.uncertainty_pu()
    for _ in range(5):
        await bench.hold(wait_s / 5)
        power_pu = await bench.power_pu()
        found.add("outside_power_pu", power_pu, u_p * max(FEEDS_PU, power_pu), name)
        if found.wrong:
            return


async def entered(bench: GridBench, case: Case, trace: Trace, name: str, found: Found) -> None:
    """Find when it begins to export, and judge it early and late."""
    latest_s = (case.delay_s + case.random_s) * (2 - SHARE) + FEEDS_PU * case.ramp_s
    time = await reached(bench, trace, FEEDS_PU, look(case.delay_s, case))
    if case.delay_s:
        share, spread = share_of(time, case.delay_s)
        found.add("entered_share_of_delay", share, spread, name)
    late_s = time.middle_s - latest_s
    found.add("entered_late_s", late_s, time.uncertainty_s, name)
    if case.random_s > RESPONSE_S:
        found.random_shares.append(time.middle_s / case.random_s)


async def ramped(bench: GridBench, case: Case, trace: Trace, name: str, found: Found) -> None:
    """Find when it comes to rated power."""
    whole_s = case.delay_s + case.ramp_s
    share, spread = share_of(await reached(bench, trace, SHARE, look(whole_s, case)), whole_s)
    found.add("ramped_share_of_time", share, spread, name)


def look(expected_s: float, case: Case) -> Look:
    """Return how to look for something that is expected at a time. [s]"""
    often_s = max(0.25, (1 - SHARE) * expected_s / 4, case.random_s / 50)
    until_s = (expected_s + case.random_s) * 1.05 + FEEDS_PU * case.ramp_s + 2 * RESPONSE_S
    return Look(0.97 * expected_s, until_s, often_s)


def share_of(time: Between, whole_s: float) -> tuple[float, float]:
    """Return a time as a share of another, and its uncertainty."""
    return time.middle_s / whole_s, time.uncertainty_s / whole_s
