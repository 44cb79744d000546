//! How orders at one price share what is not enough for all of them.

use std::cmp::Reverse;

use super::options::Ties;

/// The orders of one side at one price in one place, in the order of arrival.
pub(crate) struct Level<'a> {
    /// What each asked for, whole lots. [mWh]
    pub(crate) asked_milliwh: &'a [i64],
    /// Their numbers, for the draw.
    pub(crate) order_id: &'a [u64],
}

/// Shares `milliwh`, a whole number of lots and not more than was asked for in all.
pub(crate) fn share(level: &Level<'_>, milliwh: i128, lot_milliwh: i64, ties: Ties) -> Vec<i64> {
    match ties {
        Ties::Time => by_time(level, milliwh),
        Ties::ProRata { seed } => pro_rata(level, milliwh, lot_milliwh, seed),
    }
}

fn by_time(level: &Level<'_>, milliwh: i128) -> Vec<i64> {
    let mut left = milliwh;
    let mut fill = |&asked: &i64| {
        let filled = left.min(i128::from(asked));
        left -= filled;
        filled as i64
    };
    level.asked_milliwh.iter().map(&mut fill).collect()
}

/// Gives each its proportion floored to a lot, and one lot more to the largest remainders.
fn pro_rata(level: &Level<'_>, milliwh: i128, lot_milliwh: i64, seed: u64) -> Vec<i64> {
    let lot = i128::from(lot_milliwh);
    let lots = milliwh / lot;
    let asked: Vec<i128> = level
        .asked_milliwh
        .iter()
        .map(|&milliwh| i128::from(milliwh) / lot)
        .collect();
    let all: i128 = asked.iter().sum();
    if all == 0 {
        return vec![0; asked.len()];
    }
    // A level is shared only where its fill fits an energy, so both factors are below 2^50.
    let mut given: Vec<i128> = asked.iter().map(|own| lots * own / all).collect();
    let left = lots - given.iter().sum::<i128>();
    let mut places: Vec<usize> = (0..asked.len()).collect();
    places.sort_unstable_by_key(|&place| {
        let remainder = lots * asked[place] % all;
        let number = level.order_id[place];
        (Reverse(remainder), draw(seed, number), number)
    });
    for &place in places.iter().take(left as usize) {
        given[place] += 1;
    }
    given.into_iter().map(|own| (own * lot) as i64).collect()
}

/// Draws a number for an order: the finaliser of SplitMix64 over seed and order number.
///
/// # Source
/// G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators," OOPSLA
/// 2014, figure 17 with the constants of the published `splitmix64`.
fn draw(seed: u64, order_id: u64) -> u64 {
    mixed(mixed(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ order_id)
}

const fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
