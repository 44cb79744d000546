//! Money parted to the last unit, against exact fractions; shares that move in time.

use std::collections::BTreeMap;

use gridrig_settlement::shares::{ShareError, ShareRegister, Waterfall, largest_remainder};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn prop_parts_sum_to_the_total_and_stay_within_a_unit_of_exact(
        total in any::<i64>(),
        weights in proptest::collection::vec(0..1_u64 << 40, 1..40),
    ) {
        prop_assume!(weights.iter().any(|&weight| weight > 0));
        let parts = largest_remainder(total, &weights).unwrap();
        let sum: u128 = weights.iter().map(|&w| u128::from(w)).sum();
        prop_assert_eq!(parts.iter().map(|&p| i128::from(p)).sum::<i128>(), i128::from(total));
        let mut last_served = None;
        for (&part, &weight) in parts.iter().zip(&weights) {
            let exact = u128::from(total.unsigned_abs()) * u128::from(weight);
            let (floor, remainder) = (exact / sum, exact % sum);
            let extra = u128::from(part.unsigned_abs()) - floor;
            prop_assert!(extra <= 1);
            prop_assert!(part == 0 || part.signum() == total.signum());
            if extra == 1 {
                prop_assert!(remainder > 0);
                let least = last_served.map_or(remainder, |least: u128| least.min(remainder));
                last_served = Some(least);
            }
        }
        // Nobody with a larger remainder than one who got a unit went without.
        if let Some(least) = last_served {
            for (&part, &weight) in parts.iter().zip(&weights) {
                let exact = u128::from(total.unsigned_abs()) * u128::from(weight);
                if exact % sum > least {
                    prop_assert_eq!(u128::from(part.unsigned_abs()), exact / sum + 1);
                }
            }
        }
    }
}

#[test]
fn equal_remainders_are_served_in_order() {
    assert_eq!(largest_remainder(5, &[1, 1, 1, 1]), Ok(vec![2, 1, 1, 1]));
    assert_eq!(
        largest_remainder(-5, &[1, 1, 1, 1]),
        Ok(vec![-2, -1, -1, -1])
    );
    assert_eq!(largest_remainder(7, &[0, 1, 0]), Ok(vec![0, 7, 0]));
    assert_eq!(largest_remainder(i64::MIN, &[1]), Ok(vec![i64::MIN]));
    assert_eq!(largest_remainder(0, &[0, 0]), Ok(vec![0, 0]));
}

#[test]
fn each_rule_of_shares_is_refused_by_its_own_code() {
    let founders = |of: &[(&str, u64)]| {
        ShareRegister::new(of.iter().map(|&(who, n)| (who.to_owned(), n)).collect())
    };
    let mut held = founders(&[("a", 3), ("b", 4)]).unwrap();
    held.transfer(10, "a", "b", 1).unwrap();
    let found = [
        largest_remainder(1, &[0]).unwrap_err(),
        largest_remainder(1, &[1 << 62, 1 << 62]).unwrap_err(),
        founders(&[("a", 1), ("a", 1)]).unwrap_err(),
        founders(&[("", 1)]).unwrap_err(),
        founders(&[]).unwrap_err(),
        founders(&[("a", 100_000_001)]).unwrap_err(),
        held.transfer(10, "a", "b", 0).unwrap_err(),
        held.transfer(10, "a", "a", 1).unwrap_err(),
        held.transfer(9, "a", "b", 1).unwrap_err(),
        held.transfer(10, "a", "b", 3).unwrap_err(),
        held.weights(5, 5).unwrap_err(),
        Waterfall::carrying(-1).unwrap_err(),
    ]
    .map(|error: ShareError| error.code());
    let expected = [
        "settlement.share_nobody",
        "settlement.share_weight",
        "settlement.share_holder",
        "settlement.share_holder",
        "settlement.share_count",
        "settlement.share_count",
        "settlement.share_transfer_empty",
        "settlement.share_transfer_empty",
        "settlement.share_transfer_behind",
        "settlement.share_short",
        "settlement.share_span",
        "settlement.share_loss",
    ];
    assert_eq!(found, expected);
}

/// Seven holders with odd shares, twelve months, one of them lossy, a sale in the midst of the
/// fourth: what is paid is what is earned, to the unit.
#[test]
fn a_year_of_a_community_plant_closes() {
    let holders = ["ann", "ben", "cho", "dan", "eva", "fay", "gus"];
    let odd = [101, 53, 17, 7, 3, 1, 31];
    let founders = holders.iter().map(|who| who.to_string()).zip(odd).collect();
    let mut shares = ShareRegister::new(founders).unwrap();
    let month = 30 * 86_400_000;
    shares
        .transfer(3 * month + month / 2, "gus", "eva", 31)
        .unwrap();
    let mut waterfall = Waterfall::default();
    let (mut earned, mut paid) = (0, 0);
    let mut of_gus = BTreeMap::new();
    for n in 0..12_i64 {
        let revenue = if n == 6 { -777_777 } else { 1_000_003 + n };
        let out = waterfall
            .distribute(revenue, &shares, n * month, (n + 1) * month)
            .unwrap();
        assert!(out.payouts.iter().all(|(_, micro)| *micro >= 0));
        let sum: i64 = out.payouts.iter().map(|(_, micro)| micro).sum();
        earned += revenue;
        paid += sum;
        assert_eq!(earned - paid, -out.losses_micro);
        assert_eq!(sum + out.made_good_micro, revenue.max(0));
        of_gus.insert(
            n,
            out.payouts.iter().find(|(who, _)| who == "gus").unwrap().1,
        );
    }
    assert_eq!(earned, paid);
    // Of 213 shares 31: the fourth month to a half, then nothing.
    assert_eq!(of_gus[&0], 145_540);
    assert_eq!(of_gus[&3], 72_770);
    assert_eq!(of_gus[&4], 0);
    assert_eq!(of_gus[&6], 0);
}
