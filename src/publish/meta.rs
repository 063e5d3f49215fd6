//! Meta: what Threads, Instagram and Facebook Pages share: one Graph-style API, its errors, its
//! usage headers and its tokens.
//!
//! The facts are those of Meta's documents of 2026-09 and of recorded exchanges; where two readings
//! are possible, the code takes the one that can't post twice. **Invariant:** a token travels in
//! the `Authorization` header or in a form body, never in a URL; every number of an error is read
//! as `i64`, from whichever of `code` and `error_subcode` holds it. **Refuses:** to match words
//! that Meta translates for its users; to conclude from `is_transient: false`, or from an HTTP
//! status, that nothing was done.

pub mod account; // an account with what lets us in
pub mod answer; // what came back
pub mod container; // what a post is before it is public
pub mod errors; // what a refusal means: one table
pub mod graph; // one call
pub mod likeness; // whether a post in a list is the one that was sent
pub mod list; // the posts of an account
pub mod login; // what an owner brings to a token that is kept
pub mod pages; // the Facebook Pages of a person
pub mod params; // what the calls are given
pub mod quota; // who the account is, and how much it may post
pub mod renew; // what is done for a token once a day
pub mod rest; // when an account makes a pause
pub mod seek; // what became of a lost publication
pub mod token; // what lets us in, and how it is renewed
pub mod usage; // how much of the allowance is used
pub mod work; // the journal

pub use account::Account;
pub use answer::Answer;
pub use errors::{Meaning, Phase};
pub use graph::{Ask, Graph, Refusal};

use crate::platform::Platform;

/// The version that is asked for when the owner names none. Threads has a track of its own; the
/// others share numbers, of which v25.0 lives until 2028-07.
pub const fn default_version(platform: Platform) -> &'static str {
    match platform {
        Platform::Threads => "v1.0",
        _ => "v25.0",
    }
}

/// What a token must be allowed to do.
pub const fn scopes(platform: Platform) -> &'static [&'static str] {
    match platform {
        Platform::Threads => &["threads_basic", "threads_content_publish"],
        Platform::Instagram => &["instagram_business_basic", "instagram_business_content_publish"],
        Platform::Facebook => &["pages_show_list", "pages_read_engagement", "pages_manage_posts"],
        _ => &[],
    }
}
