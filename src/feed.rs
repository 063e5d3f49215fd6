//! Feed: from an address to the entries that it lists.

pub mod extension; // what an entry says about its own syndication
pub mod parse; // bytes to entries
