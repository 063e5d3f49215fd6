//! The binary: parses the arguments, runs the command, picks the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    posse_party::cli::main()
}
