//! The binary: parses the arguments, runs the command, picks the exit code.

fn main() {}
