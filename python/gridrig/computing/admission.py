"""Whether a job may be taken: the battery's reserve has to hold over all that was promised.

No sun is counted on, and of what the battery holds above its reserve only a share, so that losses
and a capacity that is less than nominal do not break it. An interruptible job never breaks the
reserve, because it is paused there; it is refused only if it can no longer be done in time.
"""

from dataclasses import dataclass
from typing import Literal

COUNTED = 0.9  # share of the nominal energy that is counted on; ours
Refusal = Literal["reserve", "too_late"]


@dataclass(frozen=True)
class Battery:
    """What a battery says when a job is offered.

    Parameters
    ----------
    soc : float
        State of charge as its manager tells it, 0..1.
    capacity_wh : float
        Nominal energy. [Wh]
    reserve_soc : float
        What its owner keeps, 0..1.
    """

    soc: float
    capacity_wh: float
    reserve_soc: float

    def soc_after(self, draws_w: float, for_s: float) -> float:
        """Forecast its state of charge after a draw without any sun. [W, s, 0..1]

        Examples
        --------
        >>> round(Battery(0.5, 20_000, 0.3).soc_after(450, 4 * 3600), 3)
        0.4
        """
        return self.soc - draws_w * for_s / 3600 / (COUNTED * self.capacity_wh)


@dataclass(frozen=True)
class Answer:
    """Whether a job is taken, and what that rests on.

    `refusal` is None if it is; `soc_after` is the forecast for the end of all that was promised.
    """

    refusal: Refusal | None
    soc_after: float


def answer(
    battery: Battery,
    *,
    draws_w: float,
    work_s: float,
    promised_s: float,
    now_s: float,
    due_s: float,
    starts_every_s: float,
    interruptible: bool,
) -> Answer:
    """Answer the offer of a job.

    Parameters
    ----------
    battery : Battery
        As told now.
    draws_w : float
        What the node draws at most. [W]
    work_s, promised_s : float
        What the job takes, and what is left of those taken before. [s]
    now_s, due_s : float
        [s]
    starts_every_s : float
        Jobs begin where meters sign, and so wait up to this long each. [s]
    interruptible : bool
        Whether it may be paused.
    """
    soc_after = battery.soc_after(draws_w, promised_s + work_s)
    if now_s + promised_s + starts_every_s + work_s > due_s:
        return Answer("too_late", soc_after)
    if not interruptible and soc_after < battery.reserve_soc:
        return Answer("reserve", soc_after)
    return Answer(None, soc_after)
