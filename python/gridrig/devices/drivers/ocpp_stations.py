"""The management system's side of OCPP 1.6, 2.0.1 and 2.1: their messages, one view of all.

A station object speaks with one charger on one connection. What the charger tells goes into the
view; what the rig wants is asked by `limit`, `unlimit`, `begin`, `end`, `composite_w` and
`trigger`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from ocpp import messages
from ocpp.routing import on
from ocpp.v16 import ChargePoint as Station16Base
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v16.enums import Action as Action16
from ocpp.v21 import call as call21
from ocpp.v21 import call_result as result21
from ocpp.v201 import ChargePoint as Station201Base
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from ocpp.v201.enums import Action as Action201

from gridrig.devices.drivers.ocpp_view import View

# A message is checked in less time than a thread takes to be handed it.
messages.ASYNC_VALIDATION = False
HEARTBEAT_S = 900  # readings show sooner that a charger is there
# A profile of the upper level lasts a while; when it is over, what lies at the base counts.
BASE, UPPER = 0, 1
LIMIT_IDS, SETPOINT_IDS = {BASE: 1, UPPER: 3}, {BASE: 2, UPPER: 4}
SETPOINT_MODE = "CentralSetpoint"
TAG = "gridrig"
ACCEPTED = "Accepted"
SCHEDULE_S = 3600


class Station(Protocol):
    """One connected charger."""

    async def start(self) -> None:
        """Listen until the connection ends."""

    async def limit(self, p_w: float, level: int, lasts_s: int | None) -> str:
        """Set the charger's limit at a stack level, None for ever; return its answer. [W, s]"""

    async def unlimit(self, level: int) -> str:
        """Remove the limit of a level; return the answer."""

    async def begin(self) -> str:
        """Begin a transaction; return the answer."""

    async def end(self) -> str:
        """End the transaction; return the answer."""

    async def composite_w(self) -> float | None:
        """Return what the charger's profiles allow now, None if it does not say. [W]"""

    async def set_power(self, p_w: float, level: int, lasts_s: int | None) -> str:
        """Set what the vehicle shall take, negative to discharge; return the answer. [W, s]"""

    async def composite_setpoint_w(self) -> float | None:
        """Return what the charger's profiles set now, None for nothing. [W]"""

    async def trigger(self) -> str:
        """Ask for meter values; return the answer."""


Utc = Callable[[], int]


def _told(utc: Utc) -> str:
    time = datetime.fromtimestamp(utc(), UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Station16(Station16Base):  # type: ignore[misc]
    """OCPP 1.6."""

    def __init__(self, name: str, socket: Any, view: View, utc: Utc, timeout_s: float) -> None:
        super().__init__(name, socket, response_timeout=timeout_s)
        self._view, self._utc = view, utc

    @on(Action16.boot_notification)
    def _boot(self, charge_point_vendor: str, charge_point_model: str, **more: Any) -> Any:
        view = self._view
        view.manufacturer, view.model = charge_point_vendor, charge_point_model
        view.serial = more.get("charge_point_serial_number", "")
        view.firmware = more.get("firmware_version", "")
        view.booted = True
        view.changed()
        return result16.BootNotification(_told(self._utc), HEARTBEAT_S, ACCEPTED)

    @on(Action16.heartbeat)
    def _heartbeat(self) -> Any:
        return result16.Heartbeat(_told(self._utc))

    @on(Action16.authorize)
    def _authorize(self, id_tag: str) -> Any:
        return result16.Authorize({"status": ACCEPTED})

    @on(Action16.status_notification)
    def _status(self, connector_id: int, status: str, **_: Any) -> Any:
        if connector_id:
            self._view.status = status
            self._view.changed()
        return result16.StatusNotification()

    @on(Action16.start_transaction)
    def _started(self, meter_start: int, **_: Any) -> Any:
        self._view.numbers += 1
        self._view.transaction = str(self._view.numbers)
        self._view.changed()
        return result16.StartTransaction(self._view.numbers, {"status": ACCEPTED})

    @on(Action16.stop_transaction)
    def _stopped(self, meter_stop: int, transaction_id: int, **_: Any) -> Any:
        self._view.energy_milliwh = 1000 * meter_stop
        if self._view.transaction == str(transaction_id):
            self._view.transaction = ""
        self._view.changed()
        return result16.StopTransaction()

    @on(Action16.meter_values)
    def _metered(self, meter_value: list[dict[str, Any]], **_: Any) -> Any:
        self._view.metered(meter_value)
        return result16.MeterValues()

    async def limit(self, p_w: float, level: int, lasts_s: int | None) -> str:
        """Set the charger's limit."""
        profile = {
            "charging_profile_id": LIMIT_IDS[level],
            "stack_level": level,
            "charging_profile_purpose": "ChargePointMaxProfile",
            "charging_profile_kind": "Absolute",
            "charging_schedule": _from_now(self._utc, lasts_s) | _limited(p_w),
        }
        return await self._ask(call16.SetChargingProfile(0, profile))

    async def unlimit(self, level: int) -> str:
        """Remove the limit of a level."""
        return await self._ask(call16.ClearChargingProfile(id=LIMIT_IDS[level]))

    async def begin(self) -> str:
        """Begin a transaction."""
        return await self._ask(call16.RemoteStartTransaction(TAG, connector_id=1))

    async def end(self) -> str:
        """End the transaction."""
        return await self._ask(call16.RemoteStopTransaction(int(self._view.transaction)))

    async def composite_w(self) -> float | None:
        """Return what the charger's profiles allow now."""
        answer = await self.call(call16.GetCompositeSchedule(1, SCHEDULE_S, "W"), suppress=False)
        return _first_w(answer.charging_schedule if answer.status == ACCEPTED else None)

    async def trigger(self) -> str:
        """Ask for meter values."""
        return await self._ask(call16.TriggerMessage("MeterValues", connector_id=1))

    async def _ask(self, payload: Any) -> str:
        return str((await self.call(payload, suppress=False)).status)


class Station201(Station201Base):  # type: ignore[misc]
    """OCPP 2.0.1."""

    def __init__(self, name: str, socket: Any, view: View, utc: Utc, timeout_s: float) -> None:
        super().__init__(name, socket, response_timeout=timeout_s)
        self._view, self._utc = view, utc

    @on(Action201.boot_notification)
    def _boot(self, charging_station: dict[str, Any], **_: Any) -> Any:
        view = self._view
        view.manufacturer = charging_station["vendor_name"]
        view.model = charging_station["model"]
        view.serial = charging_station.get("serial_number", "")
        view.firmware = charging_station.get("firmware_version", "")
        view.booted = True
        view.changed()
        return result201.BootNotification(_told(self._utc), HEARTBEAT_S, ACCEPTED)

    @on(Action201.heartbeat)
    def _heartbeat(self, **_: Any) -> Any:
        return result201.Heartbeat(_told(self._utc))

    @on(Action201.authorize)
    def _authorize(self, **_: Any) -> Any:
        return result201.Authorize({"status": ACCEPTED})

    @on(Action201.status_notification)
    def _status(self, connector_status: str, **_: Any) -> Any:
        # "Occupied" says less than the charging state of a transaction event.
        known = self._view.status in CHARGING_STATES
        if connector_status != "Occupied":
            self._view.status = connector_status
        elif not (known and self._view.transaction):
            self._view.status = "Preparing"
        self._view.changed()
        return result201.StatusNotification()

    @on(Action201.transaction_event)
    def _event(
        self,
        event_type: str,
        transaction_info: dict[str, Any],
        meter_value: list[dict[str, Any]] | None = None,
        **_: Any,
    ) -> Any:
        name = str(transaction_info["transaction_id"])
        state = transaction_info.get("charging_state")
        if state is not None:
            self._view.status = CHARGING_STATES_OF.get(state, state)
        if event_type == "Ended":
            if self._view.transaction == name:
                self._view.transaction = ""
        else:
            self._view.transaction = name
        if meter_value:
            self._view.metered(meter_value)
        self._view.changed()
        return result201.TransactionEvent()

    @on(Action201.meter_values)
    def _metered(self, meter_value: list[dict[str, Any]], **_: Any) -> Any:
        self._view.metered(meter_value)
        return result201.MeterValues()

    async def limit(self, p_w: float, level: int, lasts_s: int | None) -> str:
        """Set the charger's limit."""
        number = LIMIT_IDS[level]
        schedule = {"id": number} | _from_now(self._utc, lasts_s) | _limited(p_w)
        profile = {
            "id": number,
            "stack_level": level,
            "charging_profile_purpose": "ChargingStationMaxProfile",
            "charging_profile_kind": "Absolute",
            "charging_schedule": [schedule],
        }
        return await self._ask(call201.SetChargingProfile(0, profile))

    async def unlimit(self, level: int) -> str:
        """Remove the limit of a level."""
        return await self._ask(call201.ClearChargingProfile(LIMIT_IDS[level]))

    async def begin(self) -> str:
        """Begin a transaction."""
        self._view.numbers += 1
        token = {"id_token": TAG, "type": "Central"}
        return await self._ask(
            call201.RequestStartTransaction(token, self._view.numbers, evse_id=1)
        )

    async def end(self) -> str:
        """End the transaction."""
        return await self._ask(call201.RequestStopTransaction(self._view.transaction))

    async def composite_w(self) -> float | None:
        """Return what the charger's profiles allow now."""
        answer = await self.call(call201.GetCompositeSchedule(SCHEDULE_S, 1, "W"), suppress=False)
        return _first_w(answer.schedule if answer.status == ACCEPTED else None)

    async def trigger(self) -> str:
        """Ask for meter values."""
        return await self._ask(call201.TriggerMessage("MeterValues", evse={"id": 1}))

    async def _ask(self, payload: Any) -> str:
        return str((await self.call(payload, suppress=False)).status)


class Station21(Station201):
    """OCPP 2.1: the same messages, and set-points both ways."""

    _call, _call_result, _ocpp_version = call21, result21, "2.1"

    async def set_power(self, p_w: float, level: int, lasts_s: int | None) -> str:
        """Set what the vehicle of this transaction shall take."""
        period = {"start_period": 0, "setpoint": round(p_w), "operation_mode": SETPOINT_MODE}
        number = SETPOINT_IDS[level]
        schedule = {
            "id": number,
            "charging_rate_unit": "W",
            "charging_schedule_period": [period],
            **_from_now(self._utc, lasts_s),
        }
        profile = {
            "id": number,
            "stack_level": level,
            "charging_profile_purpose": "TxProfile",
            "charging_profile_kind": "Absolute",
            "transaction_id": self._view.transaction,
            "charging_schedule": [schedule],
        }
        return await self._ask(call201.SetChargingProfile(1, profile))

    async def composite_setpoint_w(self) -> float | None:
        """Return what the charger's profiles set now."""
        answer = await self.call(call201.GetCompositeSchedule(SCHEDULE_S, 1, "W"), suppress=False)
        if answer.status != ACCEPTED or not answer.schedule:
            return None
        found = answer.schedule["charging_schedule_period"][0].get("setpoint")
        return None if found is None else float(found)


# How a transaction's charging state is called in OCPP 1.6's words.
CHARGING_STATES_OF = {
    "Charging": "Charging",
    "EVConnected": "Preparing",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
    "Idle": "Available",
}
CHARGING_STATES = frozenset(CHARGING_STATES_OF.values())
STATIONS = {"1.6": Station16, "2.0.1": Station201, "2.1": Station21}


def _from_now(utc: Utc, lasts_s: int | None) -> dict[str, Any]:
    # Told in whole seconds, a charger's clock may be behind by one: what began then has begun.
    lasting = {} if lasts_s is None else {"duration": 1 + lasts_s}
    return {"start_schedule": _told(lambda: utc() - 1), **lasting}


def _limited(p_w: float) -> dict[str, Any]:
    return {
        "charging_rate_unit": "W",
        "charging_schedule_period": [{"start_period": 0, "limit": round(p_w)}],
    }


def _first_w(schedule: dict[str, Any] | None) -> float | None:
    if not schedule or schedule.get("charging_rate_unit") != "W":
        return None
    return float(schedule["charging_schedule_period"][0]["limit"])
