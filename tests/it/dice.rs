//! Dice: numbers that look random, the same ones in every run.

/// Xorshift of Marsaglia (2003).
pub struct Dice(u64);

impl Dice {
    /// The numbers of `seed`, whatever that is.
    pub fn new(seed: u64) -> Self {
        // the finaliser of splitmix64: neighbours give other numbers, and none gives only zeros
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((z ^ (z >> 31)).max(1))
    }

    /// A number from 0 to `most` - 1.
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}
