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
pub mod names; // labels and row numbers
pub mod platform; // kinds of destination, and what each can carry, as data
pub mod draft; // what will be sent
pub mod settings; // how an entry becomes a draft, in layers
pub mod entry; // one item of a feed
pub mod text; // HTML to plain text
pub mod people; // who may be mentioned
pub mod filter; // which entries an account wants
pub mod crosspost; // states, receipts, classes of failure
pub mod token; // how long a credential lives
pub mod wake; // what rouses a sleeping loop
pub mod zone; // time zones
pub mod orders; // what a running daemon is asked to do
pub mod pulse; // when each loop was last seen alive

// edges: one outside world each
pub mod environment; // variables
pub mod config; // the owner's file
pub mod http; // clients and capped bodies
pub mod redact; // text without secrets
pub mod shelf; // pictures on their way
pub mod store; // the database

// stages: never the store, never each other
pub mod compose; // entries to drafts
pub mod feed; // feeds to entries
pub mod media; // pictures to what a platform takes
pub mod publish; // drafts to platforms

// pipelines: the only place where stages and the store meet
pub mod poll; // fetch, parse, diff, route, record
pub mod deliver; // claim, compose, publish, decide, settle
pub mod care; // tokens that are kept alive
pub mod report; // what the owner is told

// shell
pub mod cli; // one file for each command
pub mod app; // the daemon: open, reconcile, rescue, spawn, drain
pub mod schedule; // cron expressions to rings
pub mod signals; // what `kill` wants
pub mod systemd; // what the service manager is told
pub mod logging; // events to lines, without secrets
