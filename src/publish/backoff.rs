//! Backoff: how long to wait before the next try. One pure function.

use std::time::Duration;

/// The wait after the `tries`-th failure in a row (1 = the first): `base`, doubled with each, at
/// most `max`, and then up to a fifth less, as `jitter` (0 to 1) says, so that accounts that failed
/// together don't come back together.
pub fn wait(tries: u32, base: Duration, max: Duration, jitter: f64) -> Duration {
    let doublings = tries.saturating_sub(1).min(32);
    let full = base.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(max);
    full.mul_f64(1.0 - 0.2 * jitter.clamp(0.0, 1.0))
}

/// A number from 0 to 1 that depends on nothing but `seed` and `tries`: the same on every run.
pub fn jitter(seed: i64, tries: u32) -> f64 {
    // splitmix64, Steele, Lea and Flood 2014
    let mut z =
        seed.cast_unsigned().wrapping_add(u64::from(tries).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let top = u32::try_from((z ^ (z >> 31)) >> 32).expect("32 bits are left");
    f64::from(top) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let (base, max) = (Duration::from_secs(15), Duration::from_secs(6 * 3600));
        let minutes: Vec<f64> =
            (1..=12).map(|tries| wait(tries, base, max, 0.0).as_secs_f64() / 60.0).collect();
        assert_eq!(minutes, [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 360.0]);
    }

    #[test]
    fn jitter_takes_away_a_fifth_at_most() {
        let (base, max) = (Duration::from_secs(100), Duration::from_secs(1000));
        assert_eq!(wait(1, base, max, 1.0), Duration::from_secs(80));
        for tries in 0..200 {
            let jitter = jitter(17, tries);
            assert!((0.0..=1.0).contains(&jitter));
            assert!(wait(tries, base, max, jitter) <= max);
        }
        assert_ne!(jitter(1, 1), jitter(2, 1));
        assert_ne!(jitter(1, 1), jitter(1, 2));
    }
}
