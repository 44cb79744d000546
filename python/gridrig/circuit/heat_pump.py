"""A heat pump at its plug, with its thermostats, and the room that it heats.

It modulates between its least and its greatest power. Its own thermostat asks for what holds the
set-point in this weather, more or less by how far the room is from it. A power that it is told is
followed as it is, but for the last `MARGIN_K` before the lowest and the highest temperature. There
it goes over, in proportion, to what holds the lowest (and more below it), or to nothing at the
highest: whatever it is told, the room stays between. It feels the room through its sensor; without
one it follows nothing and heats by the weather alone.

Known gaps: one coefficient of performance at any temperature, unity power factor, no hot water, no
defrosting, no time between start and stop; below its least power it switches.
"""

from gridrig.circuit.weathered_room import Outdoors, after_step, gains_w
from gridrig.devices.emulators.heating_settings import HeatingSettings
from gridrig.devices.emulators.heating_terminal import HeatingMode, HeatingState, Sensor
from gridrig.plant import World

MARGIN_K = 0.25


class HeatPump:
    """The plug of a heat pump.

    Parameters
    ----------
    world : World
        The plant.
    index : int
        Its terminal, a load.
    settings : HeatingSettings
        What it, its room and its weather are.
    """

    def __init__(self, world: World, index: int, settings: HeatingSettings) -> None:
        self._world, self._index, self._is = world, index, settings
        self.room_c, self.set_point_c = settings.room_c, settings.set_point_c
        self._outdoors = Outdoors(
            settings.seed, settings.outdoor_c, settings.swing_k, settings.spread_k
        )
        self.outdoor_c = settings.outdoor_c
        self._told_w: float | None = None
        self._mode: HeatingMode = "own"
        self._sensor: Sensor = lambda true_c: true_c

    def outdoor_at(self, utc_s: float) -> float:
        """Return the temperature outside at a moment. [s since 1970, deg C]"""
        return self._outdoors.at(utc_s)

    @property
    def low_c(self) -> float:
        """The lowest temperature of the room that it lets be. [deg C]"""
        return self._is.low_c

    @property
    def high_c(self) -> float:
        """The highest. [deg C]"""
        return self._is.high_c

    def tell(self, p_w: float | None) -> None:
        """Take this power from the next step on, None by its own thermostat. [W]"""
        self._told_w = p_w

    def hold(self, set_point_c: float) -> None:
        """Hold another temperature from the next step on. [deg C]"""
        self.set_point_c = set_point_c

    def feel(self, sensor: Sensor) -> None:
        """Feel the room through this sensor."""
        self._sensor = sensor

    def state(self) -> HeatingState:
        """Return it and its room as they are now."""
        terminal = self._world.terminal(self._index)
        p_w = max(0.0, 0.0 - terminal.p_w)
        return HeatingState(
            p_w,
            self.room_c,
            self.outdoor_c,
            self.set_point_c,
            self._mode,
            self._is.cop * p_w,
            terminal.import_milliwh,
        )

    def follow(self, utc_s: float) -> None:
        """Take what thermostats and orders come to at a moment, until the next. [s since 1970]"""
        self.outdoor_c = self._outdoors.at(utc_s)
        p_w, self._mode = self._decide(self._sensor(self.room_c))
        self._world.set_load(self._index, p_w, 0.0)

    def advance(self, p_w: float, utc_s: float, dt_s: float) -> None:
        """Let the room go on over a time in which the pump took this. [W, s]"""
        settings, (gained_w,) = self._is, gains_w(self._is.seed, utc_s, self._is.gain_w_max, 1)
        g, c = settings.conductance_w_per_k, settings.capacity_wh_per_k
        ends_c = self._outdoors.at(utc_s) + (settings.cop * p_w + float(gained_w)) / g
        self.room_c = float(after_step(self.room_c, ends_c, dt_s, g, c))

    def _decide(self, felt_c: float | None) -> tuple[float, HeatingMode]:
        at_c = self.set_point_c
        if felt_c is None:
            return self._runs(self._holds_w(at_c), is_cold=True), "fault"
        if self._told_w is None:
            asked_w = self._holds_w(at_c) + self._is.thermostat_w_per_k * (at_c - felt_c)
            return self._runs(asked_w, is_cold=felt_c < at_c), "own"
        told_w = min(self._told_w, self._is.p_w_max)
        if told_w < self._is.p_w_min:
            told_w = 0.0
        if not self._is.guards:
            return told_w, "told"
        least_w, most_w = self._band_w(felt_c)
        if told_w < least_w:
            return self._runs(least_w, is_cold=felt_c < self.low_c), "cold"
        if told_w > most_w:
            return self._runs(most_w, is_cold=False), "warm"
        return told_w, "told"

    def _band_w(self, felt_c: float) -> tuple[float, float]:
        """Return the least and the most that it takes so that the room stays in its band. [W]"""
        near_low = min(max((self.low_c + MARGIN_K - felt_c) / MARGIN_K, 0.0), 1.0)
        near_high = min(max((felt_c - self.high_c + MARGIN_K) / MARGIN_K, 0.0), 1.0)
        below_k = max(self.low_c - felt_c, 0.0)
        least_w = self._holds_w(self.low_c) * near_low + self._is.thermostat_w_per_k * below_k
        return min(least_w, self._is.p_w_max), self._is.p_w_max * (1.0 - near_high)

    def _holds_w(self, at_c: float) -> float:
        """Return what holds a temperature in this weather, nobody being in. [W]"""
        return max(self._is.conductance_w_per_k * (at_c - self.outdoor_c) / self._is.cop, 0.0)

    def _runs(self, asked_w: float, *, is_cold: bool) -> float:
        """Return what it takes when so much is asked for: below its least power it switches."""
        if asked_w >= self._is.p_w_min:
            return min(asked_w, self._is.p_w_max)
        return self._is.p_w_min if is_cold and asked_w > 0 else 0.0
