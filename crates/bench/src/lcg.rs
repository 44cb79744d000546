//! The generator of pseudo-random numbers that the workloads are defined by.

/// Knuth's 64-bit linear congruential generator, of which a draw gives the upper 31 bits.
///
/// # Source
/// D. E. Knuth, "MMIX", <http://mmix.cs.hm.edu>; multiplier and increment as used there.
pub(crate) struct Lcg(u64);

impl Lcg {
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn draw(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Draws a number from 0 to `below` - 1.
    pub(crate) const fn draw_below(&mut self, below: u64) -> u64 {
        self.draw() % below
    }

    /// Draws a number from 0 to `below` - 1, as a price or a quantity.
    pub(crate) const fn draw_step(&mut self, below: u64) -> i64 {
        self.draw_below(below) as i64
    }
}
