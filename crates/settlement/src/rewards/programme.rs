//! The numbers of a programme, and its events.

use gridrig_quantity::{Amount, Energy, PRICE_MICRO_PER_KWH_MAX, Price};

use super::RewardError;

const DAY_MS: i64 = 86_400_000;
const PERMILLE: i64 = 1_000;

/// What a programme pays for, and how it measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Programme {
    /// Length of a period, which parts a day. [ms]
    pub period_ms: i64,
    /// Local standard time less UTC. [s]
    pub utc_offset_s: i32,
    /// Days a baseline is the mean of.
    pub baseline_days: u32,
    /// How many days back they may lie.
    pub look_back_days: u32,
    /// How many days that would be among them may lack readings; with 0, withholding cannot pay.
    pub unread_days_max: u32,
    /// Periods before the notice whose load adjusts the baseline; 0 for no adjustment.
    pub adjustment_periods: u32,
    /// Most that the adjustment moves the baseline. [permille of it]
    pub adjustment_permille_max: u32,
    /// What of a response is not paid. [permille of the baseline]
    pub dead_band_permille: u32,
    /// Most periods of an event.
    pub event_periods_max: u32,
    /// Most event days that one day is a baseline day of.
    pub event_days_max: u32,
    /// What a response is paid.
    pub response_price: Price,
    /// The least that energy costs a participant: the lower of what it buys and sells at.
    pub energy_price_min: Price,
}

impl Programme {
    /// Checks the numbers, and that inflating a baseline does not pay.
    ///
    /// # Errors
    /// [`RewardError::ProgrammeBound`], [`RewardError::InflatingDaysPays`],
    /// [`RewardError::InflatingNoticePays`].
    pub fn new(numbers: Self) -> Result<Self, RewardError> {
        let bounds = [
            ("period_ms", numbers.period_ms, 60_000, 3_600_000),
            ("utc_offset_s", numbers.utc_offset_s.into(), -64_800, 64_800),
            ("baseline_days", numbers.baseline_days.into(), 1, 30),
            ("look_back_days", numbers.look_back_days.into(), 1, 366),
            ("unread_days_max", numbers.unread_days_max.into(), 0, 366),
            (
                "adjustment_periods",
                numbers.adjustment_periods.into(),
                0,
                96,
            ),
            (
                "adjustment_permille_max",
                numbers.adjustment_permille_max.into(),
                0,
                1_000,
            ),
            (
                "dead_band_permille",
                numbers.dead_band_permille.into(),
                0,
                1_000,
            ),
            (
                "event_periods_max",
                numbers.event_periods_max.into(),
                1,
                1_440,
            ),
            ("event_days_max", numbers.event_days_max.into(), 1, 366),
            (
                "response_price",
                numbers.response_price.micro_per_kwh(),
                0,
                PRICE_MICRO_PER_KWH_MAX,
            ),
            (
                "energy_price_min",
                numbers.energy_price_min.micro_per_kwh(),
                0,
                PRICE_MICRO_PER_KWH_MAX,
            ),
        ];
        for (name, found, least, most) in bounds {
            if !(least..=most).contains(&found) {
                return Err(RewardError::ProgrammeBound {
                    name,
                    found,
                    least,
                    most,
                });
            }
        }
        if DAY_MS % numbers.period_ms != 0 {
            return Err(RewardError::ProgrammeBound {
                name: "remainder of a day parted by period_ms",
                found: DAY_MS % numbers.period_ms,
                least: 0,
                most: 0,
            });
        }
        numbers.require_honest_to_be_best()?;
        Ok(numbers)
    }

    fn require_honest_to_be_best(&self) -> Result<(), RewardError> {
        let wide = i128::from;
        let price = wide(self.response_price.micro_per_kwh());
        let cost_micro = self.energy_price_min.micro_per_kwh();
        let dead = i64::from(self.dead_band_permille);
        let capped = i64::from(self.adjustment_permille_max);
        // Rounded up, so that a gain of a fraction more than the cost is one.
        let up = |dividend: i128, divisor: i128| (dividend + divisor - 1) / divisor;
        let slope = wide(PERMILLE + capped + dead) * wide(i64::from(self.event_days_max));
        let gain_micro = up(
            price * slope,
            wide(PERMILLE) * wide(i64::from(self.baseline_days)),
        );
        if gain_micro > wide(cost_micro) {
            return Err(RewardError::InflatingDaysPays {
                days: self.baseline_days,
                event_days: self.event_days_max,
                cost_micro,
                gain_micro,
            });
        }
        if self.adjustment_periods == 0 || capped == 0 {
            return Ok(());
        }
        let slope = wide(PERMILLE + dead) * wide(i64::from(self.event_periods_max));
        let gain_micro = up(
            price * slope,
            wide(PERMILLE) * wide(i64::from(self.adjustment_periods)),
        );
        if gain_micro > wide(cost_micro) {
            return Err(RewardError::InflatingNoticePays {
                periods: self.adjustment_periods,
                event_periods: self.event_periods_max,
                cost_micro,
                gain_micro,
            });
        }
        Ok(())
    }

    /// Returns what a response is due: energy x price, rounded once, half up by magnitude.
    pub fn due(&self, counted: Energy) -> Amount {
        Amount::of(counted, self.response_price)
    }

    /// Returns the number of the local day of a time, from that of 1970-01-01.
    pub const fn day(&self, time_ms: i64) -> i64 {
        (time_ms.saturating_add(self.utc_offset_s as i64 * 1000)).div_euclid(DAY_MS)
    }

    /// Tells whether a local day is of a weekend. 1970-01-01 was a Thursday.
    pub const fn is_weekend(day: i64) -> bool {
        (day + 4).rem_euclid(7) % 6 == 0
    }
}

/// A call for a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When it was announced. [UTC ms]
    pub notice_ms: i64,
    /// Its beginning. [UTC ms]
    pub from_ms: i64,
    /// Its end. [UTC ms]
    pub to_ms: i64,
}

impl Event {
    /// Returns the beginnings of the periods of an event, rising.
    ///
    /// # Errors
    /// [`RewardError::EventBound`].
    pub(super) fn periods(&self, of: &Programme) -> Result<Vec<i64>, RewardError> {
        let Self {
            notice_ms,
            from_ms,
            to_ms,
        } = *self;
        let length = to_ms.saturating_sub(from_ms);
        let whole = from_ms % of.period_ms == 0 && to_ms % of.period_ms == 0;
        let fits = length > 0 && length <= of.period_ms * i64::from(of.event_periods_max);
        let one_day = of.day(from_ms) == of.day(to_ms.saturating_sub(1));
        if !(whole && fits && one_day && notice_ms <= from_ms) {
            return Err(RewardError::EventBound {
                notice_ms,
                from_ms,
                to_ms,
                period_ms: of.period_ms,
                periods_max: of.event_periods_max,
            });
        }
        let count = length / of.period_ms;
        Ok((0..count).map(|n| from_ms + n * of.period_ms).collect())
    }

    /// Returns the beginnings of the periods that adjust the baseline: the last that ended before
    /// the notice.
    pub(super) fn adjusting(&self, of: &Programme) -> Vec<i64> {
        let last_end = self.notice_ms.div_euclid(of.period_ms) * of.period_ms;
        let back = 1..=i64::from(of.adjustment_periods);
        back.map(|n| last_end - n * of.period_ms).collect()
    }
}
