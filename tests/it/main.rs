//! Integration tests: one binary, one module for each part of the program.
#![allow(clippy::unwrap_used)]

mod cli; // the commands, through the real program
mod config;
mod mastodon;
mod mastodon_server; // a strict stand-in, which the tests of the daemon use too
mod shell;
mod signals;
mod systemd;
mod fetch; // one request for a feed
mod wire; // the loopback server that the others script
mod exchange; // a request and its answer, for what stands between
mod bluesky;
mod bluesky_server; // a strict stand-in, which the tests of the daemon use too
mod graph_server; // what the stand-ins of Instagram and Facebook share
mod graph_bench; // one crosspost there, through restarts
mod instagram;
mod instagram_server; // a strict stand-in
mod facebook;
mod facebook_server; // a strict stand-in
mod outbox;
mod pages; // of Facebook
mod threads;
mod threads_server; // a strict stand-in
mod dice; // what is random, and the same in every run
mod world; // poller, workers and a platform that does as it is told
mod identity; // what is new and what is not
mod delivery; // what becomes of posts
mod care; // tokens through months
mod month; // thirty days, to the second
mod crash; // cut anywhere, start again
mod daemon_process; // the built binary, its signals and its log
mod daemon; // the program as a whole
mod kill; // kill -9 in the middle of everything
mod faults; // every call meets every fault
mod media_fetch; // images and videos, from the web to the shelf
mod composition; // docs/composition.md
mod feed_format;
mod feeds;
