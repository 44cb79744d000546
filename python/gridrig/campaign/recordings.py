"""Sequences that a bench plays and records, and what a recording says of them.

Times are read from one instrument's time base: the trigger is marked in the recording itself, so no
clock of the host or of the source enters.
"""

from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from gridrig.campaign.lab import Lab
from gridrig.devices.bench_capabilities import CapturePlan, Float, Recording, SequenceStep
from gridrig.errors import CampaignError
from gridrig.rig.instruments import SourceTerminal

POLL_S = 0.5
LATE_S_MAX = 30.0  # beyond the length of what is recorded


async def play(
    lab: Lab, steps: Sequence[SequenceStep], plan: CapturePlan, tracks: Sequence[str]
) -> Recording:
    """Have the source play a sequence and the analyser record it; return the recording.

    Parameters
    ----------
    lab : Lab
        An opened bench with an AC source and an analyser.
    steps : sequence of SequenceStep
        Loaded, armed and triggered; the last one stays in force.
    plan : CapturePlan
        Its source of trigger is that of the AC source.
    tracks : sequence of str
        What is fetched.

    Raises
    ------
    CampaignError
        `campaign.not_recorded` if the recording is not done in time.
    """
    source, analyser = (lab.driver(lab.name_of(kind)) for kind in ("ac_source", "analyser"))
    await source.load_sequence(steps)
    await source.arm()
    await analyser.arm(plan)
    await source.trigger()
    return await _fetched(lab, plan, tracks)


async def act_and_record(
    lab: Lab, act: Callable[[], Awaitable[None]], plan: CapturePlan, tracks: Sequence[str]
) -> tuple[Recording, float]:
    """Have the analyser record what a command does; return the recording and a time. [s]

    Nobody marks the moment in the recording when a device takes a command: it lies between the
    trigger and the answer. The time returned is what passed between them.

    Parameters
    ----------
    lab : Lab
        An opened bench with an analyser.
    act : callable
        Commands, and returns when it has been answered.
    plan : CapturePlan
        Its source of trigger is a command.
    tracks : sequence of str
        What is fetched.
    """
    analyser = lab.driver(lab.name_of("analyser"))
    await analyser.arm(plan)
    began_s = lab.clock.now_s()
    await analyser.trigger()
    await act()
    lasted_s = lab.clock.now_s() - began_s
    return await _fetched(lab, plan, tracks), lasted_s


async def open_and_record(lab: Lab, plan: CapturePlan, tracks: Sequence[str]) -> Recording:
    """Open the contactor and record what follows; its status contact is the trigger.

    Parameters
    ----------
    lab : Lab
        An opened bench with a contactor and an analyser.
    plan : CapturePlan
        Its source of trigger is the falling contact.
    tracks : sequence of str
        What is fetched.

    Raises
    ------
    CampaignError
        `campaign.not_recorded` if the recording is not done in time.
    """
    await lab.driver(lab.name_of("analyser")).arm(plan)
    await lab.driver(lab.name_of("switch")).set_closed(False)
    return await _fetched(lab, plan, tracks)


async def _fetched(lab: Lab, plan: CapturePlan, tracks: Sequence[str]) -> Recording:
    """Wait until a recording is done and fetch it."""
    analyser = lab.driver(lab.name_of("analyser"))
    length_s = plan.points / plan.rate_hz
    end_s = lab.clock.now_s() + length_s + LATE_S_MAX
    await lab.pass_time((1.0 - plan.pretrigger) * length_s, step_s=POLL_S)
    while await analyser.capture_state() != "done":
        if lab.clock.now_s() > end_s:
            raise CampaignError(
                "campaign.not_recorded",
                "a recording of {length_s:g} s was not done {late_s:g} s after its end",
                length_s=length_s,
                late_s=LATE_S_MAX,
            )
        await lab.pass_time(POLL_S)
    return await lab.fetch(tracks)


def channels_of(lab: Lab, device: str) -> tuple[int, ...]:
    """Return the analyser's channels on a device's phases.

    Raises
    ------
    CampaignError
        `campaign.no_channels` if it is not behind a source.
    """
    terminal = lab.rig.device(device).terminal
    if not isinstance(terminal, SourceTerminal):
        raise CampaignError(
            "campaign.no_channels", "{device} is behind no AC source", device=device
        )
    return terminal.channels


def ceased_s(t_s: Float, values: Float, below: float) -> float:
    """Return from when after the trigger on all tracks stay below a value. [s]

    Parameters
    ----------
    t_s : array of float64, shape (points,)
        When each mean begins, after the trigger; it holds until the next. [s]
    values : array of float64, shape (points, tracks)
        Such as the currents of a device's phases.
    below : float
        In the tracks' unit.

    Returns
    -------
    float
        The end of the last point above it: at most one step late. That is the recording's end if
        it never ceased, and 0 if it was never above after the trigger.
    """
    step_s = float(t_s[1] - t_s[0])
    above = np.any(np.abs(values) >= below, axis=1)
    # The window that the trigger falls into belongs to what was before.
    places = np.flatnonzero(above & (t_s >= 0.5 * step_s))
    if not len(places):
        return 0.0
    return float(t_s[places[-1]] + step_s)
