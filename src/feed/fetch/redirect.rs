//! Redirect: where a chain has got to, and what may go along. Pure.
//!
//! **Invariant:** credentials are the owner's: they come from the first URL, never from a
//! `Location`, and go only to the same host, never from https back to http.

use reqwest::StatusCode;
use url::Url;

use super::{Cause, REDIRECTS_MAX};
use crate::http::bare;

/// The URLs of one fetch, in order.
pub struct Chain {
    /// The owner's URL, whose credentials these are.
    owner: Url,
    visited: Vec<Url>,
    permanent: Permanent,
}

/// How far the chain is permanent.
enum Permanent {
    /// Up to here.
    Whole,
    /// Up to the URL of this index, where a temporary redirect came.
    UpTo(usize),
}

impl Chain {
    /// Starts at `moved_to`, else at the owner's URL.
    pub fn start(owner: &Url, moved_to: Option<&Url>) -> Self {
        let mut first = moved_to.unwrap_or(owner).clone();
        first.set_fragment(None);
        lend_credentials(owner, &mut first);
        Self { owner: owner.clone(), visited: vec![first], permanent: Permanent::Whole }
    }

    /// The URL that is to be asked now, with credentials.
    pub fn url(&self) -> &Url {
        self.visited.last().expect("the chain starts with one")
    }

    /// The same for others' eyes: without credentials and fragment.
    pub fn bare(&self) -> Url {
        bare(self.url())
    }

    /// Where the permanent redirects at its start lead; none where the first was temporary or
    /// there was none.
    pub fn permanent(&self) -> Option<Url> {
        let index = match self.permanent {
            Permanent::Whole => self.visited.len() - 1,
            Permanent::UpTo(index) => index,
        };
        (index > 0).then(|| bare(&self.visited[index]))
    }

    /// Takes one more hop.
    pub fn follow(&mut self, status: StatusCode, location: &[u8]) -> Result<(), Cause> {
        if self.visited.len() > REDIRECTS_MAX {
            return Err(Cause::TooManyRedirects);
        }
        // not all servers encode what they write there; those bytes are UTF-8 or nothing
        let location = std::str::from_utf8(location).map_err(|_| Cause::BadLocation)?;
        let mut next = self.bare().join(location.trim()).map_err(|_| Cause::BadLocation)?;
        if !matches!(next.scheme(), "http" | "https") {
            return Err(Cause::Scheme(next.scheme().into()));
        }
        next = bare(&next);
        lend_credentials(&self.owner, &mut next);
        if self.visited.contains(&next) {
            return Err(Cause::Circle);
        }
        if !is_permanent(status) && matches!(self.permanent, Permanent::Whole) {
            self.permanent = Permanent::UpTo(self.visited.len() - 1);
        }
        self.visited.push(next);
        Ok(())
    }

    /// What a status that is neither success nor redirect means at this place.
    pub fn refusal(&self, status: StatusCode) -> Cause {
        match (status, &self.permanent) {
            (StatusCode::GONE, Permanent::Whole) => Cause::Gone,
            _ => Cause::Status(status.as_u16()),
        }
    }
}

/// Whether this status is a redirect that a reader of feeds follows.
pub fn is_followed(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn is_permanent(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 308)
}

fn lend_credentials(owner: &Url, to: &mut Url) {
    if is_same_host(owner, to) {
        let _ = to.set_username(owner.username()); // fails only where there can be none
        let _ = to.set_password(owner.password());
    } else {
        *to = bare(to);
    }
}

/// Same host and port, or the step up from http to https on their own ports.
fn is_same_host(owner: &Url, to: &Url) -> bool {
    let port = Url::port_or_known_default;
    owner.host() == to.host()
        && match (owner.scheme(), to.scheme()) {
            ("http", "https") if port(owner) == Some(80) => port(to) == Some(443),
            ("https", "http") => false,
            _ => port(owner) == port(to),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows `hops` from `owner`: the last URL with its credentials, and the permanent target.
    fn check(owner: &str, hops: &[(u16, &str)], last: &str, permanent: Option<&str>) {
        let mut chain = Chain::start(&owner.parse().unwrap(), None);
        for (status, location) in hops {
            chain.follow(StatusCode::from_u16(*status).unwrap(), location.as_bytes()).unwrap();
        }
        assert_eq!(chain.url().as_str(), last, "{owner} {hops:?}");
        let target = chain.permanent();
        assert_eq!(target.as_ref().map(Url::as_str), permanent, "{owner} {hops:?}");
    }

    #[test]
    fn a_chain_is_permanent_up_to_its_first_temporary_hop() {
        let (a, b, c) = ("http://a.test/", "http://b.test/", "http://c.test/");
        check(a, &[], a, None);
        check(a, &[(301, b)], b, Some(b));
        check(a, &[(301, b), (308, c)], c, Some(c));
        check(a, &[(301, b), (302, c)], c, Some(b));
        check(a, &[(301, b), (302, c), (301, "/d")], "http://c.test/d", Some(b));
        for temporary in [302, 303, 307] {
            check(a, &[(temporary, b)], b, None);
            check(a, &[(temporary, b), (301, c)], c, None);
        }
    }

    #[test]
    fn credentials_are_the_owners_and_stay_at_home() {
        let owner = "http://u:p@a.test/feed";
        check(owner, &[(301, "/x")], "http://u:p@a.test/x", Some("http://a.test/x"));
        check(owner, &[(302, "http://a.test/x")], "http://u:p@a.test/x", None);
        check(owner, &[(302, "https://a.test/x")], "https://u:p@a.test/x", None);
        check(owner, &[(302, "http://a.test:81/x")], "http://a.test:81/x", None);
        check(owner, &[(302, "http://b.test/x")], "http://b.test/x", None);
        check(owner, &[(302, "//b.test/x")], "http://b.test/x", None);
        check(owner, &[(302, "http://v:q@b.test/x")], "http://b.test/x", None);
        check(owner, &[(302, "http://v:q@a.test/x")], "http://u:p@a.test/x", None);
        let back = [(302, "http://b.test/"), (302, "http://a.test/x")];
        check(owner, &back, "http://u:p@a.test/x", None);
        check("https://u:p@a.test/", &[(302, "http://a.test/x")], "http://a.test/x", None);
    }

    #[test]
    fn a_query_and_its_encoding_stay_as_they_are() {
        let plain = "http://a.test/f?a=%2F&b=+%20c&d";
        check(plain, &[], plain, None);
        check("http://a.test/", &[(302, "/f?a=%2F&b=+%20c&d#frag")], plain, None);
        check("http://a.test/", &[(302, "/ü")], "http://a.test/%C3%BC", None);
    }

    #[test]
    fn where_it_has_moved_to_is_asked_with_the_owners_credentials_at_home_only() {
        let owner = "http://u:p@a.test/old".parse().unwrap();
        let start = |moved: &str| {
            Chain::start(&owner, Some(&moved.parse().unwrap())).url().as_str().to_owned()
        };
        assert_eq!(start("http://a.test/new"), "http://u:p@a.test/new");
        assert_eq!(start("http://b.test/new"), "http://b.test/new");
    }

    #[test]
    fn chains_that_lead_nowhere_end() {
        let step = |chain: &mut Chain, to: &[u8]| chain.follow(StatusCode::FOUND, to);
        let mut chain = Chain::start(&"http://a.test/0".parse().unwrap(), None);
        assert!(matches!(step(&mut chain, b"/0#again"), Err(Cause::Circle)));
        assert!(matches!(step(&mut chain, b"file:///etc/passwd"), Err(Cause::Scheme(_))));
        assert!(matches!(step(&mut chain, b"http://"), Err(Cause::BadLocation)));
        assert!(matches!(step(&mut chain, b"/\xff"), Err(Cause::BadLocation)));
        for hop in 1..=REDIRECTS_MAX {
            step(&mut chain, format!("/{hop}").as_bytes()).unwrap();
        }
        assert!(matches!(step(&mut chain, b"/11"), Err(Cause::TooManyRedirects)));
    }
}
