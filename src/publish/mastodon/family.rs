//! Family: which software answers, and how it counts and repeats (sheet A4, A8, A10).
//!
//! NodeInfo tells it reliably; the version string is the second best, because GoToSocial can
//! pretend to be a Mastodon there.

use serde::{Deserialize, Serialize};

use crate::platform::Unit;

/// A kind of server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Mastodon and its forks.
    Mastodon,
    /// GoToSocial.
    GoToSocial,
    /// Pleroma and Akkoma.
    Pleroma,
    /// Pixelfed.
    Pixelfed,
    /// Takahe.
    Takahe,
    /// Anything else, and what nobody has asked yet: nothing is taken for granted.
    #[default]
    Other,
}

impl Family {
    /// The family of a NodeInfo `software.name`.
    pub fn of_software(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "mastodon" | "glitch" | "glitch-soc" | "hometown" | "chuckya" | "kmyblue" => {
                Self::Mastodon
            }
            "gotosocial" => Self::GoToSocial,
            "pleroma" | "akkoma" => Self::Pleroma,
            "pixelfed" => Self::Pixelfed,
            "takahe" => Self::Takahe,
            _ => Self::Other,
        }
    }

    /// The family of an instance's `version`, for servers without NodeInfo: `4.5.0+glitch`,
    /// `2.7.2 (compatible; Akkoma 3.13)`.
    pub fn of_version(version: &str) -> Self {
        let named = version.split_once("(compatible; ").map(|(_, rest)| rest);
        if let Some(name) = named.and_then(|rest| rest.split([' ', ')']).next()) {
            return Self::of_software(name);
        }
        if version.starts_with("takahe/") {
            return Self::Takahe;
        }
        // Mastodon names no software, and young servers that name none either are below 3
        let numbers = version.split(['-', '+']).next().unwrap_or_default();
        let numbers: Vec<u32> = numbers.split('.').map_while(|part| part.parse().ok()).collect();
        if numbers.len() == 3 && numbers[0] >= 3 { Self::Mastodon } else { Self::Other }
    }

    /// Whether a second request under the same `Idempotency-Key` surely makes no second post.
    pub const fn honours_key(self) -> bool {
        matches!(self, Self::Mastodon)
    }

    /// Whether the account's own list holds its posts for followers and for single people too.
    pub const fn lists_private(self) -> bool {
        matches!(self, Self::Mastodon)
    }

    /// Whether an empty list of an account with posts can be true (all of them boosts).
    pub const fn empty_list_is_true(self) -> bool {
        matches!(self, Self::Mastodon)
    }

    /// How it counts; `per_url` is what it says that a URL counts.
    pub const fn unit(self, per_url: u32) -> Unit {
        match self {
            Self::Mastodon => Unit::Mastodon { url: Some(per_url), short_mentions: true },
            Self::Pleroma => Unit::Graphemes,
            // never less than graphemes: right for GoToSocial and Takahe, safe for the unknown
            Self::GoToSocial | Self::Pixelfed | Self::Takahe | Self::Other => Unit::CodePoints,
        }
    }

    /// Whether it answers 404 to who asks for a medium exactly when that is attached to a post or
    /// gone (sheet A5). Akkoma answers 200 all the same; others may not know the question.
    pub const fn hides_attached_media(self) -> bool {
        matches!(self, Self::Mastodon)
    }

    /// Whether it takes videos.
    pub const fn takes_videos(self) -> bool {
        !matches!(self, Self::Takahe)
    }

    /// Whether an animated GIF stays animated: Takahe makes a WebP of every image, and of Pixelfed
    /// nobody knows.
    pub const fn keeps_animations(self) -> bool {
        !matches!(self, Self::Takahe | Self::Pixelfed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_told_by_software_then_by_version() {
        let check = |software: &str, expect| assert_eq!(Family::of_software(software), expect);
        check("mastodon", Family::Mastodon);
        check("Hometown", Family::Mastodon);
        check("akkoma", Family::Pleroma);
        check("takahe", Family::Takahe);
        check("hollo", Family::Other);
        let check = |version: &str, expect| assert_eq!(Family::of_version(version), expect);
        check("4.5.0", Family::Mastodon);
        check("4.7.0-alpha.2+glitch", Family::Mastodon);
        check("2.7.2 (compatible; Akkoma 3.13.2-0-gabc)", Family::Pleroma);
        check("3.5.3 (compatible; Pixelfed 0.12.4)", Family::Pixelfed);
        check("2.7.2 (compatible; Iceshrimp 2023.12)", Family::Other);
        check("takahe/0.11.0", Family::Takahe);
        check("0.7.0", Family::Other);
        check("", Family::Other);
    }
}
