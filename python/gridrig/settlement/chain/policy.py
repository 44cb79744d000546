"""When the sender asks, waits and believes."""

from dataclasses import dataclass

from gridrig.errors import SettlementError


@dataclass(frozen=True)
class SenderPolicy:
    """When the sender asks, waits, believes.

    Parameters
    ----------
    poll_s : float
        Between rounds while all is well. [s]
    back_off_s_first, back_off_s_max : float
        After the first failed round, doubled with each further one up to the bound. [s]
    confirmations : int or None
        Blocks from inclusion to finality, the block of inclusion counted; none asks the node for
        the last block that its chain calls final.
    head_stale_s : float or None
        How long a head may stay the same before nothing is sent on its word, and how long one that
        fell back is disbelieved; none for chains that make blocks on demand. [s]
    overdue_s : float
        How long an accepted transaction may wait for a block before that is an alarm. [s]
    in_flight_max : int
        Most transactions that are sent and not yet final.

    Raises
    ------
    SettlementError
        `settlement.chain_policy` for a wait or a count that is not positive.
    """

    poll_s: float = 2.0
    back_off_s_first: float = 1.0
    back_off_s_max: float = 60.0
    confirmations: int | None = None
    head_stale_s: float | None = 60.0
    overdue_s: float = 600.0
    in_flight_max: int = 16

    def __post_init__(self) -> None:
        for name in ("poll_s", "back_off_s_first", "back_off_s_max", "overdue_s", "in_flight_max"):
            if not getattr(self, name) > 0:
                raise SettlementError(
                    "settlement.chain_policy",
                    "{name} is {found}, expected a positive number",
                    name=name,
                    found=getattr(self, name),
                )
        if self.confirmations is not None and self.confirmations < 1:
            raise SettlementError(
                "settlement.chain_policy",
                "{name} is {found}, expected at least 1, the block of inclusion",
                name="confirmations",
                found=self.confirmations,
            )
