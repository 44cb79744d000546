"""The station's side of OCPP 1.6, 2.0.1 and 2.1: messages of each version, one charger behind them.

A session speaks on one open websocket. What the management system asks goes to the charger; what
the charger tells is sent by `boot`, `status`, `begin`, `meter`, `end` and `heartbeat`. Times are
those of the moment that is told, also when it is told later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ocpp.routing import on
from ocpp.v16 import ChargePoint as Station16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v16.enums import Action as Action16
from ocpp.v21 import call as call21
from ocpp.v21 import call_result as result21
from ocpp.v201 import ChargePoint as Station201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from ocpp.v201.enums import Action as Action201

TRIGGERS = ("BootNotification", "Heartbeat", "MeterValues", "StatusNotification")


@dataclass(frozen=True)
class Telling:
    """One thing to tell, and when it was true.

    Parameters
    ----------
    kind : str
        "status", "begin", "meter" or "end".
    time : str
        ISO 8601 with Z.
    status : str
        Of the connector, in OCPP 1.6's words.
    power_w, soc : float
        Taken by the vehicle, negative while it gives; its state of charge, 0..1. [W, 1]
    energy_wh, exported_wh : int
        Registers, rounded down. [Wh]
    number : int
        Of the transaction, by the charger's own count.
    sequence : int
        Of the transaction's messages.
    triggered : bool
        Whether it was asked for.
    """

    kind: str
    time: str
    status: str
    power_w: float
    soc: float
    energy_wh: int
    exported_wh: int
    number: int
    sequence: int = 0
    triggered: bool = False


class Charger(Protocol):
    """What the management system can ask of the charger."""

    def begin(self, tag: str) -> bool:
        """Begin a transaction; return whether it will."""

    def end(self, transaction: str) -> bool:
        """End the transaction of this name; return whether it will."""

    def install(self, profile: Mapping[str, Any]) -> bool:
        """Take a charging profile; return whether it does."""

    def clear(self, identifier: int | None, purpose: str | None, stack_level: int | None) -> bool:
        """Remove charging profiles; return whether there was one."""

    def tell_again(self, what: str) -> bool:
        """Tell a message anew, soon; return whether it will."""

    def allowed_w(self) -> float:
        """Return what the profiles allow now. [W]"""

    def setpoint_w(self) -> float | None:
        """Return what the profiles set now, negative to discharge; None for nothing. [W]"""

    def told_time(self) -> str:
        """Return the charger's time. [ISO 8601 with Z]"""


@dataclass(frozen=True)
class Boot:
    """What the management system answers: accepted, the heartbeat's interval [s], its time."""

    accepted: bool
    interval_s: int
    time: str


class Session(Protocol):
    """One open connection of a charger."""

    transaction: str

    async def start(self) -> None:
        """Listen until the connection ends."""

    async def boot(self, vendor: str, model: str, serial: str, firmware: str) -> "Boot":
        """Tell who it is."""

    async def heartbeat(self) -> None:
        """Tell that it lives."""

    async def tell(self, telling: Telling) -> None:
        """Tell one thing and wait until it was taken."""


def _context(t: Telling) -> str:
    if t.triggered:
        return "Trigger"
    return {"begin": "Transaction.Begin", "end": "Transaction.End"}.get(t.kind, "Sample.Periodic")


def _sampled16(t: Telling) -> dict[str, Any]:
    values = [
        ("Power.Active.Import", f"{t.power_w:.1f}", "W"),
        ("Energy.Active.Import.Register", str(t.energy_wh), "Wh"),
        ("SoC", f"{100 * t.soc:.1f}", "Percent"),
    ]
    context = _context(t)
    rows = [{"value": v, "measurand": m, "unit": u, "context": context} for m, v, u in values]
    return {"timestamp": t.time, "sampled_value": rows}


class Session16(Station16):  # type: ignore[misc]
    """OCPP 1.6."""

    transaction = ""

    def __init__(self, name: str, socket: Any, charger: Charger, timeout_s: float) -> None:
        super().__init__(name, socket, response_timeout=timeout_s)
        self._charger = charger

    async def boot(self, vendor: str, model: str, serial: str, firmware: str) -> Boot:
        """Tell who it is."""
        answer = await self.call(
            call16.BootNotification(
                charge_point_model=model,
                charge_point_vendor=vendor,
                charge_point_serial_number=serial,
                firmware_version=firmware,
            ),
            suppress=False,
        )
        return Boot(answer.status == "Accepted", int(answer.interval), answer.current_time)

    async def heartbeat(self) -> None:
        """Tell that it lives."""
        await self.call(call16.Heartbeat(), suppress=False)

    async def tell(self, telling: Telling) -> None:
        """Tell one thing."""
        t, payload = telling, Any
        if t.kind == "status":
            payload = call16.StatusNotification(
                connector_id=1, error_code="NoError", status=t.status, timestamp=t.time
            )
        elif t.kind == "begin":
            payload = call16.StartTransaction(
                connector_id=1, id_tag="gridrig", meter_start=t.energy_wh, timestamp=t.time
            )
        elif t.kind == "meter":
            number = int(self.transaction) if self.transaction else None
            payload = call16.MeterValues(
                connector_id=1, meter_value=[_sampled16(t)], transaction_id=number
            )
        else:
            payload = call16.StopTransaction(
                meter_stop=t.energy_wh, timestamp=t.time, transaction_id=int(self.transaction or 0)
            )
        answer = await self.call(payload, suppress=False)
        if t.kind == "begin":
            self.transaction = str(answer.transaction_id)
        elif t.kind == "end":
            self.transaction = ""

    @on(Action16.remote_start_transaction)
    def _remote_start(self, id_tag: str, **_: Any) -> Any:
        return result16.RemoteStartTransaction(_status(self._charger.begin(id_tag)))

    @on(Action16.remote_stop_transaction)
    def _remote_stop(self, transaction_id: int) -> Any:
        return result16.RemoteStopTransaction(_status(self._charger.end(str(transaction_id))))

    @on(Action16.set_charging_profile)
    def _set_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        return result16.SetChargingProfile(_status(self._charger.install(cs_charging_profiles)))

    @on(Action16.clear_charging_profile)
    def _clear_profile(
        self,
        id: int | None = None,
        charging_profile_purpose: str | None = None,
        stack_level: int | None = None,
        **_: Any,
    ) -> Any:
        found = self._charger.clear(id, charging_profile_purpose, stack_level)
        return result16.ClearChargingProfile("Accepted" if found else "Unknown")

    @on(Action16.get_composite_schedule)
    def _composite(self, duration: int, **_: Any) -> Any:
        schedule = {
            "charging_rate_unit": "W",
            "charging_schedule_period": [_period(self._charger)],
            "duration": duration,
        }
        start = self._charger.told_time()
        return result16.GetCompositeSchedule("Accepted", 1, start, schedule)

    @on(Action16.trigger_message)
    def _trigger(self, requested_message: str, **_: Any) -> Any:
        if requested_message not in TRIGGERS:
            return result16.TriggerMessage("NotImplemented")
        return result16.TriggerMessage(_status(self._charger.tell_again(requested_message)))


_STATUS_201 = {"Available": "Available", "Unavailable": "Unavailable", "Faulted": "Faulted"}
_CHARGING_201 = {
    "Charging": "Charging",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
    "Preparing": "EVConnected",
    "Finishing": "EVConnected",
}


def _sampled201(t: Telling) -> dict[str, Any]:
    values = [
        ("Power.Active.Import", round(max(0.0, t.power_w), 1), "W"),
        ("Power.Active.Export", round(max(0.0, -t.power_w), 1), "W"),
        ("Energy.Active.Import.Register", t.energy_wh, "Wh"),
        ("Energy.Active.Export.Register", t.exported_wh, "Wh"),
        ("SoC", round(100 * t.soc, 1), "Percent"),
    ]
    context = _context(t)
    rows = [
        {"value": v, "measurand": m, "unit_of_measure": {"unit": u}, "context": context}
        for m, v, u in values
    ]
    return {"timestamp": t.time, "sampled_value": rows}


class Session201(Station201):  # type: ignore[misc]
    """OCPP 2.0.1."""

    transaction = ""

    def __init__(self, name: str, socket: Any, charger: Charger, timeout_s: float) -> None:
        super().__init__(name, socket, response_timeout=timeout_s)
        self._charger = charger

    async def boot(self, vendor: str, model: str, serial: str, firmware: str) -> Boot:
        """Tell who it is."""
        station = {
            "vendor_name": vendor,
            "model": model,
            "serial_number": serial,
            "firmware_version": firmware,
        }
        payload = call201.BootNotification(charging_station=station, reason="PowerUp")
        answer = await self.call(payload, suppress=False)
        return Boot(answer.status == "Accepted", int(answer.interval), answer.current_time)

    async def heartbeat(self) -> None:
        """Tell that it lives."""
        await self.call(call201.Heartbeat(), suppress=False)

    async def tell(self, telling: Telling) -> None:
        """Tell one thing."""
        t, payload = telling, Any
        if t.kind == "status":
            payload = call201.StatusNotification(
                timestamp=t.time,
                connector_status=_STATUS_201.get(t.status, "Occupied"),
                evse_id=1,
                connector_id=1,
            )
        elif t.kind == "meter" and not self.transaction:
            payload = call201.MeterValues(evse_id=1, meter_value=[_sampled201(t)])
        else:
            if t.kind == "begin":
                self.transaction = f"{self.id}-{t.number}"
            event = {"begin": "Started", "meter": "Updated", "end": "Ended"}[t.kind]
            why = {"begin": "RemoteStart", "meter": "MeterValuePeriodic", "end": "RemoteStop"}
            payload = call201.TransactionEvent(
                event_type=event,
                timestamp=t.time,
                trigger_reason=why[t.kind],
                seq_no=t.sequence,
                transaction_info={
                    "transaction_id": self.transaction,
                    "charging_state": _CHARGING_201.get(t.status, "Idle"),
                },
                meter_value=[_sampled201(t)],
                evse={"id": 1, "connector_id": 1},
            )
        await self.call(payload, suppress=False)
        if t.kind == "end":
            self.transaction = ""

    @on(Action201.request_start_transaction)
    def _request_start(self, id_token: dict[str, Any], **_: Any) -> Any:
        accepted = self._charger.begin(str(id_token["id_token"]))
        return result201.RequestStartTransaction(_status(accepted))

    @on(Action201.request_stop_transaction)
    def _request_stop(self, transaction_id: str, **_: Any) -> Any:
        return result201.RequestStopTransaction(_status(self._charger.end(transaction_id)))

    @on(Action201.set_charging_profile)
    def _set_profile(self, evse_id: int, charging_profile: dict[str, Any], **_: Any) -> Any:
        return result201.SetChargingProfile(_status(self._charger.install(charging_profile)))

    @on(Action201.clear_charging_profile)
    def _clear_profile(
        self,
        charging_profile_id: int | None = None,
        charging_profile_criteria: dict[str, Any] | None = None,
        **_: Any,
    ) -> Any:
        criteria = charging_profile_criteria or {}
        found = self._charger.clear(
            charging_profile_id,
            criteria.get("charging_profile_purpose"),
            criteria.get("stack_level"),
        )
        return result201.ClearChargingProfile("Accepted" if found else "Unknown")

    @on(Action201.get_composite_schedule)
    def _composite(self, duration: int, evse_id: int, **_: Any) -> Any:
        schedule = {
            "evse_id": evse_id,
            "duration": duration,
            "schedule_start": self._charger.told_time(),
            "charging_rate_unit": "W",
            "charging_schedule_period": [_period(self._charger)],
        }
        return result201.GetCompositeSchedule("Accepted", schedule=schedule)

    @on(Action201.trigger_message)
    def _trigger(self, requested_message: str, **_: Any) -> Any:
        if requested_message not in TRIGGERS:
            return result201.TriggerMessage("NotImplemented")
        return result201.TriggerMessage(_status(self._charger.tell_again(requested_message)))


class Session21(Session201):
    """OCPP 2.1: the same messages, and set-points both ways."""

    _call, _call_result, _ocpp_version = call21, result21, "2.1"


def _period(charger: Charger) -> dict[str, Any]:
    period = {"start_period": 0, "limit": round(charger.allowed_w(), 0)}
    setpoint_w = charger.setpoint_w()
    if setpoint_w is None:
        return period
    return period | {"setpoint": round(setpoint_w, 0), "operation_mode": "CentralSetpoint"}


def _status(accepted: bool) -> str:
    return "Accepted" if accepted else "Rejected"


SESSIONS: Mapping[str, Callable[..., Any]] = {
    "1.6": Session16,
    "2.0.1": Session201,
    "2.1": Session21,
}
