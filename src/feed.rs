//! Feed: how a feed is asked, how often, and what it says.
//!
//! Nothing here knows the store: `poll` brings what is remembered of a feed and takes away what is
//! to be remembered.

pub mod parse; // documents to entries
pub mod extension; // what an entry says about its own syndication
pub mod diff; // which entries are new
pub mod cadence; // when it is asked next
pub mod fetch; // one conditional request
pub mod moved; // what becomes of a permanent redirect
