//! Links: how many different ones a platform takes, and which are the entry's own.
//!
//! **Invariant:** the entry's own URL stays; the first ones of a text stay before later ones.

use super::tokens;

/// Writes every URL beyond the first `most` different ones without its scheme, so that it is text.
/// Tells which. `own` is in the post in any case and counts as one.
pub fn limit(text: &str, own: Option<&str>, most: usize) -> (String, Vec<String>) {
    let mut seen: Vec<&str> = own.into_iter().collect();
    let mut limited = String::with_capacity(text.len());
    let (mut from, mut changed) = (0, Vec::new());
    for range in tokens::addresses(text) {
        let address = &text[range.clone()];
        if !tokens::is_web_address(address) {
            continue;
        }
        let is_own = own.is_some_and(|own| tokens::contains_url(address, own));
        // a mark after it makes no other link of it
        let bare = address.trim_end_matches(|c: char| ".,;:!?'\")]}>".contains(c));
        if is_own || seen.contains(&bare) {
            continue;
        }
        if seen.len() < most {
            seen.push(bare);
            continue;
        }
        let scheme = address.find("://").map_or(0, |at| at + 3);
        limited.push_str(&text[from..range.start]);
        from = range.start + scheme;
        changed.push(bare.to_owned());
    }
    limited.push_str(&text[from..]);
    (limited, changed)
}

/// Writes the entry's URL as it is posted wherever `text` has it.
pub fn repost(text: &str, canonical: &str, posted: &str) -> String {
    let mut reposted = String::with_capacity(text.len());
    let mut from = 0;
    for range in tokens::addresses(text) {
        let address = &text[range.clone()];
        if tokens::contains_url(address, canonical) && address.starts_with(canonical) {
            reposted.push_str(&text[from..range.start]);
            reposted.push_str(posted);
            from = range.start + canonical.len();
        }
    }
    reposted.push_str(&text[from..]);
    reposted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_links_become_text() {
        let check = |text: &str, own: Option<&str>, expect: &str| {
            assert_eq!(limit(text, own, 2).0, expect, "{text}");
        };
        let text = "a https://a.io, b (https://b.io) c https://c.io/x. b https://b.io";
        check(text, None, "a https://a.io, b (https://b.io) c c.io/x. b https://b.io");
        check(text, Some("https://d.io"), "a https://a.io, b (b.io) c c.io/x. b b.io");
        check(text, Some("https://c.io/x"), "a https://a.io, b (b.io) c https://c.io/x. b b.io");
        check("gemini://a http://b http://c", None, "gemini://a http://b http://c");
        let (_, changed) = limit(text, None, 2);
        assert_eq!(changed, ["https://c.io/x"]);
    }

    #[test]
    fn the_own_url_is_posted_in_one_form() {
        let check = |text: &str, expect: &str| {
            assert_eq!(repost(text, "https://a.io/1", "https://a.io/1?u=x"), expect, "{text}");
        };
        check("see https://a.io/1.", "see https://a.io/1?u=x.");
        check("(https://a.io/1) https://a.io/12", "(https://a.io/1?u=x) https://a.io/12");
        check("https://a.io/1?u=x", "https://a.io/1?u=x");
    }
}
