"""`gridrig check --energise`: a bench wired rightly passes, each wrong wiring is named."""

from dataclasses import replace
from typing import Any

import pytest

from gridrig.campaign.assembly import make_bench, make_street
from gridrig.campaign.builtin import RIGS, find
from gridrig.campaign.energising import Energising, Finding
from gridrig.campaign.flow import Coasting
from gridrig.clock import Clock, run_virtual
from gridrig.errors import CampaignError
from gridrig.events import EventLog
from gridrig.rig.description import Rig, load_rig, override_emulate

START_UTC_S = 1_466_424_000


def bench_rig(device: str = "", **wrong: Any) -> Rig:
    rig = load_rig(find("emulated-bench", RIGS))
    return override_emulate(rig, device, wrong) if device else rig


def energised(
    rig: Rig, consents: int = 100, unsafe: tuple[str, ...] = ()
) -> tuple[bool, list[Finding], Any, EventLog]:
    """Prove a rig's wiring; return the outcome, the findings, the circuit and what happened."""

    async def body(clock: Clock) -> Any:
        events = EventLog(clock, [device.name for device in rig.devices])
        street = make_street(rig, None, seed=1)
        bench = make_bench(rig, street, clock, events)
        coasting = Coasting(street.world, clock, street.circuit)
        coasting.start()
        left = [consents]

        shown: list[Finding] = []

        async def ask(what: str) -> bool:
            assert shown == energising.findings  # what was found is read before what comes next
            left[0] -= 1
            return left[0] >= 0

        energising = Energising(rig, bench, clock, ask, shown.append)
        ok = False
        try:
            async with bench:
                ok = await energising.run()
        except CampaignError:
            pass
        finally:
            await coasting.stop()
        assert bench.safe_report is not None
        assert bench.safe_report.left_unsafe == unsafe
        return ok, energising.findings, street.circuit, events

    return run_virtual(body, start_utc_s=START_UTC_S)


def test_a_bench_wired_rightly_passes_every_step_and_is_left_safe() -> None:
    ok, findings, circuit, events = energised(bench_rig())
    assert ok
    assert [finding.ok for finding in findings] == [True] * 5
    assert findings[-1].step == "power of pv-1"
    assert findings[-1].found.endswith("it says 1000 W")  # when its ramp is over
    assert not circuit.source_on
    assert not circuit.main
    assert circuit.load.r_w == 0.0
    puts = [
        e.data["v_v"][0] for e in events.ordered() if e.device == "ac-1" and e.kind == "setting"
    ]
    assert max(puts[:4]) < 25.0  # low voltage before nominal voltage


WRONG = {
    "source phases swapped": (("ac-1", {"wired": [1, 3, 2]}), "phases swapped"),
    "voltage leads swapped": (("pa-1", {"v_order": [2, 1, 3]}), "phases swapped"),
    "current leads swapped": (("pa-1", {"i_order": [1, 3, 2]}), "currents of other phases"),
    "one CT reversed": (("pa-1", {"ct": [1, -1, 1]}), "reversed CT on channel 2"),
    "a CT reversed at the contactor": (("pa-1", {"ct": [1, 1, 1, 1, 1, -1]}), "reversed or absent"),
    "CTs reversed at the contactor": (("pa-1", {"ct": [1, 1, 1, -1, -1, -1]}), "reversed CT"),
    "channel groups swapped": (("pa-1", {"sees": ["switch", "pv-1"]}), "swapped channels"),
    "status contact stuck open": (("s3", {"status": "stuck_open"}), "still shows open"),
    "status contact stuck closed": (("s3", {"status": "stuck_closed"}), "shows closed"),
    "status contact inverted": (("s3", {"status": "inverted"}), "still shows open"),
}


@pytest.mark.parametrize("mutant", WRONG)
def test_a_wrong_wiring_is_caught_and_named(mutant: str) -> None:
    (device, wrong), words = WRONG[mutant]
    # A contactor whose status contact shows closed cannot be proved open, so it is left unsafe.
    unsafe = ("s3",) if wrong.get("status") in ("stuck_closed", "inverted") else ()
    ok, findings, circuit, _ = energised(bench_rig(device, **wrong), unsafe=unsafe)
    assert not ok
    assert words.replace("currents", "current channels") in findings[-1].found
    assert not findings[-1].ok
    assert not circuit.source_on


@pytest.mark.parametrize("consents", [0, 1, 2])
def test_without_a_yes_nothing_more_is_sent(consents: int) -> None:
    ok, findings, _, events = energised(bench_rig(), consents)
    assert not ok
    assert len(findings) == consents + 1
    kinds = [event.kind for event in events.ordered() if event.device in ("ac-1", "s3")]
    assert ("closes" in kinds) == (consents >= 1)
    assert ("setting" in kinds) == (consents >= 2)


def test_a_source_that_takes_nothing_back_is_proved_with_the_load_bank_on() -> None:
    rig = bench_rig()
    devices = tuple(
        replace(d, limits=replace(d.limits, takes_back_w=0.0)) if d.name == "ac-1" else d
        for d in rig.devices
    )
    ok, findings, circuit, _ = energised(replace(rig, devices=devices))
    assert ok, findings
    assert circuit.load.r_w == 0.0
