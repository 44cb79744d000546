//! How orders at one price share what is not enough for all of them, pro rata.

use std::cmp::Reverse;

use super::columns::OrderColumns;

/// Shares anew, pro rata, what the orders of one side at one price in one place were filled with.
///
/// Each gets its proportion floored to a lot, and the largest remainders get one lot more; equal
/// remainders are drawn from the seed and the order's number.
pub(crate) fn share_pro_rata(
    orders: &OrderColumns<'_>,
    rows: &[usize],
    lot_milliwh: i64,
    seed: u64,
    filled_milliwh: &mut [i64],
) {
    let lots = |milliwh: i64| i128::from(milliwh / lot_milliwh);
    let shared: i128 = rows.iter().map(|&row| lots(filled_milliwh[row])).sum();
    let asked: i128 = rows
        .iter()
        .map(|&row| lots(orders.energy_milliwh[row]))
        .sum();
    let mut left = shared;
    let mut claims = Vec::with_capacity(rows.len());
    for &row in rows {
        // Both factors fit an i64, and `asked` is not 0: every order is for at least a lot.
        let exact = shared * lots(orders.energy_milliwh[row]);
        let whole = exact / asked;
        filled_milliwh[row] = whole as i64 * lot_milliwh;
        left -= whole;
        let number = orders.order_id[row];
        claims.push((Reverse(exact % asked), draw(seed, number), number, row));
    }
    claims.sort_unstable();
    for &(_, _, _, row) in claims.iter().take(left as usize) {
        filled_milliwh[row] += lot_milliwh;
    }
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
