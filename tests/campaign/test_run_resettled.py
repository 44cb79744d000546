"""Journals settled again by the core: what holds, and what a change of any input brings out."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from paper_street import Street, lived

from gridrig._core import Trade, VerifiedReading
from gridrig.campaign.run_resettled import Agreed, resettled_faults

DEPOSIT = 1_000_000


@dataclass
class Run:
    """What `gridrig audit` reads of a run."""

    street: Street
    readings: dict[bytes, VerifiedReading]
    trades: dict[int, list[Trade]]
    agreed: Agreed

    @classmethod
    def of(cls, street: Street, deposit_micro: int | None = None) -> "Run":
        readings = street.verified | {
            reading.digest: reading
            for settled in street.account.settled
            for meter in settled.meters
            for reading in meter.readings
        }
        trades = {settled.period: settled.trades for settled in street.account.settled}
        return cls(street, readings, trades, Agreed("head", deposit_micro))

    def faults(self) -> list[str]:
        journal = self.street.journal
        return list(resettled_faults(journal, self.readings, self.trades, self.agreed))


def late(street: Street) -> Street:
    """Let readings of two silent periods come, after they were interpolated."""
    at_once = lived((), deposit_micro=street.account.terms.deposit_micro)
    street.account.take(
        meter.closing
        for settled in at_once.account.settled
        for meter in settled.meters
        if settled.period in {1, 2} and meter.meter == "home" and meter.closing
    )
    street.settle(5)
    return street


def forked(street: Street) -> Street:
    """Let the home sign another record under a counter: its reading is withdrawn."""
    home = street.meters["home"]
    home.answers = [home.signer.sign(4, 1_467_206_100 + 180, 1, 0)] * 2
    street.settle(5)
    return street


@pytest.mark.parametrize("deposit_micro", [None, 0, DEPOSIT])
@pytest.mark.parametrize(
    "happened",
    [
        lambda deposit: lived((), deposit_micro=deposit),
        lambda deposit: lived({1, 2}, deposit_micro=deposit),
        lambda deposit: lived(range(2, 9), deposit_micro=deposit),
        lambda deposit: late(lived({1, 2}, deposit_micro=deposit)),
        lambda deposit: forked(lived((), deposit_micro=deposit)),
        lambda deposit: late(lived({1, 2}, deposit_micro=deposit, linked=True)),
    ],
    ids=["read", "silent", "silent-to-the-end", "late", "forked", "linked-and-late"],
)
def test_what_was_posted_comes_out_again(
    happened: Callable[[int | None], Street], deposit_micro: int | None
) -> None:
    run = Run.of(happened(deposit_micro), deposit_micro)
    assert len(run.street.journal.settlements()) >= 5
    assert run.faults() == []


def reading_lost(run: Run) -> None:
    last = max(run.readings.values(), key=lambda reading: reading.time_ms)
    del run.readings[last.digest]


def trade_lost(run: Run) -> None:
    run.trades[3].pop()


def trade_dearer(run: Run) -> None:
    one = run.trades[3][0]
    dearer = one.price_micro_per_kwh + 1_000
    run.trades[3][0] = Trade(one.trade_id, 0, one.participant, one.side, 1_500_000, dearer)


def deposit_other(run: Run) -> None:
    run.agreed = run.agreed._replace(deposit_micro=DEPOSIT + 1)


def deposit_forgotten(run: Run) -> None:
    run.agreed = run.agreed._replace(deposit_micro=None)


def head_other(run: Run) -> None:
    run.agreed = run.agreed._replace(head="home")


def rewritten(statement: str) -> Callable[[Run], None]:
    def rewrite(run: Run) -> None:
        db = run.street.journal._db
        for table in ("settlement", "entry"):
            db.execute(f"DROP TRIGGER {table}_no_update")
        assert db.execute(statement).rowcount == 1

    return rewrite


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (reading_lost, "period 4: cannot be settled again: settlement.not_as_metered: meter"),
        (trade_lost, "period 3: cannot be settled again"),
        (trade_dearer, "period 3, line "),
        (deposit_other, "period 0, line "),
        (deposit_forgotten, "period 0, line "),
        (head_other, "period 0, line "),
        (
            rewritten(
                "UPDATE settlement SET rules = json_set(rules, '$.grid_fee_micro_per_kwh', 7) "
                "WHERE period = 2 AND revision = 0"
            ),
            "period 2, line ",
        ),
        (
            rewritten(
                "UPDATE entry SET amount_micro = amount_micro + 1 "
                "WHERE period = 1 AND revision = 1 AND line = 1"
            ),
            "period 1, revision 1, line ",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_first_difference_is_named(change: Callable[[Run], None], told: str) -> None:
    run = Run.of(lived({1, 2}, deposit_micro=DEPOSIT), DEPOSIT)
    assert run.faults() == []
    change(run)
    (fault,) = run.faults()
    assert fault.startswith(told)


def test_link_fees_and_rent_are_settled_again_from_the_flows_that_were_posted() -> None:
    run = Run.of(lived({1, 2}, linked=True))
    assert run.faults() == []
    fees = [row for row in run.street.journal.entries() if row.kind == "link_fee"]
    rents = [row for row in run.street.journal.entries() if row.kind == "rent"]
    # 1.5 kWh at 0.02; bought at 0.30 and sold at 0.25, less that fee.
    assert {(row.credit, row.amount_micro) for row in fees} == {("link:cable", 30_000)}
    assert {(row.credit, row.amount_micro) for row in rents} == {("congestion-rent", 45_000)}
    assert len(fees) == len(rents) == 5
    # Energy and fee that agree with each other, and no longer with the rent.
    rewritten(
        "UPDATE entry SET amount_micro = 2 * amount_micro, energy_milliwh = 2 * energy_milliwh "
        "WHERE period = 3 AND kind = (SELECT kind FROM kind WHERE word = 'link_fee')"
    )(run)
    (fault,) = run.faults()
    assert fault.startswith("period 3, line ")
    assert "amount_micro 45000 is posted, 15000 comes out" in fault
