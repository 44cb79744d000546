//! The time text of a reading, `2016-06-20T12:15:00,000+0000 S`.

use crate::ClockStatus;
use crate::signed_record::MeterTime;

/// The shape of the text; a digit stands for any digit, `+` for either sign.
const SHAPE: &[u8] = b"0000-00-00T00:00:00,000+0000 X";

/// Reads the text; anything but the exact shape with values in range is no time.
pub(crate) fn parse_timestamp(text: &str) -> Option<MeterTime> {
    let bytes = text.as_bytes();
    let fits = |(&byte, &shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'+' => byte == b'+' || byte == b'-',
        b'X' => true,
        other => byte == other,
    };
    if bytes.len() != SHAPE.len() || !bytes.iter().zip(SHAPE).all(fits) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        bytes[range]
            .iter()
            .fold(0i64, |value, digit| value * 10 + i64::from(digit - b'0'))
    };
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (hour, minute, second) = (number(11..13), number(14..16), number(17..19));
    let (offset_hour, offset_minute) = (number(24..26), number(26..28));
    let local_s = seconds_since_epoch([year, month, day], [hour, minute, second])?;
    if offset_hour >= 24 || offset_minute >= 60 {
        return None;
    }
    let east = if bytes[23] == b'-' { -1 } else { 1 };
    let offset_s = east * (offset_hour * 3600 + offset_minute * 60);
    let status = ClockStatus::from_letter(char::from(bytes[29]))?;
    Some(MeterTime {
        utc_ms: (local_s - offset_s) * 1000 + number(20..23),
        status,
    })
}

/// Counts the seconds from 1970-01-01 to a date and time of day, both without an offset; none if
/// either is not in the calendar, for years from 1970 to 9999.
///
/// Leap seconds are not written by these meters; a second of 60 is refused like any other.
pub(crate) fn seconds_since_epoch(date: [i64; 3], time: [i64; 3]) -> Option<i64> {
    let ([year, month, day], [hour, minute, second]) = (date, time);
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    in_range
        .then(|| days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts days from 1970-01-01 in the Gregorian calendar, for years from 1970 on.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let leap_days_before = |y: i64| (y - 1) / 4 - (y - 1) / 100 + (y - 1) / 400;
    let years = (year - 1970) * 365 + leap_days_before(year) - leap_days_before(1970);
    years + (1..month).map(|m| days_in_month(year, m)).sum::<i64>() + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc_ms(text: &str) -> Option<i64> {
        parse_timestamp(text).map(|time| time.utc_ms)
    }

    #[test]
    fn the_offset_is_taken_away() {
        assert_eq!(utc_ms("1970-01-01T00:00:00,000+0000 S"), Some(0));
        assert_eq!(
            utc_ms("2016-06-20T12:15:00,000+0000 S"),
            Some(1_466_424_900_000)
        );
        assert_eq!(
            utc_ms("2016-06-20T14:15:00,007+0200 U"),
            Some(1_466_424_900_007)
        );
        assert_eq!(
            utc_ms("2016-06-20T08:45:00,000-0330 R"),
            Some(1_466_424_900_000)
        );
    }

    #[test]
    fn leap_years_follow_the_calendar() {
        assert_eq!(
            utc_ms("2016-02-29T00:00:00,000+0000 I"),
            Some(1_456_704_000_000)
        );
        assert_eq!(
            utc_ms("2000-03-01T00:00:00,000+0000 I"),
            Some(951_868_800_000)
        );
        assert_eq!(utc_ms("2100-02-29T00:00:00,000+0000 I"), None);
        assert_eq!(
            utc_ms("9999-12-31T23:59:59,999+0000 S"),
            Some(253_402_300_799_999)
        );
    }

    #[test]
    fn anything_off_the_shape_is_no_time() {
        for text in [
            "",
            "2016-06-20T12:15:00.000+0000 S",
            "2016-06-20T12:15:00,000+00:00 S",
            "2016-06-20T12:15:00,000Z S",
            "2016-06-20T12:15:00,000+0000",
            "2016-06-20T12:15:00,000+0000 Q",
            "2016-06-20T12:15:00,000+0000 SS",
            "2016-13-20T12:15:00,000+0000 S",
            "2016-06-31T12:15:00,000+0000 S",
            "2016-06-00T12:15:00,000+0000 S",
            "2016-06-20T24:15:00,000+0000 S",
            "2016-06-20T12:60:00,000+0000 S",
            "2016-06-20T12:15:60,000+0000 S",
            "2016-06-20T12:15:00,000+2400 S",
            "1969-06-20T12:15:00,000+0000 S",
            "2016-06-20T12:15:00,000+000é S",
        ] {
            assert_eq!(utc_ms(text), None, "{text:?}");
        }
    }
}
