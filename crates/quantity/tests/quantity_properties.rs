//! Laws of the quantities: bounds are kept, rounding is exact, symmetric and at most half a unit.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

use gridrig_quantity::{
    Amount, ENERGY_MILLIWH_MAX, Energy, PRICE_MICRO_PER_KWH_MAX, Price, QuantityError, Side,
    divide_half_up_by_magnitude,
};
use proptest::prelude::*;

fn energy(milliwh: i64) -> Energy {
    Energy::from_milliwh(milliwh).unwrap()
}

fn price(micro: i64) -> Price {
    Price::from_micro_per_kwh(micro).unwrap()
}

#[test]
fn a_kilowatt_hour_at_thirty_cents_costs_thirty_cents() {
    assert_eq!(
        Amount::of(energy(1_000_000), price(300_000)).micro(),
        300_000
    );
}

#[test]
fn halves_round_away_from_zero_on_both_sides() {
    assert_eq!(Amount::of(energy(1), price(500_000)).micro(), 1);
    assert_eq!(Amount::of(energy(-1), price(500_000)).micro(), -1);
    assert_eq!(Amount::of(energy(1), price(-500_000)).micro(), -1);
    assert_eq!(Amount::of(energy(1), price(499_999)).micro(), 0);
}

#[test]
fn a_full_lot_at_a_full_tick_is_exact() {
    assert_eq!(Amount::of(energy(1_000), price(1_000)).micro(), 1);
}

#[test]
fn the_bounds_themselves_fit_and_one_more_does_not() {
    let (e, p) = (energy(ENERGY_MILLIWH_MAX), price(PRICE_MICRO_PER_KWH_MAX));
    assert_eq!(Amount::of(e, p).micro(), 1_000_000_000_000_000_000);
    assert_eq!(
        Energy::from_milliwh(ENERGY_MILLIWH_MAX + 1),
        Err(QuantityError::EnergyBound {
            found: 1_000_000_000_000_001
        })
    );
    assert_eq!(
        Price::from_micro_per_kwh(-PRICE_MICRO_PER_KWH_MAX - 1),
        Err(QuantityError::PriceBound {
            found: -1_000_000_001
        })
    );
    assert_eq!(
        e.plus(energy(1)).unwrap_err().code(),
        "quantity.energy_bound"
    );
    assert_eq!(
        p.minus(price(-1)).unwrap_err().code(),
        "quantity.price_bound"
    );
    let huge = Amount::from_micro(i64::MAX);
    assert_eq!(
        Amount::sum([huge, huge]).unwrap_err().code(),
        "quantity.amount_bound"
    );
}

#[test]
fn a_sum_may_pass_the_bound_on_its_way_if_it_ends_within() {
    let most = energy(ENERGY_MILLIWH_MAX);
    let least = energy(-ENERGY_MILLIWH_MAX);
    assert_eq!(Energy::sum([most, most, least]), Ok(most));
}

#[test]
fn a_side_reads_back_its_own_word() {
    for side in [Side::Bid, Side::Offer] {
        assert_eq!(Side::from_word(side.word()), Some(side));
        assert_eq!(side.opposite().opposite(), side);
    }
    assert_eq!(Side::from_word("buy"), None);
}

proptest! {
    #[test]
    fn prop_rounding_is_off_by_at_most_half_and_has_no_favourite_sign(
        dividend in any::<i64>().prop_map(i128::from), divisor in 1i128..=2_000_000,
    ) {
        let rounded = divide_half_up_by_magnitude(dividend, divisor);
        prop_assert!(2 * (rounded * divisor - dividend).abs() <= divisor);
        prop_assert_eq!(divide_half_up_by_magnitude(-dividend, divisor), -rounded);
        if 2 * (rounded * divisor - dividend).abs() == divisor {
            prop_assert!(rounded.abs() * divisor > dividend.abs());
        }
    }

    #[test]
    fn prop_an_amount_is_the_rounded_product(
        milliwh in -ENERGY_MILLIWH_MAX..=ENERGY_MILLIWH_MAX,
        micro in -PRICE_MICRO_PER_KWH_MAX..=PRICE_MICRO_PER_KWH_MAX,
    ) {
        let amount = Amount::of(energy(milliwh), price(micro));
        let exact = i128::from(milliwh) * i128::from(micro);
        prop_assert!(2 * (i128::from(amount.micro()) * 1_000_000 - exact).abs() <= 1_000_000);
        prop_assert_eq!(Amount::of(energy(-milliwh), price(micro)).micro(), -amount.micro());
        prop_assert_eq!(i128::from(amount.magnitude().micro()), i128::from(amount.micro()).abs());
    }
}
