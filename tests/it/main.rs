//! Integration tests: one binary, one module for each part of the program.
#![allow(clippy::unwrap_used)]

<<<<<<< HEAD
mod config;
=======
mod signals;
mod systemd;
>>>>>>> shell
