//! Integration tests: one binary, one module for each part of the program.
#![allow(clippy::unwrap_used)]

mod outbox;
