//! Namespace: the vocabularies that feeds are written in.
//!
//! The names of RSS and Atom are one vocabulary, whatever namespace (or none) a document declares
//! for them: publishers mix them. **Invariant:** what stands in our own namespace is ours only when
//! the document says so by its address, never by its prefix.

/// The address of the namespace that `posse:post` lives in.
pub(super) const POSSE: &str = "https://posseparty.com/2024/Feed";

/// A vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    /// RSS of any version, Atom of any version, or none.
    Core,
    /// `http://purl.org/dc/elements/1.1/`
    Dc,
    /// `http://purl.org/dc/terms/`
    DcTerms,
    /// `http://purl.org/rss/1.0/modules/content/`
    Content,
    /// Media RSS.
    Media,
    /// Apple's podcast tags.
    Itunes,
    /// `http://www.w3.org/1999/02/22-rdf-syntax-ns#`
    Rdf,
    /// `http://www.w3.org/1999/xhtml`
    Xhtml,
    /// `http://rssnamespace.org/feedburner/ext/1.0`
    Feedburner,
    /// Our own.
    Posse,
    /// Our usual prefix, which the document forgot to declare.
    PosseUndeclared,
    /// Anything else.
    Other,
}

impl Namespace {
    /// The vocabulary of an address, read leniently: case, scheme and a final `/` don't matter.
    pub(super) fn of_address(address: &str) -> Self {
        let address = address.trim();
        if address == POSSE {
            return Self::Posse;
        }
        let lower = address.to_ascii_lowercase();
        let bare = lower.trim_start_matches("https://").trim_start_matches("http://");
        match bare.trim_end_matches(['/', '#']) {
            ""
            | "www.w3.org/2005/atom"
            | "purl.org/atom/ns"
            | "purl.org/rss/1.0"
            | "purl.org/rss/1.0/modules/rss091"
            | "my.netscape.com/rdf/simple/0.9"
            | "channel.netscape.com/rdf/simple/0.9"
            | "purl.org/net/rss1.1"
            | "blogs.law.harvard.edu/tech/rss"
            | "cyber.law.harvard.edu/rss"
            | "my.netscape.com/publish/formats/rss-0.91.dtd"
            | "example.com/newformat"
            | "example.com/necho"
            | "purl.org/echo"
            | "uri/of/echo/namespace"
            | "purl.org/pie" => Self::Core,
            "purl.org/dc/elements/1.1" | "purl.org/dc/elements/1.0" => Self::Dc,
            "purl.org/dc/terms" => Self::DcTerms,
            "purl.org/rss/1.0/modules/content" => Self::Content,
            "search.yahoo.com/mrss" => Self::Media,
            "www.itunes.com/dtds/podcast-1.0.dtd" | "example.com/dtds/podcast-1.0.dtd" => {
                Self::Itunes
            }
            "www.w3.org/1999/02/22-rdf-syntax-ns" => Self::Rdf,
            "www.w3.org/1999/xhtml" => Self::Xhtml,
            "rssnamespace.org/feedburner/ext/1.0" => Self::Feedburner,
            userland if userland.starts_with("backend.userland.com/rss") => Self::Core,
            _ => Self::Other,
        }
    }

    /// The vocabulary of a prefix that the document forgot to declare.
    pub(super) fn of_undeclared(prefix: &str) -> Self {
        match prefix {
            "" | "atom" | "atom10" | "atom03" | "rss" | "a" | "a10" => Self::Core,
            "dc" => Self::Dc,
            "dcterms" => Self::DcTerms,
            "content" => Self::Content,
            "media" => Self::Media,
            "itunes" => Self::Itunes,
            "rdf" => Self::Rdf,
            "xhtml" => Self::Xhtml,
            "feedburner" => Self::Feedburner,
            "posse" => Self::PosseUndeclared,
            _ => Self::Other,
        }
    }
}
