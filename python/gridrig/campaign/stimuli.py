"""What the scenario does to the world: its events and faults, each once, on its tick."""

from collections.abc import Mapping
from typing import Any

from gridrig.campaign.aggregating import Aggregating
from gridrig.campaign.charging import Charging
from gridrig.campaign.charging_rules import comings_and_goings
from gridrig.campaign.control import Control
from gridrig.campaign.flow import Physics
from gridrig.campaign.heating import Heating
from gridrig.campaign.island_watch import IslandWatch
from gridrig.campaign.ledger_outage import LedgerOutage
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.scenario_events import Fault, ScenarioEvent
from gridrig.campaign.street import Street
from gridrig.campaign.trading import Trading
from gridrig.events import EventLog


class Stimuli:
    """Applies events and faults when their time has come.

    Parameters
    ----------
    emulators : mapping of device to emulator
        Where faults are armed.
    sync : mapping
        Limits of synchronisation, in the rig's nominal: `df_hz`, `dv_pu`, `dtheta_deg`.
    charging : Charging
        Where chargers are limited, and held by a person.
    heating : Heating
        Where a person holds a heat pump.
    aggregating : Aggregating
        Where a fleet gets its orders.
    control : Control
        Where a person takes a storage out of its schedule.
    trading : Trading
        Whose minds can be made to ask too much.
    ledger : LedgerOutage
        Takes the ledger's database down.
    """

    def __init__(
        self,
        scenario: Scenario,
        physics: Physics,
        emulators: Mapping[str, Any],
        islands: IslandWatch,
        events: EventLog,
        sync: Mapping[str, float],
        *,
        charging: Charging,
        heating: Heating,
        aggregating: Aggregating,
        control: Control,
        trading: Trading,
        ledger: LedgerOutage,
    ) -> None:
        stays = scenario.charging.stays if scenario.charging is not None else ()
        cars = [e for e in comings_and_goings(stays) if e.target in physics.street.vehicles]
        self._waiting: list[ScenarioEvent | Fault] = sorted(
            [*cars, *scenario.events, *scenario.faults], key=lambda stimulus: stimulus.at_s
        )
        self._physics = physics
        self._emulators = emulators
        self._islands = islands
        self._events = events
        self._sync = dict(sync)
        self._charging = charging
        self._heating = heating
        self._aggregating = aggregating
        self._control = control
        self._trading = trading
        self._ledger = ledger

    @property
    def street(self) -> Street:
        """The world the stimuli act on."""
        return self._physics.street

    def apply(self, t_s: float) -> None:
        """Apply everything that is due at `t_s`. [s]"""
        while self._waiting and self._waiting[0].at_s <= t_s:
            stimulus = self._waiting.pop(0)
            if isinstance(stimulus, Fault):
                self._emulators[stimulus.device].arm(stimulus.name, **stimulus.parameters)
            else:
                self._act(t_s, stimulus)

    def end(self) -> None:
        """Take back what would outlive the run."""
        self._ledger.end()

    def _act(self, t_s: float, event: ScenarioEvent) -> None:
        self._events.record(
            f"event_{event.do}", target=event.target, parameters=dict(event.parameters)
        )
        world = self.street.world
        match event.do:
            case "open":
                head = world.head()
                before_w = self._physics.open_pcc(t_s)
                network = self._physics.network
                if network is not None:
                    buses = 1 if network.one_bus else len(network.y_va)
                    self._events.record("island_network", buses=buses, cause=network.one_bus)
                registers = (head.import_milliwh, head.export_milliwh)
                former = self.street.former
                self._islands.opened(
                    t_s,
                    before_w,
                    registers,
                    f_hz=self.street.rig.nominal.f_hz,
                    v_pu=self._physics.voltage_at(former) if former else 1.0,
                )
            case "reclose":
                self._islands.records[-1].reclose_asked_s = t_s
                world.request_reclose(t_s, self._sync)
            case "switch" | "tap" | "regulator":
                self._physics.switch(event.do, event.target, event.parameters)
            case "cloud":
                names = self.street.sun if event.target == "pv" else [event.target]
                for name in names:
                    self.street.cloud[name] = float(event.parameters["factor"])
            case "bms_limit":
                world.set_pack_limits(
                    self.street.pack_index(event.target),
                    event.parameters.get("charge_a"),
                    event.parameters.get("discharge_a"),
                )
            case "set_soc":
                world.set_soc(self.street.pack_index(event.target), float(event.parameters["soc"]))
            case "charge_limit":
                self._charging.limit(event.target, float(event.parameters["p_w"]))
            case "charge_power":
                self._charging.power(event.target, float(event.parameters["p_w"]))
            case "dispatch":
                self._aggregating.dispatch(event.target, t_s, event.parameters)
            case "drop_out":
                self.street.fleets[event.target].lose(float(event.parameters["share"]))
            case "inflate":
                home, p_w = int(event.parameters["home"]), float(event.parameters["p_w"])
                self.street.fleets[event.target].cheat(home, p_w)
            case "start" | "stop":
                world.switch_motor(self.street.motors[event.target], event.do == "start")
            case "override":
                self._held_by(event.target).override(event.target, float(event.parameters["p_w"]))
            case "thermostat":
                self._heating.leave(event.target)
            case "release":
                self._held_by(event.target).release(event.target)
            case "ledger_down":
                self._ledger.begin()
            case "ledger_up":
                self._ledger.end()
            case "trip":
                self._trip(event.target)
            case "overask":
                self._trading.overasking[event.target] = float(event.parameters["factor"])
            case "plug_in":
                if "soc" in event.parameters:
                    index = self.street.devices[event.target]
                    world.set_soc(index, float(event.parameters["soc"]))
                self.street.vehicles[event.target].plug(True)
            case "plug_out":
                self.street.vehicles[event.target].plug(False)

    def _held_by(self, name: str) -> Control | Charging | Heating:
        """Return what takes a storage, a charger or a heat pump out of its mind's hands."""
        match self.street.rig.device(name).capability:
            case "ev_charger":
                return self._charging
            case "heat_pump":
                return self._heating
        return self._control

    def _trip(self, name: str) -> None:
        """Open what a device has between itself and the grid, which nobody asked for."""
        if self.street.rig.device(name).capability == "bms":
            self.street.world.set_fets(self.street.pack_index(name), False, False)
        else:
            self.street.world.set_connect(self.street.devices[name], False)
