//! What must hold for every entry: arbitrary Unicode, URLs, templates of text, spacers and limits.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::*;
use crate::draft::Feature;
use crate::entry::Markup;
use crate::platform::{Links, Mentions, Unit};

/// Pieces that break naive code, joined at random.
pub(super) fn text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        " ",
        " ",
        " ",
        "\n",
        "\n\n",
        "\t",
        "\u{A0}",
        "\u{3000}",
        "a",
        "word",
        "don't",
        "well-known",
        "é",
        "e\u{301}",
        "\u{301}",
        "\u{200D}",
        "\u{FE0F}",
        "\u{2060}",
        "\u{200B}",
        "\u{202E}",
        "\u{0}",
        "\u{FEFF}",
        "👨‍👩‍👧‍👦",
        "🇫🇷",
        "🇫",
        "日本語",
        "。",
        "नमस्ते",
        "\u{600}",
        "각",
        "ᄀ",
        "\r\n",
        "@bob",
        "@bob@social.example",
        "@",
        ".@x",
        "#tag",
        "#a,b.",
        "＃語",
        "#",
        "https://example.com/a",
        "https://a.io",
        "https://",
        "http://localhost:1/x",
        "https://日本.jp/語?q=é&b=(c)",
        "example.com/post",
        "file.rs",
        "(",
        ")",
        "“",
        "”",
        "…",
        "—",
        ",",
        ".",
        "!",
        "/",
        "=",
        "$x",
        "$AAPL",
        "RT@bob",
        "a@b.com",
        "@bob.bsky.social",
        "https://t.co/abc",
        "https://example.com/a/long/path/with/many/parts",
        "日本example.com語",
        "http://foo.music/x",
        "<b>",
        "{x}[y]_z~",
        "👍🏽",
        "1️⃣",
        "☺️",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "©",
    ];
    let piece = prop_oneof![
        6 => prop::sample::select(PIECES).prop_map(str::to_owned),
        2 => "\\PC{1,8}",
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn url() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        4 => "https?://[a-z]{1,9}\\.(com|io|zzz|xn--p1ai)(/[a-z0-9_.@()?=&,~-]{0,60})?".prop_map(Some),
        1 => "https://[\\PC&&[^ ]]{1,20}".prop_map(Some),
        1 => any::<String>().prop_map(Some),
    ]
}

fn unit() -> impl Strategy<Value = Unit> {
    let mastodon = (prop::option::of(1..40_u32), any::<bool>())
        .prop_map(|(url, short_mentions)| Unit::Mastodon { url, short_mentions });
    prop_oneof![
        Just(Unit::Graphemes),
        Just(Unit::CodePoints),
        Just(Unit::Bytes),
        Just(Unit::LittleText),
        Just(Unit::Weighted),
        mastodon
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    (unit(), 1..200_u32, prop::option::of(1..400_u32)).prop_map(|(unit, max, max_bytes)| Limits {
        unit,
        max,
        max_bytes,
    })
}

prop_compose! {
    fn entry()(
        title in prop::option::of(text()), content in prop::option::of(text()), url in url(),
        categories in prop::collection::vec(prop_oneof!["[a-z]{1,9}", text()], 0..4),
    ) -> Entry {
        Entry { title, content: content.map(Markup::Text), url, categories, ..Entry::default() }
    }
}

prop_compose! {
    fn settings()(
        format_string in prop::sample::select(&[
            "{{title}}", "{{content}}", "{{title}} {{url}}", "{{title}}\n\n{{url}}", "{{url}}…{{title}}",
            "{{title}}: {{content}} ({{url}})", "#x{{title}}@{{content}}", "{{hashtags}}{{title}}",
        ]),
        append_url in any::<bool>(),
        append_url_if_truncated in any::<bool>(),
        append_hashtags in any::<bool>(),
        append_url_label in prop::option::of(text()),
        append_url_spacer in prop::sample::select(&[" ", "", "\n\n", "@", "#", "→", "—", ":", "/", "語"]),
        truncate in prop::bool::weighted(0.8),
        attach_link in any::<bool>(),
    ) -> Settings {
        Settings {
            format_string: Some(format_string.into()),
            append_url,
            append_url_if_truncated,
            append_hashtags,
            append_url_label,
            append_url_spacer: append_url_spacer.into(),
            truncate,
            attach_link,
            // some platforms take nothing without
            media: Some(vec![Media {
                media_type: Some("video/mp4".into()),
                url: "https://a.io/v.mp4".into(),
                ..Media::default()
            }]),
            ..Settings::of_platform(Platform::Outbox)
        }
    }
}

/// The same, but neither cut nor refused: what the text would be without limits.
fn unlimited(entry: &Entry, settings: &Settings, platform: Platform) -> Option<String> {
    let limits = Limits { unit: Unit::Graphemes, max: u32::MAX, max_bytes: None };
    drafted(entry, settings, platform, &limits).ok().map(|draft| draft.text)
}

/// How much of `whole` `cut` keeps: bytes of their common beginning.
fn kept(whole: &str, cut: &str) -> usize {
    whole
        .char_indices()
        .zip(cut.chars())
        .find(|((_, a), b)| a != b)
        .map_or(whole.len().min(cut.len()), |((at, _), _)| at)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_draft_holds_what_is_promised(
        entry in entry(), settings in settings(), limits in limits(),
        platform in prop::sample::select(&Platform::ALL),
    ) {
        let whole = unlimited(&entry, &settings, platform);
        let url = entry.url.as_deref().filter(|url| tokens::is_web_address(url));
        let draft = match drafted(&entry, &settings, platform, &limits) {
            Ok(draft) => draft,
            Err(ComposeError::Empty) => {
                prop_assert_eq!(whole, None);
                return Ok(());
            }
            Err(ComposeError::TooLong(..)) => {
                prop_assert!(!settings.truncate);
                prop_assert!(!count::fits(&whole.unwrap(), &limits));
                return Ok(());
            }
            Err(ComposeError::Unbreakable(..)) => {
                prop_assert!(settings.truncate);
                prop_assert!(!count::fits(&whole.unwrap(), &limits));
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let whole = whole.expect("it was composed with limits");

        prop_assert!(count::fits(&draft.text, &limits), "{:?}", draft.text);
        prop_assert!(!fold::is_blank(&draft.text));
        if count::fits(&whole, &limits) {
            prop_assert_eq!(&draft.text, &whole, "what fits is not changed");
        } else {
            let lost_tags = draft.notes.iter().any(|note| note.ends_with("` left out"));
            prop_assert!(lost_tags || settings.truncate && !draft.notes.is_empty());
            // hashtags may go from the middle: then it is a cut of the text with fewer of them
            let fewer = (0..entry.categories.len()).filter(|_| lost_tags).filter_map(|count| {
                let mut fewer = entry.clone();
                fewer.categories.truncate(count);
                unlimited(&fewer, &settings, platform)
            });
            let cut = check_cut(&whole, &draft.text);
            let is_cut = |whole: String| check_cut(&whole, &draft.text).is_ok();
            prop_assert!(cut.is_ok() || fewer.into_iter().any(is_cut), "{:?}", cut);
        }
        if let Some(url) = url.filter(|_| settings.append_url) {
            // the URL is there, whole, with white space or the end behind it
            let link = Feature::Link(url.into());
            let whole_url = draft.text.ends_with(url)
                || tokens::contains_url(&draft.text, url)
                || draft.text.contains(&format!("{url}\n\n#"))
                || draft.facets.iter().any(|facet| facet.feature == link);
            prop_assert!(whole_url, "{url} in {:?}", draft.text);
        }
        if matches!(platform.rules().mentions, Mentions::Plain { .. }) {
            let own = url.unwrap_or("\u{0}");
            let pinged = tokens::mastodon::entities(&draft.text.replace(own, " ")).into_iter()
                .any(|entity| matches!(entity, tokens::mastodon::Entity::Mention(..)));
            prop_assert!(!pinged, "{:?} pings", draft.text);
        }
        check_facets(&draft, settings.append_url_label.as_deref(), platform)?;
    }

    #[test]
    fn folding_twice_changes_nothing(text in text()) {
        let once = fold::fold(&text);
        prop_assert_eq!(&fold::fold(&once), &once);
        prop_assert!(!once.contains("\n\n\n") && !once.contains(" \n") && !once.contains("  "));
        prop_assert!(unicode_normalization::is_nfc(&once));
    }

    #[test]
    fn disarmed_text_pings_nobody(text in text()) {
        let (safe, _) = tokens::handles::disarm(&text, '\u{2060}', |_| false);
        let (safe_again, names) = tokens::handles::disarm(&safe, '\u{2060}', |_| false);
        prop_assert_eq!((&safe_again, names.len()), (&safe, 0));
    }
}

/// A cut ends on a grapheme and outside of every token, and no mark is glued to a URL.
fn check_cut(whole: &str, text: &str) -> Result<(), TestCaseError> {
    let at = kept(whole, text);
    let graphemes: Vec<usize> = whole.grapheme_indices(true).map(|(at, _)| at).collect();
    let shown = format!("{text:?} of {whole:?}");
    let glued = tokens::addresses(text)
        .into_iter()
        .map(|range| &text[range])
        .find(|address| address.contains('…') && !whole.contains(address));
    prop_assert!(glued.is_none(), "{:?} is no URL of the whole: {}", glued, shown);
    if at > 0 && at < whole.len() && text[at..].starts_with(['…', ' ']) {
        // the beginnings may agree for longer than the cut, also in a marker, never for less
        let end = text[..at].trim_end().len();
        let before_marker = text[..end].trim_end_matches('…').trim_end().len();
        let is_end = |at: &usize| graphemes.binary_search(at).is_ok() || *at == 0;
        let ends: Vec<usize> = [at, end, before_marker].into_iter().filter(is_end).collect();
        prop_assert!(!ends.is_empty(), "inside a grapheme: {}", shown);
        let tokens = tokens::find(whole);
        let breaks =
            |end: &usize| tokens.iter().any(|t| t.range.start < *end && *end < t.range.end);
        prop_assert!(!ends.iter().all(breaks), "inside a token: {}", shown);
    }
    Ok(())
}

fn check_facets(
    draft: &Draft,
    label: Option<&str>,
    platform: Platform,
) -> Result<(), TestCaseError> {
    prop_assert!(platform.rules().links == Links::Facets || draft.facets.is_empty());
    let mut end = 0;
    for facet in &draft.facets {
        prop_assert!(end <= facet.byte_start && facet.byte_start < facet.byte_end);
        end = facet.byte_end;
        let shown = draft.text.get(facet.byte_start..facet.byte_end);
        let shown = shown.ok_or_else(|| TestCaseError::fail("a facet inside a character"))?;
        match &facet.feature {
            Feature::Mention(_) => prop_assert!(false, "nobody is in `people`"),
            Feature::Link(uri) => {
                let bare = uri.strip_suffix(shown).is_some_and(|it| it == "https://");
                let label = label.is_some_and(|label| fold::fold(label) == shown);
                prop_assert!(bare || label || tokens::shorten::shown(uri) == shown);
                prop_assert!(!uri.contains(char::is_whitespace));
            }
            Feature::Tag(tag) => {
                let hashtag = shown.strip_prefix(['#', '＃']) == Some(tag.as_str());
                prop_assert!(hashtag || shown.eq_ignore_ascii_case(tag));
            }
        }
    }
    Ok(())
}
