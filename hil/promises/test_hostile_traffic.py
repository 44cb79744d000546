"""Campaign 7, a bad network: row M28, hostile traffic on a wire that asks who comes.

Stimulus: strangers on sockets of their own. They replay recordings of the owner's set points, set
limits in plain Modbus, without certificate, with one of a foreign authority, an expired one, one
without role and a reader's; throw malformed frames within TLS and without; flood; and leave
handshakes half open. The same replays are tried against the same inverter on plain Modbus, where
they have to succeed.
"""

from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.promises.hostile_traffic import hostile_traffic


@procedure(
    claim="no stranger sets anything on a secured wire, and the bench goes on within 10 s",
    clause="promise M28; MODBUS/TCP Security v36",
    hazards="the source offers 0.6 of the rating; if a write gets through, the inverter falls to "
    "0.2 of it or stops",
    rig="secured-inverter",
    needs=("inverter", "meter"),
    criteria=(
        Criterion("replays_on_plain", "1", min=20, source="the attack works where nobody asks"),
        Criterion("set_points_tried", "1", min=60, source="of 7 kinds of strangers"),
        Criterion("unsafe_writes", "1", max=0, source="limit and service, read after each"),
        Criterion("strangers_answered", "1", max=0, source="exception, alert, hang-up or silence"),
        Criterion("power_outside_w", "W", max=300, source="meter; 3 % of the rating (ours)"),
        Criterion("flood_times", "1", min=10, source="of what the bench asks in that time"),
        Criterion("handshake_held_s", "s", max=30, source="half open (ours)"),
        Criterion("control_gap_s", "s", max=10, source="the bench's own readings"),
        Criterion("reader_gap_s", "s", max=10, source="a new connection each control period"),
        Criterion("readings_by_reader", "1", min=20, source="a role that reads is let read"),
    ),
    mutants=(
        Mutant("obeys any role", "inverter", {"tls_asks": "certificate"}, "unsafe_writes"),
        Mutant("obeys anybody", "inverter", {"tls_asks": "nothing"}, "strangers_answered"),
        Mutant("answers in plain", "inverter", {"tls_plain": True}, "strangers_answered"),
        Mutant("is deaf after failures", "inverter", {"tls_failures_max": 60}, "reader_gap_s"),
        Mutant("waits for half", "inverter", {"tls_handshake_s": 600.0}, "handshake_held_s"),
    ),
)
async def test_hostile_traffic(lab: Lab) -> None:
    """Attack the inverter."""
    found = await hostile_traffic(lab, lab.name_of("inverter"))
    tried = found.tried
    lab.record("replays_on_plain", "1", found.on_plain)
    lab.record("set_points_tried", "1", tried.set_points, note=tried.told())
    lab.record("unsafe_writes", "1", len(tried.unsafe), note="; ".join(sorted(set(tried.unsafe))))
    answered = sorted(set(tried.answered))
    lab.record("strangers_answered", "1", len(tried.answered), note="; ".join(answered))
    lab.record("power_outside_w", "W", found.outside_w)
    lab.record("flood_times", "1", found.flood_times)
    lab.record("handshake_held_s", "s", tried.held_s)
    lab.record("control_gap_s", "s", found.control_gap_s)
    lab.record("reader_gap_s", "s", found.reader_gap_s)
    lab.record("readings_by_reader", "1", found.readings)
