//! Crosspost: one entry on one account: its states, and what may become of an attempt.
//!
//! The diagram is `docs/states.md`. **Invariant:** `can_become` and the SQL agree; a test walks
//! every pair.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::clock::Timestamp;

/// The key in the journal of a crosspost under which it stands that a person wants tried again what
/// the platform refused of its media. Whoever heeds it takes it away.
pub const MEDIA_AGAIN: &str = "media_again";

/// The state of a crosspost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for a person: flood hold, approval, or an answer nobody could find.
    Held,
    /// Goes out at `due_at`.
    Ready,
    /// An attempt is in flight.
    Sending,
    /// A request that may have had an effect got no usable answer.
    Uncertain,
    /// Done. Final.
    Published,
    /// The platform will never take it, or attempts or age ran out. Final until `retry`.
    Failed,
    /// Not published, on purpose, with the reason stored. Final until `publish`.
    Skipped,
}

impl State {
    /// Every state, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Held,
        Self::Ready,
        Self::Sending,
        Self::Uncertain,
        Self::Published,
        Self::Failed,
        Self::Skipped,
    ];

    /// The word used in SQL, log and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Ready => "ready",
            Self::Sending => "sending",
            Self::Uncertain => "uncertain",
            Self::Published => "published",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing more happens by itself.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Published | Self::Failed | Self::Skipped)
    }

    /// Whether a crosspost may go from this state straight to `next`.
    pub const fn can_become(self, next: Self) -> bool {
        use State::{Failed, Held, Published, Ready, Sending, Skipped, Uncertain};
        matches!(
            (self, next),
            (Held, Ready | Skipped | Published)
                | (Ready, Sending | Skipped | Held)
                | (Sending, Published | Ready | Uncertain | Failed | Skipped)
                | (Uncertain, Published | Ready | Held)
                | (Failed, Ready)
                | (Skipped, Ready | Held)
        )
    }
}

/// What the platform gave back for a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The platform's own id, opaque.
    pub remote_id: String,
    /// The public address of the post.
    pub url: Option<String>,
}

impl Receipt {
    /// A receipt in a platform's words; an address that is none is left out.
    pub fn new(remote_id: String, url: Option<String>) -> Self {
        Self { remote_id, url: url.and_then(page) }
    }
}

/// The address of a post as a platform says it, where it is one of the web.
pub fn page(address: String) -> Option<String> {
    let is_odd = address.contains(|c: char| c.is_whitespace() || c.is_control());
    let url = Url::parse(&address).ok().filter(|_| !is_odd)?;
    matches!(url.scheme(), "http" | "https").then_some(address)
}

/// Why an attempt, or a question to the platform, did not end in a receipt.
///
/// Classified where the request was made; whatever is not surely known is `Ambiguous`, because a
/// public post may never be guessed (design, section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure this is.
    pub class: Class,
    /// What happened, in one line that reads alone: no token, no body, no URL query.
    pub message: String,
}

/// The words of `message` by which its cause is known again: without the number that some platforms
/// give each of their answers, for their support. Two refusals that differ in that alone are one.
pub fn cause(message: &str) -> String {
    const NUMBER: &str = " (fbtrace_id ";
    let Some((before, rest)) = message.split_once(NUMBER) else { return message.to_owned() };
    let after = rest.split_once(')').map_or("", |(_, after)| after);
    format!("{before}{after}")
}

/// The classes of failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// Surely nothing was done there; the same request may be sent again.
    Retry {
        /// Not before this moment (`Retry-After`, reset headers).
        not_before: Option<Timestamp>,
    },
    /// Asked to slow down: like `Retry`, for the whole account, and burns no attempt.
    RateLimited {
        /// Not before this moment, where the platform said one.
        not_before: Option<Timestamp>,
    },
    /// The platform refuses this text or medium, and will refuse it again.
    Content,
    /// The platform refuses the link card, and nothing else: it goes out once more without, with
    /// the URL in the text. Surely nothing was done there.
    Card,
    /// The platform finds the text too long, although it fits by our count: it goes out once more,
    /// shorter. Surely nothing was done there.
    TooLong,
    /// The account can't post: token, permission, billing, suspension, quota. Parks it.
    Account {
        /// When it ends by itself, where that is known.
        until: Option<Timestamp>,
        /// What the owner should do next.
        hint: String,
    },
    /// The platform says that it has this already.
    Duplicate,
    /// The request may have had an effect.
    Ambiguous,
}

impl Class {
    /// The word used in log and attempts.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry",
            Self::RateLimited { .. } => "rate_limited",
            Self::Content => "content",
            Self::Card => "card",
            Self::TooLong => "too_long",
            Self::Account { .. } => "account",
            Self::Duplicate => "duplicate",
            Self::Ambiguous => "ambiguous",
        }
    }
}

impl Failure {
    /// Surely not sent; try again later.
    pub fn retry(message: impl Into<String>) -> Self {
        Self { class: Class::Retry { not_before: None }, message: message.into() }
    }

    /// May have had an effect.
    pub fn ambiguous(message: impl Into<String>) -> Self {
        Self { class: Class::Ambiguous, message: message.into() }
    }

    /// Refused for what it is.
    pub fn content(message: impl Into<String>) -> Self {
        Self { class: Class::Content, message: message.into() }
    }

    /// The account can't post until its owner does what `hint` says.
    pub fn account(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { class: Class::Account { until: None, hint: hint.into() }, message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_an_address_of_the_web() {
        let check = |said: &str, expect: Option<&str>| {
            let receipt = Receipt::new("1".into(), Some(said.into()));
            assert_eq!(receipt.url.as_deref(), expect, "{said:?}");
        };
        check("https://a.example/@me/1", Some("https://a.example/@me/1"));
        check("http://localhost:3000/1", Some("http://localhost:3000/1"));
        for odd in ["httpsb//a.example/1", "/posts/1", "javascript:alert(1)", "https://a b/", ""] {
            check(odd, None);
        }
    }

    #[test]
    fn words_go_there_and_back() {
        for state in State::ALL {
            assert_eq!(State::from_word(state.as_str()), Some(state));
        }
    }

    #[test]
    fn only_a_person_leaves_a_final_state() {
        for next in State::ALL {
            assert!(!State::Published.can_become(next), "published is final");
            assert_eq!(State::Failed.can_become(next), next == State::Ready);
            let back = matches!(next, State::Ready | State::Held);
            assert_eq!(State::Skipped.can_become(next), back);
        }
    }

    #[test]
    fn the_number_of_an_answer_is_no_cause() {
        let check = |message: &str, expect: &str| assert_eq!(cause(message), expect);
        check("error 190: over (fbtrace_id AbC)", "error 190: over");
        check("error 368 (fbtrace_id A_-1); look", "error 368; look");
        check("no answer (timed out)", "no answer (timed out)");
        check("cut (fbtrace_id A", "cut");
    }

    #[test]
    fn nothing_is_sent_from_a_doubt() {
        assert!(!State::Uncertain.can_become(State::Sending));
        assert!(!State::Held.can_become(State::Sending));
    }
}
