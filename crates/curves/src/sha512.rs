//! SHA-512 (FIPS 180-4), of eight messages at a time where the machine has lanes.
//!
//! A block of eight messages takes about as long as a block of one, so a message may as well be in
//! a lane beside longer ones.

use sha2::{Digest, Sha512};

use crate::lanes::{self, Kernel, Step, Word};

/// A digest.
pub(crate) type Digest512 = [u8; 64];

/// A message, in parts that follow each other.
pub(crate) type Parts<'a> = [&'a [u8]; 3];

/// Fewer messages than these are hashed one after the other.
const MESSAGES_MIN: usize = 3;

const BLOCK_BYTES: usize = 128;

/// First 64 bits of the fractions of the square roots of the first eight primes (5.3.5).
const START: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The same of the cube roots of the first eighty (4.2.3).
const ROUND: [u64; 80] = [
    0x428a_2f98_d728_ae22,
    0x7137_4491_23ef_65cd,
    0xb5c0_fbcf_ec4d_3b2f,
    0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538,
    0x59f1_11f1_b605_d019,
    0x923f_82a4_af19_4f9b,
    0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242,
    0x1283_5b01_4570_6fbe,
    0x2431_85be_4ee4_b28c,
    0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f,
    0x80de_b1fe_3b16_96b1,
    0x9bdc_06a7_25c7_1235,
    0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2,
    0xefbe_4786_384f_25e3,
    0x0fc1_9dc6_8b8c_d5b5,
    0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275,
    0x4a74_84aa_6ea6_e483,
    0x5cb0_a9dc_bd41_fbd4,
    0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab,
    0xa831_c66d_2db4_3210,
    0xb003_27c8_98fb_213f,
    0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2,
    0xd5a7_9147_930a_a725,
    0x06ca_6351_e003_826f,
    0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc,
    0x2e1b_2138_5c26_c926,
    0x4d2c_6dfc_5ac4_2aed,
    0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de,
    0x766a_0abb_3c77_b2a8,
    0x81c2_c92e_47ed_aee6,
    0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364,
    0xa81a_664b_bc42_3001,
    0xc24b_8b70_d0f8_9791,
    0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218,
    0xd699_0624_5565_a910,
    0xf40e_3585_5771_202a,
    0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8,
    0x1e37_6c08_5141_ab53,
    0x2748_774c_df8e_eb99,
    0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63,
    0x4ed8_aa4a_e341_8acb,
    0x5b9c_ca4f_7763_e373,
    0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc,
    0x78a5_636f_4317_2f60,
    0x84c8_7814_a1f0_ab72,
    0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28,
    0xa450_6ceb_de82_bde9,
    0xbef9_a3f7_b2c6_7915,
    0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c,
    0xd186_b8c7_21c0_c207,
    0xeada_7dd6_cde0_eb1e,
    0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba,
    0x0a63_7dc5_a2c8_98a6,
    0x113f_9804_bef9_0dae,
    0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84,
    0x32ca_ab7b_40c7_2493,
    0x3c9e_be0a_15c9_bebc,
    0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6,
    0x597f_299c_fc65_7e2a,
    0x5fcb_6fab_3ad6_faec,
    0x6c44_198c_4a47_5817,
];

/// Hashes messages; one digest each, in their order.
pub(crate) fn sha512_all(messages: &[Parts<'_>]) -> Vec<Digest512> {
    if messages.len() < MESSAGES_MIN {
        return one_by_one(messages);
    }
    lanes::run(InLanes(messages)).unwrap_or_else(|InLanes(messages)| one_by_one(messages))
}

fn one_by_one(messages: &[Parts<'_>]) -> Vec<Digest512> {
    let hash = |parts: &Parts<'_>| {
        let hash = parts.iter().fold(Sha512::new(), Digest::chain_update);
        hash.finalize().into()
    };
    messages.iter().map(hash).collect()
}

/// Messages hashed in lanes.
struct InLanes<'a>(&'a [Parts<'a>]);

impl Kernel for InLanes<'_> {
    type Output = Vec<Digest512>;

    #[inline(always)]
    fn run<W: Word>(self) -> Vec<Digest512> {
        let mut digests = Vec::with_capacity(self.0.len());
        let mut padded: [Vec<u8>; 8] = Default::default();
        for group in self.0.chunks(8) {
            padded.iter_mut().for_each(Vec::clear);
            for (padded, parts) in padded.iter_mut().zip(group) {
                pad(parts, padded);
            }
            let state = hash_padded::<W>(&padded).map(W::to_array);
            digests.extend((0..group.len()).map(|lane| digest_of(&state, lane)));
        }
        digests
    }
}

/// Writes a message with the bit, the zeros and the length that follow it (5.1.2).
fn pad(parts: &Parts<'_>, padded: &mut Vec<u8>) {
    parts.iter().for_each(|part| padded.extend_from_slice(part));
    let bits = 8 * padded.len() as u128;
    padded.push(0x80);
    let blocks = (padded.len() + 16).div_ceil(BLOCK_BYTES);
    padded.resize(blocks * BLOCK_BYTES - 16, 0);
    padded.extend_from_slice(&bits.to_be_bytes());
}

/// Hashes what is padded, block by block, for as long as a lane has a block left.
#[inline(always)]
fn hash_padded<W: Word>(padded: &[Vec<u8>; 8]) -> [W; 8] {
    let mut state = [W::splat(0); 8];
    for (word, start) in state.iter_mut().zip(START) {
        *word = W::splat(start);
    }
    let blocks = padded.iter().map(|bytes| bytes.len() / BLOCK_BYTES).max();
    for block in 0..blocks.unwrap_or(0) {
        let mut words = [[0; 16]; 8];
        let mut live = [0; 8];
        for (lane, bytes) in padded.iter().enumerate() {
            if let Some(bytes) = bytes.chunks_exact(BLOCK_BYTES).nth(block) {
                words[lane] = big_endian(bytes);
                live[lane] = u64::MAX;
            }
        }
        state = W::step(Compression { state, words, live });
    }
    state
}

fn big_endian(block: &[u8]) -> [u64; 16] {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(8)) {
        *word = bytes
            .iter()
            .fold(0, |word, &byte| word << 8 | u64::from(byte));
    }
    words
}

fn digest_of(state: &[[u64; 8]; 8], lane: usize) -> Digest512 {
    let mut digest = [0; 64];
    for (bytes, word) in digest.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&word[lane].to_be_bytes());
    }
    digest
}

/// A block taken into the state of each live lane (6.4.2).
struct Compression<W> {
    state: [W; 8],
    words: [[u64; 16]; 8],
    /// All ones, or zeros for a lane whose message has ended.
    live: [u64; 8],
}

/// Does something for each of sixteen places, which are constants: a loop might stay one, and keep
/// its words in memory.
macro_rules! sixteen {
    ($round:ident) => {
        sixteen!($round: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($round:ident: $($at:literal)*) => {
        $($round!($at);)*
    };
}

impl<W: Word> Step for Compression<W> {
    type Output = [W; 8];

    #[inline(always)]
    fn take(self) -> [W; 8] {
        let mut schedule: [W; 16] = W::from_rows(self.words.each_ref());
        let mut state = self.state;
        let mut first = 0;
        // State word i stands at place i - round modulo 8, so that none has to be moved.
        macro_rules! round {
            ($at:literal) => {
                let place = |word: usize| (8 + word - $at % 8) % 8;
                let [a, b, c] = [state[place(0)], state[place(1)], state[place(2)]];
                let [e, f, g] = [state[place(4)], state[place(5)], state[place(6)]];
                let added = W::splat(ROUND[first + $at]).add(schedule[$at]);
                let one = state[place(7)].add(added).add(g.select(f, e)).add(
                    e.rotate_right::<14>()
                        .xor_both(e.rotate_right::<18>(), e.rotate_right::<41>()),
                );
                let other = a.majority(b, c).add(
                    a.rotate_right::<28>()
                        .xor_both(a.rotate_right::<34>(), a.rotate_right::<39>()),
                );
                state[place(3)] = state[place(3)].add(one);
                state[place(7)] = one.add(other);
            };
        }
        macro_rules! extend {
            ($at:literal) => {
                let (late, early) = (schedule[($at + 14) % 16], schedule[($at + 1) % 16]);
                schedule[$at] = schedule[$at]
                    .add(schedule[($at + 9) % 16])
                    .add(
                        late.rotate_right::<19>()
                            .xor_both(late.rotate_right::<61>(), late.shift_right::<6>()),
                    )
                    .add(
                        early
                            .rotate_right::<1>()
                            .xor_both(early.rotate_right::<8>(), early.shift_right::<7>()),
                    );
            };
        }
        sixteen!(round);
        while first < 64 {
            first += 16;
            sixteen!(extend);
            sixteen!(round);
        }
        let live = W::from_array(self.live);
        for (word, before) in state.iter_mut().zip(self.state) {
            *word = before.select(before.add(*word), live);
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Portable;

    /// Messages of every length around the ends of blocks, of different lengths side by side.
    #[test]
    fn lanes_hash_as_the_crate_does() {
        let bytes: Vec<u8> = (0..1024_u32).map(|at| ((at * 167) >> 3) as u8).collect();
        let lengths = (0..300).chain([383, 1024, 0, 5, 111, 112, 127, 128, 239, 240]);
        let messages: Vec<Parts<'_>> = lengths
            .enumerate()
            .map(|(at, length)| {
                let message = &bytes[..length];
                let (head, tail) = message.split_at(at % (length + 1));
                [head, &[], tail]
            })
            .collect();
        let expected = one_by_one(&messages);
        for count in [0, 1, 7, 8, 9, messages.len()] {
            let some = &messages[..count];
            assert_eq!(InLanes(some).run::<Portable>(), expected[..count]);
            assert_eq!(sha512_all(some), expected[..count]);
        }
    }
}
