"""What a rig file may say of a SunSpec driver, whichever generation the device is of."""

from dataclasses import dataclass

from gridrig.devices.drivers.reversion import TIMER_S_MAX
from gridrig.errors import DriverError

REGISTER_MAX = 0xFFFF


@dataclass(frozen=True, kw_only=True)
class SunSpecParameters:
    """What a rig file may say of a SunSpec driver.

    Parameters
    ----------
    timeout_s : float
        From request to reply. [s]
    retries : int
        Further attempts after the first, 0..5.
    read_count_max : int
        Most registers the device gives in one reply, 2..125.
    settings_every : int
        The limit and the state of charge are read on every n-th reading.
    revert_s : int or None
        Time after which power and limit fall to zero unless `read` renews them; 0 leaves the
        device's timers off, None is what `use_control_period` makes of it. [s]
    adopt_timeout_s : float
        From the request to adopt a curve to its result. [s]
    anti_isl_ena : bool
        Whether island detection may be switched by `AntiIslEna` of model 704, which not every
        device obeys that has it.
    detection_register : int or None
        Holding register that switches island detection instead; None if there is none.
    detection_on, detection_off : int
        What it holds.
    """

    timeout_s: float = 1.0
    retries: int = 1
    read_count_max: int = 125
    settings_every: int = 10
    revert_s: int | None = None
    adopt_timeout_s: float = 10.0
    anti_isl_ena: bool = False
    detection_register: int | None = None
    detection_on: int = 1
    detection_off: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        alone = self.detection_register is None or not self.anti_isl_ena
        differ = self.detection_off != self.detection_on
        wrong = [
            name
            for name, right in (
                ("timeout_s", 0 < self.timeout_s <= 60),
                ("retries", 0 <= self.retries <= 5),
                ("read_count_max", 2 <= self.read_count_max <= 125),
                ("settings_every", self.settings_every >= 1),
                ("revert_s", 0 <= (self.revert_s or 0) <= TIMER_S_MAX),
                ("adopt_timeout_s", 0 < self.adopt_timeout_s <= 600),
                ("anti_isl_ena", alone),
                ("detection_register", 0 <= (self.detection_register or 0) <= REGISTER_MAX),
                ("detection_on", 0 <= self.detection_on <= REGISTER_MAX),
                ("detection_off", 0 <= self.detection_off <= REGISTER_MAX and differ),
            )
            if not right
        ]
        if wrong:
            raise DriverError("driver.parameter", "out of range: {wrong}", wrong=wrong)
