//! Moved: what becomes of a permanent redirect, as a pure state machine.
//!
//! A 301 set up by mistake is the classic way to lose a feed for good, so a new URL is taken over
//! only once it has served a usable feed [`SIGHTINGS`] polls in a row; until then the old one is
//! asked and the redirect followed. **Invariant:** HTML, an error, an unusable body or a 410 is
//! never taken over, and one of them starts the count anew; the owner's config is never changed
//! (the caller tells which line to change).

use serde::{Deserialize, Serialize};
use url::Url;

use crate::http::bare;

/// A target is taken over when it has served a usable feed this many polls in a row.
pub const SIGHTINGS: u32 = 3;

/// What is remembered of a feed's permanent redirects; stored with the feed, as JSON, and dropped
/// when the owner changes the URL. URLs are without credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The URL that is asked instead of the owner's.
    pub to: Option<Url>,
    /// Where permanent redirects lead at present, not taken over yet, and how many usable answers
    /// in a row came from there.
    pub seen: Option<(Url, u32)>,
}

/// What one poll found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight<'a> {
    /// A usable feed, or a 304, with the permanent target of the chain if there was one.
    Usable {
        /// `Fetched::permanent`.
        permanent: Option<&'a Url>,
    },
    /// Anything else but a 410.
    Unusable,
    /// A 410 (`Cause::Gone`).
    Gone,
}

impl Moved {
    /// What is remembered after a poll of the feed that the owner configured as `configured`.
    ///
    /// It was just taken over when `to` differs from before. A 410 of a URL that was taken over
    /// makes the daemon ask the owner's own once more, so where `to` was set that poll counts as
    /// [`super::cadence::Outcome::Failed`] and not as gone.
    #[must_use]
    pub fn after(&self, sight: Sight<'_>, configured: &Url) -> Self {
        let permanent = match sight {
            Sight::Gone => return Self::default(),
            Sight::Unusable => None,
            Sight::Usable { permanent } => permanent,
        };
        let Some(target) = permanent else {
            return Self { to: self.to.clone(), seen: None };
        };
        let before = self.seen.as_ref().filter(|(url, _)| url == target).map_or(0, |(_, n)| *n);
        if before + 1 < SIGHTINGS {
            return Self { to: self.to.clone(), seen: Some((target.clone(), before + 1)) };
        }
        // a feed that came home needs no memory
        let home = *target == bare(configured);
        Self { to: (!home).then(|| target.clone()), seen: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "http://u:p@a.test/feed";

    /// Polls: the target of a usable answer (`-`: none), `html` or `gone`; then `to` and the count.
    fn check(polls: &str, to: Option<&str>, count: u32) {
        let home: Url = HOME.parse().unwrap();
        let mut moved = Moved::default();
        for poll in polls.split_whitespace() {
            let url = format!("http://{poll}.test/feed").parse().ok();
            let sight = match poll {
                "html" => Sight::Unusable,
                "gone" => Sight::Gone,
                "-" => Sight::Usable { permanent: None },
                _ => Sight::Usable { permanent: url.as_ref() },
            };
            moved = moved.after(sight, &home);
        }
        let expect = to.map(|to| format!("http://{to}.test/feed"));
        assert_eq!(moved.to.map(String::from), expect, "{polls}");
        assert_eq!(moved.seen.map_or(0, |(_, n)| n), count, "{polls}");
    }

    #[test]
    fn three_usable_answers_in_a_row_and_no_fewer() {
        check("b", None, 1);
        check("b b", None, 2);
        check("b b b", Some("b"), 0);
        check("b b b - - html -", Some("b"), 0);
        check("b b html b", None, 1);
        check("b b - b", None, 1);
        check("b b gone b", None, 1);
        check("b b c", None, 1);
        check("html html html", None, 0);
    }

    #[test]
    fn a_feed_may_move_on_come_home_or_be_gone() {
        check("b b b c c", Some("b"), 2);
        check("b b b c c c", Some("c"), 0);
        check("b b b a a", Some("b"), 2);
        check("b b b a a a", None, 0);
        check("b b b gone", None, 0);
    }

    #[test]
    fn it_is_stored_as_json() {
        let moved = Moved { to: None, seen: Some(("http://b.test/".parse().unwrap(), 2)) };
        let json = serde_json::to_string(&moved).unwrap();
        assert_eq!(json, r#"{"to":null,"seen":["http://b.test/",2]}"#);
        assert_eq!(serde_json::from_str::<Moved>(&json).unwrap(), moved);
    }
}
