"""What equipment on the street saw when its connection opened."""

import numpy as np

from gridrig.campaign.itic import IticResult, itic
from gridrig.campaign.loop import Loop

WATCHED_S = 5.0  # after an opening every step of the island model is kept
STEP_S = 0.001


def worst_itic(loop: Loop) -> IticResult | None:
    """Judge the first seconds of every island against the ITIC curve; None if there was none."""
    t_s, v_pu = (np.array(loop.islands.columns[key]) for key in ("t_s", "v_pu"))
    found = []
    for record in loop.islands.records:
        inside = (t_s >= record.opened_s) & (t_s < record.opened_s + WATCHED_S)
        found.append(itic(v_pu[inside][:, None], STEP_S, 0.0))
    return max(found, key=lambda one: one.of_allowed, default=None)
