//! Page: what an entry's own page says of itself, for the link card.

/// What a page says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its title.
    pub title: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// The address of its picture, absolute.
    pub image: Option<String>,
}
