"""Rows N1 and N7: boxes that tell a meter's energy over a network that loses packets.

Stimulus: beside each meter of an inverter stand a box of Glow's kind, which reports five-minute
slots by UDP, and one of Arkreen's, which reports hourly samples by JSON-RPC. For four and a half
hours 40 % of the packets are lost, one in ten comes twice, and all come up to twelve minutes late;
then each box asks what arrived. Afterwards a probe tells the collectors what they must refuse, over
the same sockets.
"""

from datetime import UTC, datetime

from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.promises.telemetry_cases import probe_keys, tell_packets, tell_reports
from gridrig.promises.telemetry_hours import Telemetry, run_hours

PACKET_CASES, REPORT_CASES = 676, 20


@procedure(
    claim="what boxes tell over a lossy network arrives whole, and nothing false is counted",
    clause="promises N1, N7",
    hazards="none: nothing is switched",
    rig="driver-bench",
    needs=("inverter", "meter", "model"),
    start_utc_s=int(datetime(2024, 6, 20, 8, tzinfo=UTC).timestamp()),
    criteria=(
        Criterion(
            "reports_lost_share", "1", min=0.2, max=0.6, source="the network must have been bad"
        ),
        Criterion(
            "slots_missing", "1", max=0, source="after one sync, the collector's and the box's"
        ),
        Criterion(
            "slots_unlike_register_milliwh",
            "mWh",
            max=0,
            source="sum of all slots against the meter's own register",
        ),
        Criterion(
            "slots_banned", "1", max=0, source="an honest box tells a slot once, in capacity"
        ),
        Criterion(
            "energy_unlike_inverter",
            "1",
            max=0.02,
            source="2 % of what the inverter says it gave (ours)",
        ),
        Criterion("packet_cases_told", "1", min=PACKET_CASES, source="none is left out"),
        Criterion("packets_unlike_rules", "1", max=0, source="Glow's published rules"),
        Criterion("samples_set_aside", "1", max=0, source="reports of honest boxes"),
        Criterion(
            "samples_unlike_register_milliwh",
            "mWh",
            max=0,
            source="energy of the hours against the meter's own register",
        ),
        Criterion("report_cases_told", "1", min=REPORT_CASES, source="none is left out"),
        Criterion("reports_unlike_rules", "1", max=0, source="Arkreen's numbers; 2 % (ours)"),
    ),
    mutants=(
        Mutant("a thousandfold", "meter-signed", {"scale": 1000.0}, "slots_banned"),
        Mutant("reversed transformer", "meter-bsm", {"sign": -1}, "energy_unlike_inverter"),
        Mutant("thirty per cent high", "meter-bsm", {"scale": 1.3}, "samples_set_aside"),
        Mutant(
            "repeats its first values",
            "meter-signed",
            {"telemetry": "frozen"},
            "energy_unlike_inverter",
        ),
    ),
)
async def test_telemetry(lab: Lab) -> None:
    """Let the boxes report, ask once what arrived, then tell the collectors what is wrong."""

    async def then(found: Telemetry) -> None:
        packets = await tell_packets(found.glow, lab.clock)
        reports = await tell_reports(found.miners, lab.clock.utc_s() - 86_400)
        for kind, told in (("packet", packets), ("report", reports)):
            lab.record(f"{kind}_cases_told", "1", told.count)
            note = "; ".join(told.unlike)
            lab.record(f"{kind}s_unlike_rules", "1", len(told.unlike), note=note)

    found = await run_hours(lab, probe_keys(), then)
    lab.record("reports_lost_share", "1", found.lost_share)
    for name, unit, value in found.judged():
        lab.record(name, unit, value)
