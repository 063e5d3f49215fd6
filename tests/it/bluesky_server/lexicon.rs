//! What the lexicon says about posts and their keys (sheet B3 to B5).

use posse_party::clock::Timestamp;
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

/// `^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$`
pub fn check_rkey(rkey: &str) -> Result<(), String> {
    let digit = |b: u8| matches!(b, b'2'..=b'7' | b'a'..=b'z');
    let fits = rkey.len() == 13
        && rkey.bytes().all(digit)
        && rkey.starts_with(|c| matches!(c, '2'..='7' | 'a'..='j'));
    if fits { Ok(()) } else { Err("Invalid record key for app.bsky.feed.post: no tid".into()) }
}

/// The lexicon of `app.bsky.feed.post`, as far as this program writes it.
pub fn check_post(record: &Value) -> Result<(), String> {
    let record = record.as_object().ok_or("no object")?;
    let known = ["$type", "text", "createdAt", "facets", "embed", "langs"];
    if let Some(key) = record.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("{key} is not expected"));
    }
    if record.get("$type").is_none_or(|kind| kind != "app.bsky.feed.post") {
        return Err("$type".into());
    }
    let text = record.get("text").and_then(Value::as_str).ok_or("text is required")?;
    if text.graphemes(true).count() > 300 || text.len() > 3000 {
        return Err("text must not be longer than 300 graphemes and 3000 bytes".into());
    }
    let at = record.get("createdAt").and_then(Value::as_str).ok_or("createdAt is required")?;
    let form = at.len() == 24 && at.ends_with('Z') && at.as_bytes()[10] == b'T';
    if !form || Timestamp::parse_rfc3339(at).is_none() {
        return Err(format!("createdAt {at} is no RFC 3339 date with milliseconds and Z"));
    }
    if let Some(langs) = record.get("langs") {
        let langs = langs.as_array().ok_or("langs must be an array")?;
        let fits = |tag: &Value| tag.as_str().is_some_and(|tag| tag.len() >= 2);
        if langs.len() > 3 || !langs.iter().all(fits) {
            return Err("langs".into());
        }
    }
    if let Some(embed) = record.get("embed") {
        match embed["$type"].as_str() {
            Some("app.bsky.embed.external") => check_external(embed)?,
            Some("app.bsky.embed.images") => check_images(embed)?,
            Some("app.bsky.embed.video") => check_video(embed)?,
            _ => return Err("Record/embed must be one of the union's types".into()),
        }
    }
    match record.get("facets") {
        None => Ok(()),
        Some(Value::Array(facets)) => facets.iter().try_for_each(|facet| check_facet(facet, text)),
        Some(_) => Err("facets must be an array".into()),
    }
}

fn check_images(embed: &Value) -> Result<(), String> {
    let images = embed["images"].as_array().ok_or("Record/embed/images is required")?;
    if images.is_empty() || images.len() > 4 {
        return Err("Record/embed/images must not have more than 4 elements, and has one".into());
    }
    for (n, image) in images.iter().enumerate() {
        let at = format!("Record/embed/images/{n}");
        known_keys(image, &["image", "alt", "aspectRatio"], &at)?;
        check_blob(&image["image"], &format!("{at}/image"))?;
        if !image["alt"].is_string() {
            return Err(format!("{at}/alt is required"));
        }
        check_ratio(&image["aspectRatio"], &at)?;
    }
    Ok(())
}

fn check_video(embed: &Value) -> Result<(), String> {
    let at = "Record/embed";
    known_keys(embed, &["$type", "video", "alt", "aspectRatio"], at)?;
    check_blob(&embed["video"], "Record/embed/video")?;
    if let Some(alt) = embed.get("alt") {
        let fits = |alt: &str| alt.graphemes(true).count() <= 1000 && alt.len() <= 10_000;
        if !alt.as_str().is_some_and(fits) {
            return Err("Record/embed/alt".into());
        }
    }
    check_ratio(&embed["aspectRatio"], at)
}

fn check_ratio(ratio: &Value, at: &str) -> Result<(), String> {
    let positive = |key: &str| ratio[key].as_u64().is_some_and(|side| side > 0);
    if ratio.is_null() || positive("width") && positive("height") {
        return Ok(());
    }
    Err(format!("{at}/aspectRatio can not be less than 1"))
}

fn known_keys(object: &Value, known: &[&str], at: &str) -> Result<(), String> {
    let object = object.as_object().ok_or(format!("{at} must be an object"))?;
    match object.iter().find(|(key, value)| !known.contains(&key.as_str()) || value.is_null()) {
        Some((key, _)) => Err(format!("{at}/{key}")),
        None => Ok(()),
    }
}

fn check_external(embed: &Value) -> Result<(), String> {
    let external = embed["external"].as_object().ok_or("external is required")?;
    for (key, value) in external {
        match key.as_str() {
            "uri" | "title" | "description" if value.is_string() => {}
            "thumb" => check_blob(value, "Record/embed/external/thumb")?,
            _ => return Err(format!("Record/embed/external/{key}")),
        }
    }
    if external.len() < 3 {
        return Err("Record/embed/external must have uri, title, description".into());
    }
    check_uri(&external["uri"])
}

fn check_blob(blob: &Value, at: &str) -> Result<(), String> {
    let object = blob.as_object().ok_or(format!("{at} should be a blob ref"))?;
    let known = ["$type", "ref", "mimeType", "size"];
    let fits = object.keys().all(|key| known.contains(&key.as_str()))
        && blob["$type"] == "blob"
        && blob["ref"]["$link"].is_string()
        && blob["mimeType"].is_string()
        && blob["size"].is_u64();
    if fits { Ok(()) } else { Err(format!("{at} should be a blob ref")) }
}

fn check_uri(uri: &Value) -> Result<(), String> {
    let fits = uri
        .as_str()
        .is_some_and(|uri| Url::parse(uri).is_ok() && !uri.contains(char::is_whitespace));
    if fits { Ok(()) } else { Err(format!("{uri} is no uri")) }
}

/// Stricter than the real server, which doesn't look at ranges: what is outside, empty, or cuts a
/// character in two is an error of the sender.
fn check_facet(facet: &Value, text: &str) -> Result<(), String> {
    let place = |key: &str| {
        let index = facet["index"][key].as_u64().ok_or(format!("{key} is required"))?;
        Ok::<_, String>(index as usize)
    };
    let (start, end) = (place("byteStart")?, place("byteEnd")?);
    let part = text.get(start..end).filter(|part| !part.is_empty());
    let part = part.ok_or(format!("the range {start}..{end} is none of the text"))?;
    let features = facet["features"].as_array().ok_or("features is required")?;
    let [feature] = features.as_slice() else {
        return Err("one feature is expected".into());
    };
    match feature["$type"].as_str() {
        Some("app.bsky.richtext.facet#link") => check_uri(&feature["uri"]),
        Some("app.bsky.richtext.facet#tag") => {
            let tag = feature["tag"].as_str().ok_or("tag is required")?;
            let fits = !tag.is_empty() && tag.graphemes(true).count() <= 64 && tag.len() <= 640;
            if fits && part.starts_with(['#', '＃']) { Ok(()) } else { Err(format!("tag {tag}")) }
        }
        Some("app.bsky.richtext.facet#mention") => {
            let did = feature["did"].as_str().ok_or("did is required")?;
            let fits = did.starts_with("did:") && did.len() > 8;
            if fits && part.starts_with('@') { Ok(()) } else { Err(format!("did {did}")) }
        }
        _ => Err("feature $type".into()),
    }
}
