"""The end of a delivery period: every meter signs, the Rust verifier decides who is believed."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gridrig._core import VerifiedReading, Verifier
from gridrig.campaign.records import ReadingRow
from gridrig.errors import DriverError, MeteringError
from gridrig.events import EventLog

EQUIVOCATION = "metering.equivocation"
ATTEMPTS = 3  # times a meter is asked for the reading of one period end


@dataclass
class MeteringRounds:
    """Asks the meters of a bench for signed readings and keeps what was verified.

    Parameters
    ----------
    meters : mapping of name to driver
        In rig order.
    verifier : Verifier
        Trust store and replay ledger.
    on_fork : callable
        Told meter and counter when a meter signs another record under a counter it used before:
        neither of the two is worth anything.
    """

    meters: Mapping[str, Any]
    verifier: Verifier
    events: EventLog
    received: list[ReadingRow] = field(default_factory=list)
    on_fork: Callable[[str, int], object] = lambda _meter, _counter: None

    async def read(self, period: int, utc_s: int) -> dict[str, VerifiedReading]:
        """Return the verified readings of one period end; a meter that gave none is absent."""
        verified: dict[str, VerifiedReading] = {}
        for _ in range(ATTEMPTS):
            missing = {n: m for n, m in self.meters.items() if n not in verified}
            if not missing:
                break
            records = await asyncio.gather(
                *(meter.sign(utc_s) for meter in missing.values()), return_exceptions=True
            )
            for name, record in zip(missing, records, strict=True):
                reading = self._judge(period, name, record, utc_s)
                if reading is not None:
                    verified[name] = reading
        return {name: verified[name] for name in self.meters if name in verified}

    def _judge(
        self, period: int, name: str, record: bytes | BaseException, utc_s: int
    ) -> VerifiedReading | None:
        if isinstance(record, DriverError):
            self.events.record("reading_missing", name, code=record.code, failure=record.kind)
            return None
        if isinstance(record, BaseException):
            raise record
        try:
            reading = self.verifier.verify(record, at_s=utc_s, meter=name)
        except MeteringError as error:
            self._refuse(period, name, record, utc_s, error.code, error.message)
            if error.code == EQUIVOCATION and error.meter == name:
                self.on_fork(name, error.counter)
            return None
        if reading.time_s != utc_s:
            message = f"signed for {reading.time_s}, asked for {utc_s}"
            self._refuse(period, name, record, utc_s, "metering.other_time", message)
            return None
        digest = reading.digest.hex()
        self.received.append(ReadingRow(period, name, record, "verified", "", digest, utc_s))
        if reading.findings:
            self.events.record("reading_findings", name, findings=reading.findings)
        return reading

    def _refuse(
        self, period: int, name: str, record: bytes, utc_s: int, code: str, message: str
    ) -> None:
        self.received.append(ReadingRow(period, name, record, code, message, received_s=utc_s))
        self.events.record("reading_refused", name, code=code, message=message)
