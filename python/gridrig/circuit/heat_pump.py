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
    p_w_max, p_w_min : float
        The most it takes, and the least when it runs. [W]
    cop : float
        Heat per electricity. [1]
    conductance_w_per_k, capacity_wh_per_k : float
        Of the room. [W/K, Wh/K]
    room_c, set_point_c, low_c, high_c : float
        Where the room begins; thermostat; lowest and highest temperature that it lets be. [deg C]
    gain_w_max : float
        Heat of people and cooking, drawn every hour between 0 and this. [W]
    thermostat_w_per_k : float
        By how much more electricity a thermostat answers a room that is too cold. [W/K]
    outdoors : Outdoors
        Its weather; the gains are drawn from its seed, too.
    guards : bool
        Whether it keeps the room between the lowest and the highest temperature.
    """

    def __init__(
        self,
        world: World,
        index: int,
        *,
        p_w_max: float,
        p_w_min: float,
        cop: float,
        conductance_w_per_k: float,
        capacity_wh_per_k: float,
        room_c: float,
        set_point_c: float,
        low_c: float,
        high_c: float,
        gain_w_max: float,
        thermostat_w_per_k: float,
        outdoors: Outdoors,
        guards: bool = True,
    ) -> None:
        self._world, self._index = world, index
        self._range_w, self.cop = (p_w_min, p_w_max), cop
        self._g_w_per_k, self._c_wh_per_k = conductance_w_per_k, capacity_wh_per_k
        self.room_c, self.set_point_c, self.low_c, self.high_c = room_c, set_point_c, low_c, high_c
        self._gain_w_max, self._per_k = gain_w_max, thermostat_w_per_k
        self._outdoors, self._guards = outdoors, guards
        self.outdoor_c = outdoors.mean_c
        self._told_w: float | None = None
        self._mode: HeatingMode = "own"
        self._sensor: Sensor = lambda true_c: true_c

    def outdoor_at(self, utc_s: float) -> float:
        """Return the temperature outside at a moment. [s since 1970, deg C]"""
        return self._outdoors.at(utc_s)

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
            self.cop * p_w,
            terminal.import_milliwh,
        )

    def follow(self, utc_s: float) -> None:
        """Take what thermostats and orders come to at a moment, until the next. [s since 1970]"""
        self.outdoor_c = self._outdoors.at(utc_s)
        p_w, self._mode = self._decide(self._sensor(self.room_c))
        self._world.set_load(self._index, p_w, 0.0)

    def advance(self, p_w: float, utc_s: float, dt_s: float) -> None:
        """Let the room go on over a time in which the pump took this. [W, s]"""
        (gained_w,) = gains_w(self._outdoors.seed, utc_s, self._gain_w_max, 1).tolist()
        ends_c = self._outdoors.at(utc_s) + (self.cop * p_w + gained_w) / self._g_w_per_k
        self.room_c = float(
            after_step(self.room_c, ends_c, dt_s, self._g_w_per_k, self._c_wh_per_k)
        )

    def _decide(self, felt_c: float | None) -> tuple[float, HeatingMode]:
        at_c, (p_w_min, p_w_max) = self.set_point_c, self._range_w
        if felt_c is None:
            return self._runs(self._holds_w(at_c), is_cold=True), "fault"
        if self._told_w is None:
            asked_w = self._holds_w(at_c) + self._per_k * (at_c - felt_c)
            return self._runs(asked_w, is_cold=felt_c < at_c), "own"
        told_w = min(self._told_w, p_w_max)
        if told_w < p_w_min:
            told_w = 0.0
        if not self._guards:
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
        least_w = self._holds_w(self.low_c) * near_low + self._per_k * below_k
        return min(least_w, self._range_w[1]), self._range_w[1] * (1.0 - near_high)

    def _holds_w(self, at_c: float) -> float:
        """Return what holds a temperature in this weather, nobody being in. [W]"""
        return max(self._g_w_per_k * (at_c - self.outdoor_c) / self.cop, 0.0)

    def _runs(self, asked_w: float, *, is_cold: bool) -> float:
        """Return what it takes when so much is asked for: below its least power it switches."""
        p_w_min, p_w_max = self._range_w
        if asked_w >= p_w_min:
            return min(asked_w, p_w_max)
        return p_w_min if is_cold and asked_w > 0 else 0.0
