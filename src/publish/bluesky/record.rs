//! Record: a draft to an `app.bsky.feed.post`.
//!
//! **Invariant:** the same draft, extras and `createdAt` give the same record, byte for byte: a
//! retry is then the same record under the same key, which the server takes as already done.
//! **Refuses:** null for what is absent (the lexicon refuses the whole record for one).

use serde_json::{Map, Value, json};

use super::extras::Extras;
use crate::draft::{Card, Draft, Facet, Feature};

/// The collection of posts, and the `$type` of each.
pub const COLLECTION: &str = "app.bsky.feed.post";

/// The record of `draft`. `created_at` is RFC 3339 with milliseconds and `Z`. What `extras` lack is
/// left out: the card's picture, mentions of people whom nobody knows.
pub fn post(draft: &Draft, extras: &Extras, created_at: &str) -> Value {
    let mut record = Map::new();
    record.insert("$type".into(), COLLECTION.into());
    record.insert("text".into(), draft.text.as_str().into());
    record.insert("createdAt".into(), created_at.into());
    let facets: Vec<Value> = draft.facets.iter().filter_map(|it| facet(it, extras)).collect();
    if !facets.is_empty() {
        record.insert("facets".into(), facets.into());
    }
    if let Some(card) = &draft.card {
        record.insert("embed".into(), external(card, extras.blob.as_ref()));
    }
    if let Some(language) = draft.language.as_deref().and_then(language) {
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

fn facet(facet: &Facet, extras: &Extras) -> Option<Value> {
    let feature = match &facet.feature {
        Feature::Link(uri) => json!({"$type": "app.bsky.richtext.facet#link", "uri": uri}),
        Feature::Tag(tag) => json!({"$type": "app.bsky.richtext.facet#tag", "tag": tag}),
        Feature::Mention(handle) => {
            let did = extras.dids.get(handle)?.as_ref()?;
            json!({"$type": "app.bsky.richtext.facet#mention", "did": did})
        }
    };
    Some(json!({
        "index": {"byteStart": facet.byte_start, "byteEnd": facet.byte_end},
        "features": [feature],
    }))
}

fn external(card: &Card, thumb: Option<&Value>) -> Value {
    let mut external =
        json!({"uri": card.url, "title": card.title, "description": card.description});
    if let Some(blob) = thumb {
        external["thumb"] = blob.clone();
    }
    json!({"$type": "app.bsky.embed.external", "external": external})
}

/// `tag` where it has the common form of BCP 47 (`en`, `zh-Hant-TW`, `de-1996`), else its language
/// alone, else nothing: a tag that the server can't read would cost the whole post.
fn language(tag: &str) -> Option<&str> {
    let alphabetic = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic());
    let numeric = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let language = tag.split(['-', '_']).next()?;
    if !((2..=3).contains(&language.len()) && alphabetic(language)) {
        return None;
    }
    let mut parts = tag.split('-').skip(1).peekable();
    parts.next_if(|part| part.len() == 4 && alphabetic(part)); // script
    parts.next_if(|part| {
        part.len() == 2 && alphabetic(part) || part.len() == 3 && numeric(part) // region
    });
    let variants = parts.all(|part| {
        let starts_with_digit = part.starts_with(|c: char| c.is_ascii_digit());
        part.bytes().all(|b| b.is_ascii_alphanumeric())
            && ((5..=8).contains(&part.len()) || part.len() == 4 && starts_with_digit)
    });
    let whole = variants && !tag.contains('_');
    Some(if whole { tag } else { language })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-11-23T17:20:00.000Z";

    fn check(draft: &Draft, expect: &Value) {
        assert_eq!(&post(draft, &Extras::default(), AT), expect);
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
    fn the_picture_is_the_servers_blob_and_people_are_their_dids() {
        let mention = |byte_start: usize, handle: &str| Facet {
            byte_start,
            byte_end: byte_start + 4,
            feature: Feature::Mention(handle.into()),
        };
        let draft = Draft {
            text: "@ada @bob".into(),
            facets: vec![mention(0, "ada.example"), mention(5, "bob.example")],
            card: Some(Card::default()),
            ..Draft::default()
        };
        let blob = json!({"$type": "blob", "ref": {"$link": "bafk"}, "novelty": [1]});
        let dids = [("ada.example", Some("did:plc:ada")), ("bob.example", None)];
        let dids = dids.map(|(handle, did)| (handle.to_owned(), did.map(str::to_owned)));
        let extras = Extras { file: None, blob: Some(blob.clone()), dids: dids.into() };
        let record = post(&draft, &extras, AT);
        assert_eq!(record["embed"]["external"]["thumb"], blob, "word for word");
        let facets = json!([{
            "index": {"byteStart": 0, "byteEnd": 4},
            "features": [{"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:ada"}],
        }]);
        assert_eq!(record["facets"], facets, "nobody has bob's handle: it is text");
        let record = post(&draft, &Extras::default(), AT);
        assert!(record.get("facets").is_none());
        assert!(record["embed"]["external"].get("thumb").is_none());
    }

    #[test]
    fn a_language_that_the_platform_would_refuse_is_shortened_or_left_out() {
        let check = |tag, expect| assert_eq!(language(tag), expect, "{tag}");
        for tag in ["en", "EN", "ast", "en-US", "es-419", "zh-Hant-TW", "de-1996", "sl-rozaj"] {
            check(tag, Some(tag));
        }
        for tag in ["en_US", "en-", "en-a", "en-US-US", "en_US-US", "en-12", "en-x-private"] {
            check(tag, Some("en"));
        }
        for tag in ["", "e", "english", "english language", "12", "-en", "日本"] {
            check(tag, None);
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
