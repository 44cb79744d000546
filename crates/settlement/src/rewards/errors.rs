//! Why a programme, an event or a site is refused.

use super::{PERIODS_MAX, SITES_MAX};

/// Rules in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RewardError {
    /// A number of the programme is outside its bounds.
    #[error("{name} is {found}, expected {least} to {most}")]
    ProgrammeBound {
        /// Which number.
        name: &'static str,
        /// Its value.
        found: i64,
        /// The least it may be.
        least: i64,
        /// The most it may be.
        most: i64,
    },
    /// Consuming more on baseline days would earn more than it costs.
    #[error(
        "inflating {days} baseline days would pay: a kWh costs {cost_micro} micro and earns up to \
         {gain_micro} in {event_days} events"
    )]
    InflatingDaysPays {
        /// Baseline days.
        days: u32,
        /// Most events that a day is a baseline of.
        event_days: u32,
        /// What a kWh costs. [millionths]
        cost_micro: i64,
        /// What it earns. [millionths]
        gain_micro: i128,
    },
    /// Consuming more before the notice would earn more than it costs.
    #[error(
        "inflating the {periods} periods before a notice would pay: a kWh costs {cost_micro} micro \
         and earns up to {gain_micro} in an event of {event_periods} periods"
    )]
    InflatingNoticePays {
        /// Periods of the adjustment.
        periods: u32,
        /// Most periods of an event.
        event_periods: u32,
        /// What a kWh costs. [millionths]
        cost_micro: i64,
        /// What it earns. [millionths]
        gain_micro: i128,
    },
    /// An event is not on the periods of the programme, too long, over two days, or was announced
    /// after it began.
    #[error(
        "event {from_ms} to {to_ms} ms UTC, announced at {notice_ms} ms: expected a notice, then \
         1 to {periods_max} whole periods of {period_ms} ms within one day"
    )]
    EventBound {
        /// When it was announced. [UTC ms]
        notice_ms: i64,
        /// Its beginning. [UTC ms]
        from_ms: i64,
        /// Its end. [UTC ms]
        to_ms: i64,
        /// Length of a period. [ms]
        period_ms: i64,
        /// Most periods of an event.
        periods_max: u32,
    },
    /// More sites or periods than there may be.
    #[error("{sites} sites with up to {periods} periods, at most {SITES_MAX} and {PERIODS_MAX}")]
    TooMany {
        /// How many sites.
        sites: usize,
        /// How many periods the largest has.
        periods: usize,
    },
    /// A connection point is not known, or has no meter.
    #[error("connection point {point:?} is unknown or has no meter")]
    PointUnknown {
        /// The connection point.
        point: String,
    },
    /// A connection point is in the programme already.
    #[error(
        "connection point {point:?} is enrolled as site {site:?} already, and again as {again:?}"
    )]
    PointEnrolled {
        /// The connection point.
        point: String,
        /// The site that stands.
        site: String,
        /// The site that is refused.
        again: String,
    },
    /// A meter belongs to two connection points.
    #[error("meter {meter:?} is of connection point {point:?} and of {again:?}")]
    MeterRepeated {
        /// The meter.
        meter: String,
        /// The point that has it.
        point: String,
        /// The other point.
        again: String,
    },
    /// A site has no name or that of another.
    #[error("site {site:?} is empty or enrolled already")]
    SiteRepeated {
        /// The name.
        site: String,
    },
    /// A site is not in the programme.
    #[error("site {site:?} is not enrolled")]
    SiteUnknown {
        /// The name.
        site: String,
    },
    /// A reading of a meter that is none of the site's.
    #[error("meter {meter:?} is not one of site {site:?}")]
    MeterForeign {
        /// The site.
        site: String,
        /// The meter.
        meter: String,
    },
    /// A period that is not one of the programme, or was not measured as a whole.
    #[error("{from_ms} to {to_ms} ms UTC of meter {meter:?} is no period of {period_ms} ms")]
    PeriodShape {
        /// The meter.
        meter: String,
        /// Its beginning. [UTC ms]
        from_ms: i64,
        /// Its end. [UTC ms]
        to_ms: i64,
        /// Length of a period. [ms]
        period_ms: i64,
    },
    /// The same period of a meter twice.
    #[error("the period of meter {meter:?} from {from_ms} ms UTC on is given twice")]
    PeriodRepeated {
        /// The meter.
        meter: String,
        /// Its beginning. [UTC ms]
        from_ms: i64,
    },
    /// A due or the pool is negative, or dues do not fit.
    #[error("{name} is {found} micro, expected 0 to {}", i64::MAX)]
    DueBound {
        /// Which.
        name: &'static str,
        /// Its value. [millionths]
        found: i128,
    },
}

impl RewardError {
    /// Returns the stable name of the rule.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ProgrammeBound { .. } => "settlement.reward_programme",
            Self::InflatingDaysPays { .. } => "settlement.reward_inflating_days",
            Self::InflatingNoticePays { .. } => "settlement.reward_inflating_notice",
            Self::EventBound { .. } => "settlement.reward_event",
            Self::TooMany { .. } => "settlement.reward_too_many",
            Self::PointUnknown { .. } => "settlement.reward_point_unknown",
            Self::PointEnrolled { .. } => "settlement.reward_point_enrolled",
            Self::MeterRepeated { .. } => "settlement.reward_meter_repeated",
            Self::SiteRepeated { .. } => "settlement.reward_site_repeated",
            Self::SiteUnknown { .. } => "settlement.reward_site_unknown",
            Self::MeterForeign { .. } => "settlement.reward_meter_foreign",
            Self::PeriodShape { .. } => "settlement.reward_period",
            Self::PeriodRepeated { .. } => "settlement.reward_period_repeated",
            Self::DueBound { .. } => "settlement.reward_due",
        }
    }
}
