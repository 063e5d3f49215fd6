//! Names: labels and row numbers as types of their own, so that they can't be mixed up.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The owner's name for a feed or an account: the key of its table in the config.
///
/// 1 to 64 of `A-Z a-z 0-9 _ - .`, so that it is safe in a log line, a shell command and a URL.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(String);

impl Label {
    /// Takes `text` as a label, or `None` where it is empty, too long or holds other characters.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        fits.then_some(Self(text))
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! row_number {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

row_number! {
    /// Row number of a feed.
    FeedId
    /// Row number of an account.
    AccountId
    /// Row number of an entry (not the entry's own id, which is text).
    EntryId
    /// Row number of a crosspost: the number that the commands take.
    CrosspostId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_plain_and_short() {
        assert_eq!(Label::new("my-blog_2.0").unwrap().as_str(), "my-blog_2.0");
        for bad in ["", "a b", "ä", "a/b", &"x".repeat(65)] {
            assert!(Label::new(bad).is_none(), "{bad:?} was taken");
        }
    }
}
