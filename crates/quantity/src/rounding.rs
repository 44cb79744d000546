//! The one rounding of the project, by name.

/// Divides and rounds half up by magnitude: 0.5 becomes 1, -0.5 becomes -1.
///
/// The rule has no favourite: swapping debit and credit changes the sign and nothing else.
///
/// # Panics
/// If `divisor` is not positive, which is an error in the code that calls.
///
/// ```
/// use gridrig_quantity::divide_half_up_by_magnitude;
/// assert_eq!(divide_half_up_by_magnitude(5, 10), 1);
/// assert_eq!(divide_half_up_by_magnitude(-5, 10), -1);
/// assert_eq!(divide_half_up_by_magnitude(4, 10), 0);
/// ```
pub fn divide_half_up_by_magnitude(dividend: i128, divisor: i128) -> i128 {
    assert!(divisor > 0, "a divisor is positive");
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    // rest >= divisor - rest asks "at least half" without doubling, so that nothing can overflow.
    if rest.abs() >= divisor - rest.abs() {
        quotient + dividend.signum()
    } else {
        quotient
    }
}
