"""One reading of every device at a tick, all wires at once; who stays silent is counted."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridrig.devices.bench_capabilities import SwitchReading
from gridrig.devices.capabilities import BmsReading, InverterReading, MeterReading
from gridrig.devices.charger_capability import EvChargerReading
from gridrig.devices.compute_capability import ComputeReading
from gridrig.devices.heat_pump_capability import HeatPumpReading
from gridrig.errors import CampaignError, DriverError
from gridrig.events import EventLog

LOST_AFTER = 3  # readings in a row that fail before a device counts as lost


@dataclass
class Telemetry:
    """The latest readings; a device that did not answer at this tick is absent."""

    inverters: dict[str, InverterReading] = field(default_factory=dict)
    batteries: dict[str, BmsReading] = field(default_factory=dict)
    meters: dict[str, MeterReading] = field(default_factory=dict)
    chargers: dict[str, EvChargerReading] = field(default_factory=dict)
    switches: dict[str, SwitchReading] = field(default_factory=dict)
    computers: dict[str, ComputeReading] = field(default_factory=dict)
    pumps: dict[str, HeatPumpReading] = field(default_factory=dict)


class Sensing:
    """Reads the devices of a bench and counts who failed.

    Parameters
    ----------
    devices : mapping of name to driver
        Inverters, storages, batteries, chargers, heat pumps, real switches and computing nodes, in
        rig order.
    analysers : mapping of name to driver
        Meters that measure a real terminal and are read at every tick; the latest reading of each
        is in `measured`.

    `latest` is what answered last time, `failures` how often each has failed in a row.
    """

    def __init__(
        self, devices: Mapping[str, Any], analysers: Mapping[str, Any], events: EventLog
    ) -> None:
        self._devices = devices
        self._analysers = analysers
        self._events = events
        self.failures = dict.fromkeys([*devices, *analysers], 0)
        self.measured: dict[str, MeterReading] = {}
        self.latest = Telemetry()

    async def read(self) -> Telemetry:
        """Read everything once.

        Raises
        ------
        CampaignError
            If a device failed `LOST_AFTER` times in a row, or its wire is gone.
        """
        names = [*self._devices, *self._analysers]
        drivers = [*self._devices.values(), *self._analysers.values()]
        readings = await asyncio.gather(*(d.read() for d in drivers), return_exceptions=True)
        telemetry = Telemetry()
        for name, reading in zip(names, readings, strict=True):
            if isinstance(reading, DriverError):
                self._failed(name, reading)
                continue
            if isinstance(reading, BaseException):
                raise reading
            self.failures[name] = 0
            if isinstance(reading, BmsReading):
                telemetry.batteries[name] = reading
            elif isinstance(reading, InverterReading):
                telemetry.inverters[name] = reading
            elif isinstance(reading, SwitchReading):
                telemetry.switches[name] = reading
            elif isinstance(reading, EvChargerReading):
                telemetry.chargers[name] = reading
            elif isinstance(reading, HeatPumpReading):
                telemetry.pumps[name] = reading
            elif isinstance(reading, ComputeReading):
                telemetry.computers[name] = reading
            else:
                telemetry.meters[name] = self.measured[name] = reading
        self.latest = telemetry
        return telemetry

    def _failed(self, name: str, error: DriverError) -> None:
        self.failures[name] += 1
        self._events.record(
            "read_failed", name, code=error.code, failure=error.kind, in_a_row=self.failures[name]
        )
        if self.failures[name] >= LOST_AFTER:
            raise CampaignError(
                "campaign.device_lost",
                "device {device} did not answer {times} times in a row: {cause}",
                device=name,
                times=self.failures[name],
                cause=str(error),
            ) from error
