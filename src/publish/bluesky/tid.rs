//! Tid: a moment and a clock number to a record key that sorts by time.
//!
//! 64 bits: 0, then 53 bits of microseconds since the Unix epoch, then 10 bits that tell clocks
//! apart, in 13 characters of sortable base 32 (atproto.com, "Record Key", seen 2026-08).
//! **Invariant:** every key fits the lexicon's pattern for `app.bsky.feed.post`.

/// The digits of sortable base 32, in order.
const DIGITS: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";

/// The key of the moment `micros` (microseconds since the Unix epoch) on the clock `clock`.
/// Bits beyond 53 and 10 are dropped.
pub fn tid(micros: u64, clock: u16) -> String {
    let bits = (micros & ((1 << 53) - 1)) << 10 | u64::from(clock & 0x3ff);
    (0..13).rev().map(|place| char::from(DIGITS[(bits >> (place * 5)) as usize & 31])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_specification() {
        let check = |micros, clock, expect| assert_eq!(tid(micros, clock), expect);
        check(0, 0, "2222222222222");
        check(1_700_000_000_000_000, 5, "3ke6kg3wk2227");
        check(1_735_689_600_000_000, 31, "3lenax2ss222z");
        check(1_735_689_600_000_000, 1023, "3lenax2ss22zz");
        check(1_738_160_702_787_639, 19, "3lgv6do363r2n");
        check(u64::MAX, u16::MAX, "bzzzzzzzzzzzz");
    }

    #[test]
    fn later_keys_sort_later() {
        let keys: Vec<_> = (0..100).map(|n| tid(1_770_000_000_000_000 + n * 1000, 7)).collect();
        assert!(keys.is_sorted());
    }
}
