"""What a charger has told so far, whichever version of OCPP it speaks."""

import asyncio
import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

TRIGGERED = "Trigger"  # the context of what was asked for; some chargers tell none
POWERS = {"Power.Active.Import": 1.0, "Power.Active.Export": -1.0}


@dataclass
class View:
    """What a charger has told so far.

    Parameters
    ----------
    told_s : float
        When its meter last spoke as asked, by the loop's clock; -inf for never. [s]
    """

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    booted: bool = False
    status: str = ""
    transaction: str = ""
    p_w: float = 0.0  # taken from the grid; negative while it is given
    energy_milliwh: int = 0
    exported_milliwh: int = 0
    soc: float | None = None
    told_s: float = float("-inf")
    news: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: int = 0

    def metered(self, meter_value: list[dict[str, Any]]) -> None:
        """Take meter values of either version, keys in snake case."""
        for row in meter_value:
            told = [dict(sample) for sample in row["sampled_value"]]
            if any(sample.get("measurand") in POWERS for sample in told):
                self.p_w = 0.0  # what is told now is all of it
            for sample in told:
                self._sampled(sample)
            # What waited while the charger was away, or came by itself, is no answer.
            if all(sample.get("context", TRIGGERED) == TRIGGERED for sample in told):
                self.told_s = asyncio.get_running_loop().time()
        self.changed()

    def changed(self) -> None:
        """Wake whoever waits for news."""
        self.news.set()

    def _sampled(self, sample: dict[str, Any]) -> None:
        what = sample.get("measurand", "Energy.Active.Import.Register")
        unit = sample.get("unit") or (sample.get("unit_of_measure") or {}).get("unit", "")
        value = Decimal(str(sample["value"])) * (1000 if unit in ("kW", "kWh") else 1)
        if sample.get("phase"):
            return  # of one phase: the total comes without
        if what in POWERS:
            self.p_w += POWERS[what] * float(value)
        elif what == "Energy.Active.Export.Register":
            self.exported_milliwh = math.floor(value * 1000)
        elif what == "Energy.Active.Import.Register":
            self.energy_milliwh = math.floor(value * 1000)
        elif what == "SoC":
            self.soc = float(value) / 100.0
