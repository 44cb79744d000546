//! Decimal texts, read digit by digit.

use gridrig_quantity::{ENERGY_MILLIWH_MAX, Energy};

/// Why a decimal text is no energy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DecimalFault {
    /// Not digits, optionally with a point and more digits.
    Malformed,
    /// Beyond the bound of an energy.
    Bound,
    /// More decimals than a milliwatt-hour has.
    Finer,
}

/// Reads an unsigned decimal text whose last exact decimal is `decimals_max`.
///
/// Decimals count even when they are zero: a meter that writes them claims to resolve them. A text
/// that is both too large and too fine is reported as too large.
pub(crate) fn energy_from_decimal(text: &str, decimals_max: usize) -> Result<Energy, DecimalFault> {
    let (whole, decimals) = match text.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() => (whole, decimals),
        Some(_) => return Err(DecimalFault::Malformed),
        None => (text, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
        return Err(DecimalFault::Malformed);
    }
    let zeros = decimals_max.saturating_sub(decimals.len());
    let kept = decimals.bytes().take(decimals_max);
    let digits = whole
        .bytes()
        .chain(kept)
        .chain(std::iter::repeat_n(b'0', zeros));
    let mut milliwh: i64 = 0;
    for digit in digits {
        // The bound is far below i64::MAX / 10, so the step cannot overflow before it is checked.
        milliwh = milliwh * 10 + i64::from(digit - b'0');
        if milliwh > ENERGY_MILLIWH_MAX {
            return Err(DecimalFault::Bound);
        }
    }
    if decimals.len() > decimals_max {
        return Err(DecimalFault::Finer);
    }
    Energy::from_milliwh(milliwh).map_err(|_| DecimalFault::Bound)
}

/// Reads an integer of `10^exponent` watt-hours, as meters with a scaler write a register.
///
/// An exponent below -3 claims to resolve less than a milliwatt-hour and is refused even if the
/// digits there are zero, as in a decimal text.
pub(crate) fn energy_from_scaled(value: u64, exponent: i8) -> Result<Energy, DecimalFault> {
    let exponent_milliwh = i32::from(exponent) + 3;
    let Ok(zeros) = u32::try_from(exponent_milliwh) else {
        return Err(DecimalFault::Finer);
    };
    let milliwh = i64::try_from(value).ok().and_then(|value| match value {
        0 => Some(0),
        _ => value.checked_mul(10i64.checked_pow(zeros)?),
    });
    let energy = milliwh.map(Energy::from_milliwh);
    energy.and_then(Result::ok).ok_or(DecimalFault::Bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliwh(text: &str, decimals: usize) -> Result<i64, DecimalFault> {
        energy_from_decimal(text, decimals).map(Energy::milliwh)
    }

    #[test]
    fn watt_hours_have_three_decimals_and_kilowatt_hours_six() {
        assert_eq!(milliwh("1234.567", 3), Ok(1_234_567));
        assert_eq!(milliwh("1234.5", 3), Ok(1_234_500));
        assert_eq!(milliwh("1234", 3), Ok(1_234_000));
        assert_eq!(milliwh("0.259600", 6), Ok(259_600));
        assert_eq!(milliwh("00000000.000", 6), Ok(0));
    }

    #[test]
    fn digits_finer_than_a_milliwatt_hour_are_refused_even_when_zero() {
        assert_eq!(milliwh("1.2345", 3), Err(DecimalFault::Finer));
        assert_eq!(milliwh("1.2340", 3), Err(DecimalFault::Finer));
        assert_eq!(milliwh("0.0000000", 6), Err(DecimalFault::Finer));
    }

    #[test]
    fn a_number_no_float_could_hold_is_exact() {
        assert_eq!(milliwh("900719925474.099", 3), Ok(900_719_925_474_099));
        assert_eq!(milliwh("1000000000000.000", 3), Ok(1_000_000_000_000_000));
        assert_eq!(milliwh("1000000000000.001", 3), Err(DecimalFault::Bound));
        assert_eq!(milliwh(&"9".repeat(9_999), 3), Err(DecimalFault::Bound));
    }

    #[test]
    fn a_scaled_integer_is_exact_or_refused() {
        let milliwh = |value, exponent| energy_from_scaled(value, exponent).map(Energy::milliwh);
        assert_eq!(milliwh(12_345, -1), Ok(1_234_500));
        assert_eq!(milliwh(7, 3), Ok(7_000_000));
        assert_eq!(milliwh(7, -3), Ok(7));
        assert_eq!(milliwh(70, -4), Err(DecimalFault::Finer));
        assert_eq!(milliwh(0, i8::MAX), Ok(0));
        assert_eq!(milliwh(1, i8::MAX), Err(DecimalFault::Bound));
        assert_eq!(milliwh(1_000_000_000_000, 0), Ok(1_000_000_000_000_000));
        assert_eq!(milliwh(1_000_000_000_001, 0), Err(DecimalFault::Bound));
        assert_eq!(milliwh(u64::MAX, -3), Err(DecimalFault::Bound));
    }

    #[test]
    fn what_is_no_plain_decimal_is_malformed() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "1 ", "1.2.3", "٣", "NaN",
        ] {
            assert_eq!(milliwh(text, 3), Err(DecimalFault::Malformed), "{text:?}");
        }
    }
}
