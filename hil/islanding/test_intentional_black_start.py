"""Black start: a microgrid without voltage raises itself, takes its load in blocks, and rejoins.

Stimulus: the island is let die by withdrawing the storage's permit, the grid is dead, all load
banks are off. The storage is permitted again and has to raise the bus; then the critical load and
each further load are connected one after the other. Judged from one recording of the analyser for
each step: when voltage and frequency are in their bands. A block is carried if its step kept the
voltage to the ITIC curve and the frequency from trips, and if at the end it has its power at its
own terminals. Last the grid comes back, and the switch has to join it.

Known gaps: no transformers to magnetise and no motors to start; inverters are not waited for.
"""

from functools import partial

from gridrig.campaign.microgrid_bench import NEEDS, Operation, open_microgrid
from gridrig.campaign.microgrid_judging import (
    SERVED_SHARE,
    U_HZ,
    formed_s,
    judged_voltage,
    kept,
    past_trip,
)
from gridrig.campaign.microgrid_limits import ITIC_SOURCE, OWN_RULE, TRIP_SOURCE
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.errors import CampaignError

BEFORE = Operation((20e3, 10e3, 0.0, 0.0), 0.0, 10e3)  # no sun: it would keep the bus for a while
BLOCKS_W = (30e3, 20e3, 20e3, 20e3)
ENERGISED_MAX_S = 5.0
RISING_S = 8.0  # recorded while it rises
BLOCK_S = 3.0  # and after each block
DEAD_PU, DARK_S = 0.05, 5.0
U_COMMAND_S = 0.2  # when a device takes a command is known to its answer


@procedure(
    claim="starts a dead microgrid, takes its load in blocks and rejoins the grid",
    clause="IEEE 1547-2018 8.2, intentional islanding; ITI (CBEMA) curve",
    hazards="a bus that becomes live by itself: nobody works on it with the storage connected",
    rig="emulated-microgrid",
    needs=NEEDS,
    criteria=(
        Criterion("energised_s", "s", max=ENERGISED_MAX_S, source=OWN_RULE),
        Criterion(
            "blocks_carried",
            "1",
            min=len(BLOCKS_W),
            source=f"{OWN_RULE}; {ITIC_SOURCE}; {TRIP_SOURCE}",
        ),
    ),
    mutants=(
        Mutant("cannot start a dead bus", "storage", {"black_start": False}, "energised_s"),
        Mutant("rises too slowly", "storage", {"black_start_ramp_s": 7.0}, "energised_s"),
        Mutant("gives too little current", "storage", {"i_max_pu": 0.5}, "blocks_carried"),
        Mutant("drops a block", "storage", {"droop_p": 0.05}, "blocks_carried"),
        Mutant(
            "droops to a stop",
            "storage",
            {"droop_p": 0.2, "power_filter_s": 0.01},
            "blocks_carried",
        ),
    ),
)
async def test_black_start(lab: Lab) -> None:
    """Let the island die, raise it, load it, join it."""
    bench = await open_microgrid(lab)
    await bench.operate(BEFORE)
    await lab.driver(bench.switch).set_closed(False)
    storage = lab.driver(bench.storage)
    await storage.set_connect(False)
    await bench.set_grid(0.0)
    for name in bench.loads:
        await bench.set_load(name, 0.0)
    await bench.hold(DARK_S)
    if (left_pu := bench.v_pu(await bench.measure(), bench.storage)) > DEAD_PU:
        raise CampaignError(
            "campaign.not_dark",
            "the bus still has {found:.3f} pu, expected at most {most:g} pu",
            found=left_pu,
            most=DEAD_PU,
        )

    trace = await bench.record(partial(storage.set_connect, True), RISING_S, ())
    energised_s = formed_s(bench, trace)
    lab.record("energised_s", "s", energised_s, U_COMMAND_S + trace.step_s)
    if energised_s > ENERGISED_MAX_S:
        return  # nothing is connected to a bus that did not come

    unharmed: dict[str, bool] = {}
    doubtful = 0
    notes: list[str] = []
    for name, p_w in zip(bench.loads, BLOCKS_W, strict=True):
        trace = await bench.record(partial(bench.set_load, name, p_w), BLOCK_S, ())
        voltage = judged_voltage(bench, trace, f"{name} connected, {p_w / 1e3:.0f} kW")
        within, sure = kept(voltage)
        tripping = bool(past_trip(bench, trace.f_hz).any())
        sure &= tripping == bool(past_trip(bench, trace.f_hz, -U_HZ).any())
        unharmed[name] = within and not tripping
        doubtful += not sure
        notes.append(f"{name}: {voltage.note}, {trace.f_hz.min():.2f} to {trace.f_hz.max():.2f} Hz")
    reading = await bench.measure()
    carried = sum(
        unharmed[name] and -bench.power_w(reading, name) >= SERVED_SHARE * p_w
        for name, p_w in zip(bench.loads, BLOCKS_W, strict=True)
    )
    lab.record("blocks_carried", "1", carried, doubtful, "; ".join(notes))
    if carried == len(BLOCKS_W):
        await bench.rejoin()
