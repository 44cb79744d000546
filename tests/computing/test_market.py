"""Admission and escrow: closed forms, every refusal, and books that close after any steps."""

import random
from dataclasses import replace

import pytest

from gridrig.computing.admission import Answer, Battery, answer
from gridrig.computing.escrow import Escrow
from gridrig.computing.job import Job, energy_cost_micro
from gridrig.computing.work import Work
from gridrig.errors import GridrigError

JOB = Job("j", "n", "b", 0.0, Work(1, 2, 3), 3600.0, 7200.0, 2_000_000, 300_000)


def asked(
    battery: Battery, *, work_s: float, due_s: float = 1e9, interruptible: bool = False
) -> Answer:
    return answer(
        battery,
        draws_w=450.0,
        work_s=work_s,
        promised_s=3600.0,
        now_s=0.0,
        due_s=due_s,
        starts_every_s=900.0,
        interruptible=interruptible,
    )


def test_reserve_holds_to_the_second() -> None:
    # 10 % of 20 kWh, nine tenths of it counted, are 1.8 kWh: 4 h at 450 W, one of them promised.
    battery = Battery(0.2, 20_000.0, 0.1)
    assert asked(battery, work_s=3 * 3600 - 1).refusal is None
    assert asked(battery, work_s=3 * 3600 + 1).refusal == "reserve"
    assert asked(battery, work_s=3 * 3600 + 1, interruptible=True).refusal is None


def test_due_time_counts_the_wait_for_a_period() -> None:
    battery = Battery(0.9, 20_000.0, 0.1)
    assert asked(battery, work_s=3600, due_s=8100).refusal is None
    assert asked(battery, work_s=3600, due_s=8099).refusal == "too_late"
    assert asked(battery, work_s=3600, due_s=8099, interruptible=True).refusal == "too_late"


def test_cost_is_rounded_half_up_and_never_beyond_the_deposit() -> None:
    assert [energy_cost_micro(e, 500_000) for e in (0, 1, 2, 3)] == [0, 1, 1, 2]
    deposit = JOB.deposit_micro(450.0)
    assert deposit == 2_000_000 + 135_000
    assert JOB.due_micro(450_000, deposit) == deposit
    assert JOB.due_micro(600_000, deposit) == deposit
    assert replace(JOB, work_s=1.0).deposit_micro(0.001) == 2_000_000  # 1 mWh, 0.3 millionths


def test_books_close_whatever_happens() -> None:
    chance = random.Random(1)
    escrow = Escrow()
    for number in range(200):
        held = chance.randrange(10**6)
        escrow.hold(f"j{number}", f"b{chance.randrange(5)}", held)
        if number % 10:
            paid = chance.choice([0, held, chance.randint(0, held)])
            assert escrow.close(f"j{number}", "n", paid) == held - paid
    balances = escrow.balances()
    assert sum(balances.values()) == 0
    still = {name for name, amount in balances.items() if name.startswith("escrow/") and amount}
    assert still <= {f"escrow/j{number}" for number in range(0, 200, 10)}


@pytest.mark.parametrize("paid", [-1, 101])
def test_more_than_was_held_is_not_paid(paid: int) -> None:
    escrow = Escrow()
    escrow.hold("j", "b", 100)
    with pytest.raises(GridrigError, match="0 to 100"):
        escrow.close("j", "n", paid)
    assert escrow.close("j", "n", 100) == 0


def test_escrow_is_opened_once_and_closed_once() -> None:
    escrow = Escrow()
    with pytest.raises(GridrigError, match="no open deposit"):
        escrow.close("j", "n", 0)
    escrow.hold("j", "b", 100)
    escrow.close("j", "n", 40)
    for act in (lambda: escrow.hold("j", "b", 100), lambda: escrow.close("j", "n", 0)):
        with pytest.raises(GridrigError) as caught:
            act()
        assert caught.value.code == "computing.escrow"
    assert escrow.balances() == {"buyer/b": -40, "escrow/j": 0, "node/n": 40}
