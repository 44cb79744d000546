//! Whether the lanes of a machine compute what the portable word does.

use super::Kernel;
use super::word::{Portable, Word};

/// Compares every operation of a word with the portable one's.
pub(super) struct Operations;

/// Words at the edges of what products and shifts look at; seeded ones follow them.
const EDGES: [u64; 8] = [
    0,
    1,
    (1 << 51) - 1,
    1 << 51,
    (1 << 52) - 1,
    1 << 52,
    1 << 63,
    u64::MAX,
];
const ROUNDS: u64 = 64;

impl Kernel for Operations {
    type Output = bool;

    #[inline(always)]
    fn run<W: Word>(self) -> bool {
        (0..ROUNDS).all(|round| {
            let inputs = [inputs(round), inputs(round + 3), inputs(round + 5)];
            results::<W>(inputs) == results::<Portable>(inputs)
        })
    }
}

/// Returns eight lanes: the edges turned by a round, then words of SplitMix64.
fn inputs(round: u64) -> [u64; 8] {
    std::array::from_fn(|lane| {
        let at = round.wrapping_mul(5).wrapping_add(lane as u64);
        if round < 16 {
            return EDGES[(at % 8) as usize];
        }
        let mixed = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    })
}

#[inline(always)]
fn results<W: Word>(inputs: [[u64; 8]; 3]) -> [[u64; 8]; 25] {
    let [a, b, c] = inputs.map(W::from_array);
    // Eight rows of five words, each of them another.
    let mut rows = [[0; 5]; 8];
    for (at, row) in rows.iter_mut().enumerate() {
        for (place, word) in row.iter_mut().enumerate() {
            *word = inputs[place % 3][(at + place) % 8].rotate_left(8 * at as u32);
        }
    }
    let [first, second, third, fourth, fifth] = W::from_rows(rows.each_ref());
    [
        W::splat(inputs[0][0]),
        a,
        a.add(b),
        a.sub(b),
        a.and(b),
        a.or(b),
        a.xor(b),
        a.select(b, c),
        a.xor_both(b, c),
        a.majority(b, c),
        a.rotate_right::<1>(),
        a.rotate_right::<41>(),
        a.shift_left::<1>(),
        a.shift_left::<13>(),
        a.shift_right::<51>(),
        a.shift_right::<52>(),
        a.shift_right_signed::<51>(),
        a.shift_right_signed::<52>(),
        a.madd52lo(b, c),
        a.madd52hi(b, c),
        first,
        second,
        third,
        fourth,
        fifth,
    ]
    .map(W::to_array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_52_bits_are_split_at_bit_52() {
        let [a, b, c] = [(1 << 52) - 1, (1 << 52) - 1, 5].map(Portable::splat);
        // (2^52 - 1)^2 = (2^52 - 2) 2^52 + 1.
        assert_eq!(c.madd52lo(a, b).to_array(), [6; 8]);
        assert_eq!(c.madd52hi(a, b).to_array(), [(1 << 52) + 3; 8]);
        // Bit 52 is not looked at.
        let above = Portable::splat(1 << 52 | 3);
        assert_eq!(c.madd52lo(above, above).to_array(), [14; 8]);
    }
}
