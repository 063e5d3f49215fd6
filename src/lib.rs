//! POSSE Party: from the feeds of your own site to your accounts elsewhere, never twice, never in
//! silence.
//!
//! The way of one entry: `poll` fetches a feed, parses it, finds what is new and records it in one
//! transaction; the store is the only link to `deliver`, which claims one crosspost at a time for
//! each account, composes it, publishes it and settles what became of it.
//!
//! Modules in reading order; each may use what stands above it (`tests/tidy.rs` checks that).

// vocabulary: no I/O, no async
pub mod clock; // what time it is
pub mod crosspost; // states, receipts, classes of failure
pub mod draft; // what will be sent
pub mod entry; // one item of a feed
pub mod names; // labels and row numbers
pub mod platform; // kinds of destination, and their limits as data
pub mod settings; // how an entry becomes a draft, in layers
pub mod text; // HTML to plain text

// edges: one outside world each
pub mod config; // the owner's file
pub mod environment; // variables
pub mod http; // clients and capped bodies

// stages: never the store, never each other
pub mod feed; // addresses to entries
pub mod publish; // drafts to platforms
