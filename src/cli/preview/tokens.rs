//! Tokens: where links, hashtags and mentions are in a text, as its platform reads it.

use serde::{Serialize, Serializer};

pub use crate::compose::tokens::Kind;
use crate::compose::tokens::{Found, read};
use crate::draft::{Draft, Facet, Feature};
use crate::platform::{Links, Platform};

/// A part of a text that means more than its letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// What it is.
    #[serde(serialize_with = "serialize_word")]
    pub kind: Kind,
    /// First UTF-8 byte.
    pub byte_start: usize,
    /// One past the last UTF-8 byte.
    pub byte_end: usize,
    /// The address, the hashtag without `#`, or the handle without `@`.
    pub value: String,
}

/// The word for a kind.
pub const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Link => "link",
        Kind::Tag => "tag",
        Kind::Mention => "mention",
    }
}

fn serialize_word<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(word(*kind))
}

/// The tokens of a draft: its facets where only they count, else what the platform finds.
pub fn of_draft(draft: &Draft, platform: Platform) -> Vec<Token> {
    if platform.rules().links != Links::Facets {
        return of_text(&draft.text, platform);
    }
    let token = |facet: &Facet| {
        let (kind, value) = match &facet.feature {
            Feature::Link(value) => (Kind::Link, value),
            Feature::Tag(value) => (Kind::Tag, value),
            Feature::Mention(value) => (Kind::Mention, value),
        };
        let (byte_start, byte_end) = (facet.byte_start, facet.byte_end);
        Token { kind, byte_start, byte_end, value: value.clone() }
    };
    draft.facets.iter().map(token).collect()
}

/// The tokens of a text as `platform` finds them.
pub fn of_text(text: &str, platform: Platform) -> Vec<Token> {
    let token = |found: Found| Token {
        kind: found.kind,
        byte_start: found.range.start,
        byte_end: found.range.end,
        value: found.value,
    };
    read(text, platform).into_iter().map(token).collect()
}

/// The same as facets, for a text of one's own where only they count.
pub fn facets(tokens: &[Token], platform: Platform) -> Vec<Facet> {
    if platform.rules().links != Links::Facets {
        return Vec::new();
    }
    let facet = |token: &Token| {
        let value = token.value.clone();
        let feature = match token.kind {
            Kind::Link => Feature::Link(value),
            Kind::Tag => Feature::Tag(value),
            Kind::Mention => Feature::Mention(value),
        };
        Facet { byte_start: token.byte_start, byte_end: token.byte_end, feature }
    };
    tokens.iter().map(facet).collect()
}

/// `text` in pieces, each with the token that it is.
pub fn pieces<'t>(text: &'t str, tokens: &'t [Token]) -> Vec<(&'t str, Option<&'t Token>)> {
    let mut pieces = Vec::with_capacity(2 * tokens.len() + 1);
    let mut from = 0;
    for token in tokens {
        pieces.push((&text[from..token.byte_start], None));
        pieces.push((&text[token.byte_start..token.byte_end], Some(token)));
        from = token.byte_end;
    }
    pieces.push((&text[from..], None));
    pieces.retain(|(piece, _)| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole_text() {
        let check = |text: &str, expect: &[&str]| {
            let tokens = of_text(text, Platform::Mastodon);
            let pieces: Vec<_> =
                pieces(text, &tokens).into_iter().map(|(piece, _)| piece).collect();
            assert_eq!(pieces, expect);
            assert_eq!(pieces.concat(), text);
        };
        check("", &[]);
        check("words", &["words"]);
        check("#tag", &["#tag"]);
        check("é https://a.io/é #ö", &["é ", "https://a.io/é", " ", "#ö"]);
    }
}
