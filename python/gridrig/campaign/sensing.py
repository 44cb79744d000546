"""One reading of every device at a tick, all wires at once; who stays silent is counted."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from gridrig.campaign.lost_devices import LostDevices, nobody_lost
from gridrig.devices.bench_capabilities import SwitchReading
from gridrig.devices.capabilities import BmsReading, InverterReading, MeterReading
from gridrig.devices.charger_capability import EvChargerReading
from gridrig.devices.compute_capability import ComputeReading
from gridrig.devices.heat_pump_capability import HeatPumpReading
from gridrig.errors import DriverError
from gridrig.events import EventLog

LOST_AFTER = 3  # readings in a row that fail before a device counts as lost


@dataclass
class Telemetry:
    """The latest readings; a device that did not answer at this tick is absent.

    `lost` are those that are not asked at every tick any more, and to which nothing is to be sent.
    """

    inverters: dict[str, InverterReading] = field(default_factory=dict)
    batteries: dict[str, BmsReading] = field(default_factory=dict)
    meters: dict[str, MeterReading] = field(default_factory=dict)
    chargers: dict[str, EvChargerReading] = field(default_factory=dict)
    switches: dict[str, SwitchReading] = field(default_factory=dict)
    computers: dict[str, ComputeReading] = field(default_factory=dict)
    pumps: dict[str, HeatPumpReading] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()


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
    lost : LostDevices or None
        Takes who is lost; None if that ends the run.

    `latest` is what answered last time, `failures` how often each has failed in a row.
    """

    def __init__(
        self,
        devices: Mapping[str, Any],
        analysers: Mapping[str, Any],
        events: EventLog,
        lost: LostDevices | None = None,
    ) -> None:
        self._devices = devices
        self._analysers = analysers
        self._events = events
        self.lost = lost or nobody_lost(devices, events)
        self.failures = dict.fromkeys([*devices, *analysers], 0)
        self.measured: dict[str, MeterReading] = {}
        self.latest = Telemetry()

    async def read(self, needed: Collection[str] = ()) -> Telemetry:
        """Read everything once, but for what is lost.

        Parameters
        ----------
        needed : collection of str
            Devices that may not be lost now, whatever the scenario allows.

        Raises
        ------
        CampaignError
            `campaign.device_lost`, if a device failed `LOST_AFTER` times in a row or its wire is
            gone, and it may not be away or was so for too long.
        """
        self.lost.look(needed)
        telemetry, away = Telemetry(), self.lost.names
        sensed = {**self._devices, **self._analysers}
        names = [name for name in sensed if name not in away]
        readings = await asyncio.gather(
            *(sensed[name].read() for name in names), return_exceptions=True
        )
        for name, reading in zip(names, readings, strict=True):
            if isinstance(reading, DriverError):
                self._failed(name, reading, needed)
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
        telemetry.lost = self.lost.names
        self.latest = telemetry
        return telemetry

    def _failed(self, name: str, error: DriverError, needed: Collection[str]) -> None:
        self.failures[name] += 1
        self._events.record(
            "read_failed", name, code=error.code, failure=error.kind, in_a_row=self.failures[name]
        )
        if self.failures[name] >= LOST_AFTER:
            self.lost.lose(name, error, self.failures[name], needed)
            self.failures[name] = 0
