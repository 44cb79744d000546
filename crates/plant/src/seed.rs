//! Fixed pseudo-random numbers from a seed: the small differences between devices of one make.

/// SplitMix64's step and finaliser.
fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// One number in -1..1 for a seed and a place, always the same.
pub fn spread(seed: u64, device: u64, item: u64) -> f64 {
    let bits = mixed(mixed(mixed(seed) ^ device) ^ item);
    (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn neighbours_are_unlike_and_the_mean_is_near_zero() {
        let all: Vec<f64> = (0..1000).map(|item| spread(1, 2, item)).collect();
        let mean = all.iter().sum::<f64>() / 1000.0;
        assert!(mean.abs() < 0.06, "{mean}");
        assert!(all.iter().all(|x| x.abs() <= 1.0));
        assert!((spread(1, 0, 0) - spread(2, 0, 0)).abs() > 1e-3);
        assert!((spread(1, 0, 0) - spread(1, 1, 0)).abs() > 1e-3);
    }
}
