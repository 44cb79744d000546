//! Signed local time, and how it is brought to UTC by what is bound to the key.
//!
//! Meters of the EDL40 family sign what their clock shows and write its offset from UTC beside it,
//! where whoever carries the record can change it. An offset that is bound to the key leaves them
//! nothing to choose but the hour that clocks go through twice.
//!
//! # Source
//! Directive 2000/84/EC, articles 2 and 3: summer time begins at 1:00 UTC on the last Sunday of
//! March and ends at 1:00 UTC on the last Sunday of October.

use crate::timestamp::seconds_since_epoch;

const DAY_S: i64 = 86_400;
const SUMMER_S: i64 = 3_600;
const YEAR_S: i64 = 31_556_952;

/// How the clock of a meter goes, bound to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Offset from UTC in winter, positive to the east. [s]
    pub offset_s: i32,
    /// Whether the clock follows the summer time of the European Union.
    pub eu_summer: bool,
}

/// What a record says of its local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalMoment {
    /// What the clock showed, as it is signed. [s since 1970-01-01 on that clock]
    pub(crate) local_s: i64,
    /// The offset beside it, which is not signed; none if the format has none. [s]
    pub(crate) stated_s: Option<i64>,
}

impl LocalTime {
    /// Brings a moment to UTC; none if the clock never showed it, if the record states another
    /// offset, or if the clock showed it twice and the record does not say which. [s]
    pub(crate) fn utc_s(self, moment: LocalMoment) -> Option<i64> {
        let winter_s = i64::from(self.offset_s);
        let shown = |offset_s: i64| {
            let utc_s = moment.local_s - offset_s;
            let stated = moment.stated_s.is_none_or(|stated_s| stated_s == offset_s);
            let summer = self.eu_summer && is_eu_summer(utc_s);
            (stated && summer == (offset_s != winter_s)).then_some(utc_s)
        };
        match (shown(winter_s), shown(winter_s + SUMMER_S)) {
            (Some(utc_s), None) | (None, Some(utc_s)) => Some(utc_s),
            _ => None,
        }
    }
}

fn is_eu_summer(utc_s: i64) -> bool {
    // A mean year is off by hours only around New Year, when it is winter in both years.
    let year = 1970 + utc_s.div_euclid(YEAR_S);
    let edge = |month| last_sunday(year, month);
    matches!((edge(3), edge(10)), (Some(from), Some(until)) if (from..until).contains(&utc_s))
}

/// The last Sunday of a month with 31 days, 1:00 UTC. [s]
fn last_sunday(year: i64, month: i64) -> Option<i64> {
    let last_s = seconds_since_epoch([year, month, 31], [1, 0, 0])?;
    // 1970-01-01 was a Thursday.
    let since_sunday = (last_s.div_euclid(DAY_S) + 4).rem_euclid(7);
    Some(last_s - since_sunday * DAY_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: LocalTime = LocalTime {
        offset_s: 3_600,
        eu_summer: true,
    };

    fn utc_s(local: [i64; 5], stated_s: Option<i64>) -> Option<i64> {
        let [year, month, day, hour, minute] = local;
        let local_s = seconds_since_epoch([year, month, day], [hour, minute, 0])?;
        BERLIN.utc_s(LocalMoment { local_s, stated_s })
    }

    fn utc(year: i64, month: i64, day: i64, hour: i64, minute: i64) -> Option<i64> {
        seconds_since_epoch([year, month, day], [hour, minute, 0])
    }

    #[test]
    fn the_key_says_the_offset_and_the_record_can_only_confirm_it() {
        let (winter, summer) = ([2024, 1, 15, 12, 0], [2024, 7, 15, 12, 0]);
        for stated in [None, Some(3_600)] {
            assert_eq!(utc_s(winter, stated), utc(2024, 1, 15, 11, 0));
        }
        for stated in [None, Some(7_200)] {
            assert_eq!(utc_s(summer, stated), utc(2024, 7, 15, 10, 0));
        }
        for other in [0, 7_200, -3_600, 50_400] {
            assert_eq!(utc_s(winter, Some(other)), None, "{other}");
        }
        assert_eq!(utc_s(summer, Some(3_600)), None);
    }

    #[test]
    fn the_hour_that_is_left_out_never_was() {
        // 2024-03-31: from 2:00 to 3:00.
        assert_eq!(utc_s([2024, 3, 31, 1, 59], None), utc(2024, 3, 31, 0, 59));
        for stated in [None, Some(3_600), Some(7_200)] {
            assert_eq!(utc_s([2024, 3, 31, 2, 30], stated), None);
        }
        assert_eq!(utc_s([2024, 3, 31, 3, 0], None), utc(2024, 3, 31, 1, 0));
    }

    #[test]
    fn the_hour_that_comes_twice_is_told_by_the_record_or_not_at_all() {
        // 2024-10-27: from 3:00 back to 2:00.
        assert_eq!(
            utc_s([2024, 10, 27, 1, 59], None),
            utc(2024, 10, 26, 23, 59)
        );
        assert_eq!(utc_s([2024, 10, 27, 2, 30], None), None);
        let (summer, winter) = (Some(7_200), Some(3_600));
        assert_eq!(
            utc_s([2024, 10, 27, 2, 30], summer),
            utc(2024, 10, 27, 0, 30)
        );
        assert_eq!(
            utc_s([2024, 10, 27, 2, 30], winter),
            utc(2024, 10, 27, 1, 30)
        );
        assert_eq!(utc_s([2024, 10, 27, 3, 0], None), utc(2024, 10, 27, 2, 0));
    }

    #[test]
    fn a_clock_that_stays_has_one_offset_all_year() {
        let stays = LocalTime {
            offset_s: -12_600,
            eu_summer: false,
        };
        let moment = LocalMoment {
            local_s: 1_720_000_000,
            stated_s: None,
        };
        assert_eq!(stays.utc_s(moment), Some(1_720_012_600));
    }

    #[test]
    fn the_edges_of_summer_are_those_of_the_directive() {
        // From the Commission's communications on summer time, 2022 to 2026.
        for (year, march, october) in [
            (2022, 27, 30),
            (2023, 26, 29),
            (2024, 31, 27),
            (2025, 30, 26),
            (2026, 29, 25),
        ] {
            let edges = (utc(year, 3, march, 1, 0), utc(year, 10, october, 1, 0));
            let (Some(from), Some(until)) = edges else {
                panic!("{year} has both")
            };
            let found = [from - 1, from, until - 1, until].map(is_eu_summer);
            assert_eq!(found, [false, true, true, false], "{year}");
        }
        assert!(!is_eu_summer(1_704_067_199) && !is_eu_summer(1_704_067_200));
    }
}
