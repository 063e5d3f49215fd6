//! Record: a draft to an `app.bsky.feed.post`.
//!
//! **Invariant:** the same draft, extras and `createdAt` give the same record, byte for byte: a
//! retry is then the same record under the same key, which the server takes as already done.
//! **Refuses:** null for what is absent (the lexicon refuses the whole record for one).

use serde_json::{Map, Value, json};
use unicode_segmentation::UnicodeSegmentation;

use super::extras::{self, Extras};
use crate::draft::{Card, Draft, Facet, Feature, Media, Shelved};

/// The collection of posts, and the `$type` of each.
pub const COLLECTION: &str = "app.bsky.feed.post";

/// The longest `alt` of a video, in graphemes (lexicon of `app.bsky.embed.video`). That of an image
/// has no limit of its own.
const VIDEO_ALT_MAX: usize = 1000;

/// The record of `draft`. `created_at` is RFC 3339 with milliseconds and `Z`. What `extras` lack is
/// left out: files, mentions of people whom nobody knows.
pub fn post(draft: &Draft, extras: &Extras, created_at: &str) -> Value {
    let mut record = Map::new();
    record.insert("$type".into(), COLLECTION.into());
    record.insert("text".into(), draft.text.as_str().into());
    record.insert("createdAt".into(), created_at.into());
    let facets: Vec<Value> = draft.facets.iter().filter_map(|it| facet(it, extras)).collect();
    if !facets.is_empty() {
        record.insert("facets".into(), facets.into());
    }
    if let Some(embed) = embed(draft, extras) {
        record.insert("embed".into(), embed);
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

/// What is attached: one thing only. Media take the place of the card; where none could be had, the
/// card is there again, if the draft has one.
fn embed(draft: &Draft, extras: &Extras) -> Option<Value> {
    let media: Vec<_> = extras::media(draft)
        .into_iter()
        .filter_map(|(medium, file)| Some((medium, file, extras.blob(&file.file)?)))
        .collect();
    if let [(medium, file, blob)] = media.as_slice()
        && extras::is_video(file)
    {
        let alt = alt(medium);
        let mut video = json!({"$type": "app.bsky.embed.video", "video": blob});
        if !alt.is_empty() {
            video["alt"] = shortened(alt, VIDEO_ALT_MAX).into();
        }
        return Some(with_ratio(video, file));
    }
    if media.is_empty() {
        let thumb = extras::thumb(draft).and_then(|thumb| extras.blob(&thumb.file));
        return draft.card.as_ref().map(|card| external(card, thumb));
    }
    let images = media
        .iter()
        .map(|(medium, file, blob)| with_ratio(json!({"image": blob, "alt": alt(medium)}), file));
    Some(json!({"$type": "app.bsky.embed.images", "images": images.collect::<Vec<_>>()}))
}

fn alt(medium: &Media) -> &str {
    medium.alt.as_deref().unwrap_or_default()
}

fn shortened(text: &str, graphemes_max: usize) -> String {
    match text.grapheme_indices(true).nth(graphemes_max) {
        None => text.to_owned(),
        Some(_) => text.graphemes(true).take(graphemes_max - 1).chain(["…"]).collect(),
    }
}

/// The lexicon takes whole positive numbers alone: what is not known is left out.
fn with_ratio(mut embedded: Value, file: &Shelved) -> Value {
    if file.width > 0 && file.height > 0 {
        embedded["aspectRatio"] = json!({"width": file.width, "height": file.height});
    }
    embedded
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

    fn shelved(file: &str) -> Shelved {
        let media_type = if file.ends_with("mp4") { "video/mp4" } else { "image/jpeg" };
        let (file, media_type) = (file.into(), media_type.into());
        Shelved { file, media_type, width: 12, height: 8, ..Shelved::default() }
    }

    fn medium(file: &str, alt: Option<&str>) -> Media {
        let alt = alt.map(str::to_owned);
        Media { alt, file: Some(shelved(file)), ..Media::default() }
    }

    fn with_blob(file: &str, blob: &Value) -> Extras {
        let state = extras::State::Blob(blob.clone());
        let files = [(file.to_owned(), extras::File { state, losses: 0 })];
        Extras { files: files.into(), ..Extras::default() }
    }

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
            card: Some(Card { thumb: Some(shelved("x.jpg")), ..Card::default() }),
            ..Draft::default()
        };
        let blob = json!({"$type": "blob", "ref": {"$link": "bafk"}, "novelty": [1]});
        let dids = [("ada.example", Some("did:plc:ada")), ("bob.example", None)];
        let dids = dids.map(|(handle, did)| (handle.to_owned(), did.map(str::to_owned)));
        let extras = Extras { dids: dids.into(), ..with_blob("x.jpg", &blob) };
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

    fn embedded(media: Vec<Media>, extras: &Extras) -> Value {
        let draft = Draft { card: Some(Card::default()), media, ..Draft::default() };
        post(&draft, extras, AT)["embed"].clone()
    }

    #[test]
    fn images_keep_their_order_and_always_have_an_alt() {
        let mut extras = with_blob("z.jpg", &json!("z"));
        extras.files.extend(with_blob("a.jpg", &json!("a")).files);
        let mut unknown = medium("a.jpg", None);
        unknown.file.as_mut().unwrap().height = 0;
        let media = vec![medium("z.jpg", Some("A cat")), medium("lost.jpg", None), unknown];
        let images = json!([
            {"image": "z", "alt": "A cat", "aspectRatio": {"width": 12, "height": 8}},
            {"image": "a", "alt": ""},
        ]);
        let expect = json!({"$type": "app.bsky.embed.images", "images": images});
        assert_eq!(embedded(media.clone(), &extras), expect);
        let without = embedded(media, &Extras::default());
        assert_eq!(without["$type"], "app.bsky.embed.external", "the card is there again");
        let draft = Draft { media: vec![medium("z.jpg", None)], ..Draft::default() };
        assert!(post(&draft, &Extras::default(), AT).get("embed").is_none());
    }

    #[test]
    fn a_video_has_an_alt_where_there_is_one_and_no_longer_than_it_may_be() {
        let extras = with_blob("v.mp4", &json!("v"));
        let check = |alt: Option<&str>, expect: Option<&str>| {
            let mut video = json!({"$type": "app.bsky.embed.video", "video": "v",
                "aspectRatio": {"width": 12, "height": 8}});
            if let Some(alt) = expect {
                video["alt"] = alt.into();
            }
            assert_eq!(embedded(vec![medium("v.mp4", alt)], &extras), video, "{alt:?}");
        };
        check(None, None);
        check(Some(""), None);
        check(Some("A cat"), Some("A cat"));
        check(Some(&"é".repeat(1000)), Some(&"é".repeat(1000)));
        check(Some(&"é".repeat(1001)), Some(&format!("{}…", "é".repeat(999))));
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
