//! What must hold for every cut: arbitrary Unicode, tails and limits, on every platform.

use proptest::prelude::*;

use super::*;
use crate::compose::properties::text;
use crate::compose::tokens::shorten;
use crate::platform::Platform;

fn limits() -> impl Strategy<Value = (Platform, Limits)> {
    let platform = prop::sample::select(&Platform::ALL);
    (platform, 1..120_u32, prop::option::weighted(0.3, 1..400_u32)).prop_map(
        |(platform, max, max_bytes)| (platform, Limits { max, max_bytes, ..platform.limits() }),
    )
}

fn tail() -> impl Strategy<Value = String> {
    prop::sample::select(&["", " https://a.io/1", "\n\nhttps://b.io", " #x"]).prop_map_into()
}

fn check_kept(whole: &str, kept: &str, platform: Platform) -> Result<(), TestCaseError> {
    prop_assert!(whole.starts_with(kept) && !kept.is_empty(), "{kept:?} of {whole:?}");
    let end = kept.len();
    let on_grapheme = end == whole.len() || whole.grapheme_indices(true).any(|(at, _)| at == end);
    prop_assert!(on_grapheme, "{end} is inside a grapheme of {whole:?}");
    let broken = tokens::read(whole, platform)
        .into_iter()
        .find(|found| found.range.start < end && end < found.range.end);
    prop_assert!(broken.is_none(), "{end} is inside {broken:?} of {whole:?}");
    Ok(())
}

/// The last end that fits when all are tried, and whether a shorter one would not have.
fn tried(cuts: &Cuts<'_>, ends: &[usize]) -> (Option<usize>, bool) {
    let fits =
        |end: &usize| cuts.ending_at(*end).is_none_or(|(_, text)| count::fits(&text, cuts.limits));
    let last = ends.iter().rposition(fits);
    (last, last.is_some_and(|last| ends[..last].iter().any(|end| !fits(end))))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_fits_and_breaks_nothing(
        whole in text(), tail in tail(), (platform, limits) in limits(),
    ) {
        let full = format!("{whole}{tail}");
        let Some(short) = shorten(&whole, &tail, &limits) else {
            prop_assert!(!count::fits(&full, &limits));
            return Ok(());
        };
        prop_assert!(count::fits(&short, &limits), "{short:?}");
        prop_assert_eq!(shorten(&short, "", &limits), Some(short.clone()), "twice");
        if count::fits(&full, &limits) {
            prop_assert_eq!(short, full, "what fits is not changed");
            return Ok(());
        }
        let head = short.strip_suffix(&tail).and_then(|head| head.strip_suffix(MARKER));
        let head = head.ok_or_else(|| TestCaseError::fail("no marker or no tail"))?;
        // where a URL stands before the marker, the space between them is ours
        let without = head.strip_suffix(' ').map(|kept| check_kept(&whole, kept, platform));
        without.filter(Result::is_ok).unwrap_or_else(|| check_kept(&whole, head, platform))?;
    }

    #[test]
    fn facets_cover_what_they_covered(whole in text(), tail in text(), max in 1..80_u32) {
        let head = shorten::shorten(&whole, &["bob"]);
        let tail = Piece::plain(" ").join(&shorten::shorten(&tail, &[]));
        for piece in [Some(head.clone()), cut(&head, &tail, &Limits::of(crate::platform::Unit::Graphemes, max))] {
            let Some(piece) = piece else { continue };
            let mut end = 0;
            let whole = head.clone().join(&tail);
            let mut sources = whole.facets.iter();
            for facet in &piece.facets {
                prop_assert!(end <= facet.byte_start && facet.byte_start < facet.byte_end);
                end = facet.byte_end;
                let shown = piece.text.get(facet.byte_start..facet.byte_end);
                let source = sources.find(|source| {
                    source.feature == facet.feature
                        && Some(&whole.text[source.byte_start..source.byte_end]) == shown
                });
                prop_assert!(source.is_some(), "{facet:?} of {:?}", piece.text);
            }
        }
    }

    #[test]
    fn nothing_that_would_fit_is_lost(whole in text(), tail in tail(), (_, limits) in limits()) {
        let tokens = tokens::find(&whole);
        let cuts = Cuts { text: &whole, tail: &tail, tokens: &tokens, limits: &limits };
        let ends = cuts.candidates();
        let found = cuts.last_that_fits(&ends);
        let (last, uneven) = tried(&cuts, &ends);
        prop_assert!(found == last || uneven, "{found:?} is not {last:?}");
        if let Some(found) = found {
            let text = cuts.ending_at(ends[found]);
            prop_assert!(text.is_none_or(|(_, text)| count::fits(&text, &limits)));
        }
    }

    #[test]
    fn what_is_seen_is_enough(piece in text(), times in 1..2000_usize, (_, limits) in limits()) {
        let whole = piece.repeat(times);
        let seen = seen_len(&whole, &limits);
        prop_assert!(whole.is_char_boundary(seen));
        prop_assert!(seen == whole.len() || !count::fits(&whole[..seen], &limits));
    }

    #[test]
    fn what_is_read_lies_within_what_is_found(text in text()) {
        let tokens = tokens::find(&text);
        for platform in Platform::ALL {
            let mut end = 0;
            for found in tokens::read(&text, platform) {
                prop_assert!(end <= found.range.start && found.range.start < found.range.end);
                prop_assert!(text.get(found.range.clone()).is_some() && !found.value.is_empty());
                end = found.range.end;
                let holds = |t: &Token| t.range.start <= found.range.start && end <= t.range.end;
                prop_assert!(tokens.iter().any(holds), "{platform:?} {found:?} in {text:?}");
            }
        }
    }

    #[test]
    fn graphemes_are_those_of_the_library(text in text()) {
        let expect: Vec<usize> =
            text.grapheme_indices(true).map(|(at, grapheme)| at + grapheme.len()).collect();
        prop_assert_eq!(count::graphemes::ends(&text).collect::<Vec<_>>(), &expect[..]);
        prop_assert_eq!(count::graphemes::count(&text), expect.len());
    }

    #[test]
    fn counts_hold_together(text in text(), warning in text()) {
        for platform in Platform::ALL {
            let unit = platform.limits().unit;
            let count = count::count(&text, unit);
            prop_assert!(count <= 2 * text.len().max(12 * text.chars().count()));
            prop_assert!(count::whole(&text, Some(&warning), unit) >= count);
            let limits = Limits { unit, max: 100, max_bytes: Some(300) };
            let fits = count::excess_with(&text, Some(&warning), &limits).is_none();
            let left = count::beside(Some(&warning), &limits);
            prop_assert!(fits == count::fits(&text, &left) || text.is_empty());
        }
    }
}
