"""Campaign 8, stressed feeder: row M14, no single device is missed much.

Stimulus: ten minutes of a morning, once as they are and once for each device of the rig, which is
lost in the middle of the second delivery period: inverters, storages and packs trip, meters and
switches fall silent. Each run is compared with the one in which nothing was lost.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.single_outages import Loss, losing, loss

SCENARIO = load_scenario(SCENARIOS / "promise-8-outages.toml", units(CATALOGUE))
LOST_S = 420.0
BACK_S = 700.0  # enter service: 300 s of delay, 300 s of ramp
V_CHANGE_PU = 0.05


@procedure(
    claim="the loss of any one device moves no voltage by more than 5 %, interrupts nobody, takes "
    "no other device with it, and costs no more imbalance than its own energy",
    clause="promise M14",
    hazards="each device is cut off under power",
    rig="stressed-feeder",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("devices_lost", "1", min=20, source="every device of the rig, each once"),
        Criterion("v_change_max_pu", "pu", max=V_CHANGE_PU, source="ours: 5 % at once"),
        Criterion("unserved_wh", "Wh", max=0, source="nobody is interrupted"),
        Criterion("others_lost", "1", max=0, source="no device takes another with it"),
        Criterion(
            "imbalance_unlike_own_wh", "Wh", max=20, source="ours: nobody else is out of balance"
        ),
    ),
    mutants=(
        Mutant("larger than it says", "pv-b4", {"s_va": 300_000}, "v_change_max_pu"),
        Mutant(
            "goes with its neighbour", "pv-a2", {"relays": {"UV1": [1.012, 1.0]}}, "others_lost"
        ),
        Mutant("metered by half", "meter-pv-a4", {"scale": 0.5}, "imbalance_unlike_own_wh"),
    ),
)
async def test_single_outages(lab: Lab) -> None:
    """Lose each device in turn."""
    base = await lab.run_loop(SCENARIO)
    losses: list[Loss] = []
    for device in lab.rig.devices:
        lost = await lab.run_loop(losing(SCENARIO, device, LOST_S))
        losses.append(loss(base, lost, device, LOST_S))
        for index in lab.street.devices.values():
            lab.world.set_connect(index, True)
        for pack in lab.rig.of("bms"):
            lab.world.set_fets(lab.street.pack_index(pack.name), True, True)
        await lab.pass_time(BACK_S, step_s=20.0)
    worst = max(losses, key=lambda one: one.v_change_pu)
    lab.record("devices_lost", "1", len(losses))
    lab.record("v_change_max_pu", "pu", worst.v_change_pu, note=worst.text())
    lab.record("unserved_wh", "Wh", sum(one.unserved_wh for one in losses))
    others = [f"{one.device} takes {', '.join(one.others)}" for one in losses if one.others]
    lab.record("others_lost", "1", len(others), note="; ".join(others))
    dearest = max(losses, key=lambda one: one.unlike_own_wh)
    lab.record("imbalance_unlike_own_wh", "Wh", dearest.unlike_own_wh, note=dearest.text())
