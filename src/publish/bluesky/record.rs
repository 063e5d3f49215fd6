//! Record: a draft to an `app.bsky.feed.post`.
//!
//! **Invariant:** the same draft and the same `createdAt` give the same record, byte for byte: a
//! retry is then the same record under the same key, which the server takes as already done.
//! **Refuses:** null for what is absent (the lexicon refuses the whole record for one).

use serde_json::{Map, Value, json};

use crate::draft::{Card, Draft, Facet, Feature};

/// The collection of posts, and the `$type` of each.
pub const COLLECTION: &str = "app.bsky.feed.post";

/// The record of `draft`. `created_at` is RFC 3339 with milliseconds and `Z`.
pub fn post(draft: &Draft, created_at: &str) -> Value {
    let mut record = Map::new();
    record.insert("$type".into(), COLLECTION.into());
    record.insert("text".into(), draft.text.as_str().into());
    record.insert("createdAt".into(), created_at.into());
    if !draft.facets.is_empty() {
        record.insert("facets".into(), draft.facets.iter().map(facet).collect());
    }
    if let Some(card) = &draft.card {
        record.insert("embed".into(), external(card));
    }
    if let Some(language) = draft.language.as_deref().filter(|tag| is_language(tag)) {
        record.insert("langs".into(), json!([language]));
    }
    Value::Object(record)
}

/// Whether the record that stands under our key is the one we sent, by its text or by its moment.
///
/// Either is enough: the key is ours alone, and a client that edits a post keeps its `createdAt`.
pub fn is_ours(there: &Value, draft: &Draft, created_at: &str) -> bool {
    there["text"] == draft.text.as_str() || there["createdAt"] == created_at
}

fn facet(facet: &Facet) -> Value {
    let feature = match &facet.feature {
        Feature::Link(uri) => json!({"$type": "app.bsky.richtext.facet#link", "uri": uri}),
        Feature::Tag(tag) => json!({"$type": "app.bsky.richtext.facet#tag", "tag": tag}),
    };
    json!({
        "index": {"byteStart": facet.byte_start, "byteEnd": facet.byte_end},
        "features": [feature],
    })
}

fn external(card: &Card) -> Value {
    json!({
        "$type": "app.bsky.embed.external",
        "external": {"uri": card.url, "title": card.title, "description": card.description},
    })
}

/// Whether `tag` has the form of BCP 47. One that has not would cost the whole post, so it is left
/// out.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    parts.next().is_some_and(|first| {
        (2..=8).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic())
    }) && parts.all(|part| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-11-23T17:20:00.000Z";

    fn check(draft: &Draft, expect: &Value) {
        assert_eq!(&post(draft, AT), expect);
    }

    #[test]
    fn what_is_absent_is_left_out() {
        check(
            &Draft { text: "Hello".into(), ..Draft::default() },
            &json!({"$type": "app.bsky.feed.post", "text": "Hello", "createdAt": AT}),
        );
    }

    #[test]
    fn facets_card_and_language_are_typed() {
        let link = Feature::Link("https://example.com/é".into());
        let draft = Draft {
            text: "é https://example.com/é #café ✅".into(),
            facets: vec![
                Facet { byte_start: 3, byte_end: 25, feature: link },
                Facet { byte_start: 26, byte_end: 32, feature: Feature::Tag("café".into()) },
            ],
            card: Some(Card { url: "https://example.com/é".into(), ..Card::default() }),
            language: Some("fr-CA".into()),
            ..Draft::default()
        };
        check(
            &draft,
            &json!({
                "$type": "app.bsky.feed.post",
                "text": "é https://example.com/é #café ✅",
                "createdAt": AT,
                "facets": [
                    {
                        "index": {"byteStart": 3, "byteEnd": 25},
                        "features": [{
                            "$type": "app.bsky.richtext.facet#link",
                            "uri": "https://example.com/é",
                        }],
                    },
                    {
                        "index": {"byteStart": 26, "byteEnd": 32},
                        "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "café"}],
                    },
                ],
                "embed": {
                    "$type": "app.bsky.embed.external",
                    "external": {"uri": "https://example.com/é", "title": "", "description": ""},
                },
                "langs": ["fr-CA"],
            }),
        );
    }

    #[test]
    fn a_language_that_the_platform_would_refuse_is_left_out() {
        let check = |tag, expect| assert_eq!(is_language(tag), expect, "{tag}");
        for tag in ["en", "en-US", "zh-Hant-TW", "ast", "de-1996"] {
            check(tag, true);
        }
        for tag in ["", "e", "en_US", "english language", "12", "en-", "en-verylongsubtag"] {
            check(tag, false);
        }
    }

    #[test]
    fn ours_is_known_by_its_text_or_its_moment() {
        let draft = Draft { text: "Hello".into(), ..Draft::default() };
        let check = |text: &str, at: &str, expect| {
            let there = json!({"text": text, "createdAt": at});
            assert_eq!(is_ours(&there, &draft, AT), expect, "{there}");
        };
        check("Hello", AT, true);
        check("Hello", "2026-11-23T17:20:01.000Z", true);
        check("Hello (edited)", AT, true);
        check("Else", "2026-11-23T17:20:01.000Z", false);
    }
}
