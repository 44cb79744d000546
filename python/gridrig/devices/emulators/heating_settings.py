"""What an emulated heat pump, its thermostats, its room and its weather are, whatever its wire."""

from dataclasses import dataclass

from gridrig.devices.emulators.modbus_face import require


@dataclass(frozen=True, kw_only=True)
class HeatingSettings:
    """What the `emulate` table may say of a heat pump and its room.

    Parameters
    ----------
    p_w_max, p_w_min : float
        The most it takes, and the least when it runs. [W]
    cop : float
        Heat per electricity. [1]
    capacity_wh_per_k, conductance_w_per_k : float
        Of the room. [Wh/K, W/K]
    room_c, set_point_c, low_c, high_c : float
        Where the room begins; thermostat; lowest and highest temperature it lets be. [deg C]
    gain_w_max : float
        Heat of people and cooking, drawn every hour between 0 and this. [W]
    thermostat_w_per_k : float
        By how much more electricity a thermostat answers a room that is too cold. [W/K]
    outdoor_c, swing_k, spread_k : float
        Weather: mean, half the difference of day and night, standard deviation of a day.
        [deg C, K, K]
    guards : bool
        Whether it keeps the room between the lowest and the highest temperature.
    seed : int
        What weather and gains are drawn from.
    """

    p_w_max: float
    p_w_min: float = 0.0
    cop: float = 3.0
    capacity_wh_per_k: float = 3000.0
    conductance_w_per_k: float = 120.0
    room_c: float = 21.0
    set_point_c: float = 21.0
    low_c: float = 20.0
    high_c: float = 23.0
    gain_w_max: float = 200.0
    thermostat_w_per_k: float = 500.0
    outdoor_c: float = 2.0
    swing_k: float = 3.0
    spread_k: float = 1.0
    guards: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no heat pump and no room can be."""
        set_c, most = self.set_point_c, self.p_w_max
        require("p_w_max", most, 0 < most <= 1e6, "> 0, at most 1e6")
        require("p_w_min", self.p_w_min, 0 <= self.p_w_min <= most, "0 to p_w_max")
        require("cop", self.cop, 0.5 <= self.cop <= 10, "0.5 to 10")
        for key in ("capacity_wh_per_k", "conductance_w_per_k", "thermostat_w_per_k"):
            found = getattr(self, key)
            require(key, found, 0 < found <= 1e6, "> 0, at most 1e6")
        require("gain_w_max", self.gain_w_max, 0 <= self.gain_w_max <= 1e5, "0 to 1e5")
        require("low_c", self.low_c, -20 <= self.low_c <= set_c, "-20 to set_point_c")
        require("high_c", self.high_c, set_c <= self.high_c <= 60, "set_point_c to 60")
        require("room_c", self.room_c, -20 <= self.room_c <= 60, "-20 to 60")
        require("outdoor_c", self.outdoor_c, -40 <= self.outdoor_c <= 50, "-40 to 50")
        require("swing_k", self.swing_k, 0 <= self.swing_k <= 30, "0 to 30")
        require("spread_k", self.spread_k, 0 <= self.spread_k <= 10, "0 to 10")
