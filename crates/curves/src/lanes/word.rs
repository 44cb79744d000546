//! The word of eight lanes, and the one every machine has.

/// Eight words of 64 bits, worked on lane by lane; sums wrap.
pub(crate) trait Word: Copy {
    /// Puts a value into every lane.
    fn splat(value: u64) -> Self;
    /// Puts a value into each lane.
    fn from_array(values: [u64; 8]) -> Self;
    /// Returns the lanes.
    fn to_array(self) -> [u64; 8];
    /// Returns the sums.
    fn add(self, other: Self) -> Self;
    /// Returns the differences.
    fn sub(self, other: Self) -> Self;
    /// Returns the bits set in both.
    fn and(self, other: Self) -> Self;
    /// Returns the bits set in either.
    fn or(self, other: Self) -> Self;
    /// Returns the bits set in one of them.
    fn xor(self, other: Self) -> Self;
    /// Shifts up.
    fn shift_left<const BITS: u32>(self) -> Self;
    /// Shifts down.
    fn shift_right<const BITS: u32>(self) -> Self;
    /// Shifts down, keeping the sign.
    fn shift_right_signed<const BITS: u32>(self) -> Self;
    /// Turns down: what falls out below comes in above.
    fn rotate_right<const BITS: i32>(self) -> Self;
    /// Adds the low 52 bits of the product of the low 52 bits of two words.
    fn madd52lo(self, a: Self, b: Self) -> Self;
    /// Adds the high 52 bits of the product of the low 52 bits of two words.
    fn madd52hi(self, a: Self, b: Self) -> Self;

    /// Does a step with the instructions of the word, as a call of its own.
    fn step<S: Step>(step: S) -> S::Output;

    /// Does a part of a step: in place, unless the word is so long in code that the compiler would
    /// be kept busy.
    fn piece<S: Step>(step: S) -> S::Output;

    /// Takes the bits of `other` where a mask has ones.
    #[inline(always)]
    fn select(self, other: Self, mask: Self) -> Self {
        self.xor(self.xor(other).and(mask))
    }

    /// Returns the bits set in an odd number of three.
    #[inline(always)]
    fn xor_both(self, one: Self, other: Self) -> Self {
        self.xor(one).xor(other)
    }

    /// Returns the bits set in at least two of three.
    #[inline(always)]
    fn majority(self, one: Self, other: Self) -> Self {
        self.and(one).or(other.and(self.or(one)))
    }

    /// Lays eight rows side by side: lane i of word j is word j of row i.
    #[inline(always)]
    fn from_rows<const N: usize>(rows: [&[u64; N]; 8]) -> [Self; N] {
        let mut words = [Self::splat(0); N];
        for at in 0..N {
            let [a, b, c, d, e, f, g, h] = rows;
            words[at] = Self::from_array([a[at], b[at], c[at], d[at], e[at], f[at], g[at], h[at]]);
        }
        words
    }
}

/// A piece of work on values made of words, long enough to be worth a call. Code around it need not
/// be inlined, which would keep the compiler busy.
pub(crate) trait Step {
    /// What it computes.
    type Output;

    /// Does the work; `#[inline(always)]`, as is all it calls.
    fn take(self) -> Self::Output;
}

/// The word every machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Portable([u64; 8]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, mut each: impl FnMut(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|lane| {
            each(self.0[lane], other.0[lane])
        }))
    }
}

/// Multiplies the low 52 bits of two words.
#[inline(always)]
fn product(a: u64, b: u64) -> u128 {
    const MASK: u64 = (1 << 52) - 1;
    u128::from(a & MASK).wrapping_mul(u128::from(b & MASK))
}

impl Word for Portable {
    #[inline(never)]
    fn step<S: Step>(step: S) -> S::Output {
        step.take()
    }

    #[inline(always)]
    fn piece<S: Step>(step: S) -> S::Output {
        Self::step(step)
    }

    #[inline(always)]
    fn splat(value: u64) -> Self {
        Self([value; 8])
    }

    #[inline(always)]
    fn from_array(values: [u64; 8]) -> Self {
        Self(values)
    }

    #[inline(always)]
    fn to_array(self) -> [u64; 8] {
        self.0
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, u64::wrapping_add)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, u64::wrapping_sub)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.zip(other, |a, b| a ^ b)
    }

    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        Self(self.0.map(|lane| lane << BITS))
    }

    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        Self(self.0.map(|lane| lane >> BITS))
    }

    #[inline(always)]
    fn shift_right_signed<const BITS: u32>(self) -> Self {
        Self(self.0.map(|lane| (lane as i64 >> BITS) as u64))
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self) -> Self {
        Self(self.0.map(|lane| lane.rotate_right(BITS.unsigned_abs())))
    }

    #[inline(always)]
    fn madd52lo(self, a: Self, b: Self) -> Self {
        let low = a.zip(b, |a, b| product(a, b) as u64 & ((1 << 52) - 1));
        self.add(low)
    }

    #[inline(always)]
    fn madd52hi(self, a: Self, b: Self) -> Self {
        let high = a.zip(b, |a, b| (product(a, b) >> 52) as u64);
        self.add(high)
    }
}
