"""What a market changed in losses, beside the same hour without it."""

from dataclasses import dataclass

from gridrig.campaign.loop import Loop
from gridrig.promises.feeder_again import FeederAgain
from gridrig.quantity import SECONDS_PER_HOUR


@dataclass(frozen=True)
class LossesCompared:
    """The losses of an hour with and without a market.

    Parameters
    ----------
    change_wh : float
        With the market less without it; it may be negative. [Wh]
    change_percent : float
        The same, of what the loads drew. [%]
    use_differs_wh : float
        Largest difference of any load's or roof's energy between the two. [Wh]
    engines_differ_percent : float
        Largest difference of the losses of a run from those of the other engine. [%]
    """

    change_wh: float
    change_percent: float
    use_differs_wh: float
    engines_differ_percent: float


def losses_compared(market: Loop, without: Loop) -> LossesCompared:
    """Compare two runs of one hour."""
    used = [_energies_wh(loop) for loop in (market, without)]
    losses = [_losses_wh(loop) for loop in (market, without)]
    differ = [100.0 * abs(_losses_again_wh(loop) / lost - 1.0)
              for loop, lost in zip((market, without), losses, strict=True)]  # fmt: skip
    drawn = -sum(energy for name, energy in used[0].items() if name.startswith("load."))
    return LossesCompared(
        change_wh=losses[0] - losses[1],
        change_percent=100.0 * (losses[0] - losses[1]) / drawn,
        use_differs_wh=max(abs(used[0][name] - used[1][name]) for name in used[0]),
        engines_differ_percent=max(differ),
    )


def _energies_wh(loop: Loop) -> dict[str, float]:
    """Return the energy of every load and every roof. [Wh]"""
    columns, street = loop.trace.columns(), loop.physics.street
    names = [name for name in columns if name.startswith("load.")]
    names += [f"device.{name}.p_w" for name in street.sun]
    return {
        name: sum(p * dt for p, dt in zip(columns[name], columns["dt_s"], strict=True))
        / SECONDS_PER_HOUR
        for name in names
    }


def _losses_wh(loop: Loop) -> float:
    columns = loop.trace.columns()
    both = zip(columns["feeder.losses_w"], columns["dt_s"], strict=True)
    return sum(p_w * dt_s for p_w, dt_s in both) / SECONDS_PER_HOUR


def _losses_again_wh(loop: Loop) -> float:
    again = FeederAgain(loop)
    both = ((again.as_run(tick).losses_w, tick.row["dt_s"]) for tick in again.ticks())
    return sum(p_w * dt_s for p_w, dt_s in both) / SECONDS_PER_HOUR
