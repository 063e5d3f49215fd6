//! Tokens: whatever the text, each reader's ranges are on characters, in order, and apart; and the
//! lengths agree with each other.
#![no_main]

use std::ops::Range;

use libfuzzer_sys::fuzz_target;
use posse_party::compose::count::{count, fits};
use posse_party::compose::tokens::mastodon::{self, Entity};
use posse_party::compose::tokens::{addresses, find, handles, part_urls, read};
use posse_party::platform::{Limits, Platform, Unit};

fuzz_target!(|text: &str| {
    apart(text, "find", find(text).into_iter().map(|token| token.range));
    apart(text, "addresses", addresses(text).into_iter());
    apart(text, "handles", handles::find(text).into_iter());
    for platform in Platform::ALL {
        apart(text, platform.tag(), read(text, platform).into_iter().map(|found| found.range));
    }
    let entities = mastodon::entities(text).into_iter().map(|entity| match entity {
        Entity::Url(range) => range,
        Entity::Mention(range, domain) => {
            assert!(range.start <= domain.start && domain.end <= range.end, "{text:?}");
            range
        }
    });
    apart(text, "mastodon", entities);

    for joiner in ['\u{2060}', '\u{200B}'] {
        let disarm = |text: &str| handles::disarm(text, joiner, |_| false);
        let (safe, _) = disarm(text);
        assert!(disarm(&safe) == (safe.clone(), Vec::new()), "{safe:?} still pings");
        let pings = |entity: &Entity| matches!(entity, Entity::Mention(..));
        assert!(!mastodon::entities(&safe).iter().any(pings), "{safe:?} pings on Mastodon");
    }
    let parted = part_urls(text, None);
    assert_eq!(part_urls(&parted, None), parted, "parting it again changes it");

    for platform in Platform::ALL {
        let limits = platform.limits();
        let length = count(text, limits.unit);
        let exact = u32::try_from(length).expect("the text is short");
        assert!(fits(text, &Limits::of(limits.unit, exact)), "{text:?} on {platform:?}");
        assert!(exact == 0 || !fits(text, &Limits::of(limits.unit, exact - 1)));
        let in_full = matches!(limits.unit, Unit::Graphemes | Unit::CodePoints | Unit::Bytes);
        assert!(!in_full || length <= text.len(), "{text:?} on {platform:?}");
    }
});

fn apart(text: &str, reader: &str, ranges: impl Iterator<Item = Range<usize>>) {
    let mut end = 0;
    for range in ranges {
        let found = text.get(range.clone());
        assert!(found.is_some_and(|token| !token.is_empty()), "{reader}: {range:?} of {text:?}");
        assert!(end <= range.start, "{reader}: {range:?} overlaps the one before in {text:?}");
        end = range.end;
    }
}
