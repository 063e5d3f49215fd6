//! Environment: the only reader of environment variables.

use std::path::PathBuf;

/// The variable `name`, when it is set, not empty and UTF-8.
#[allow(clippy::disallowed_methods)] // the one place
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The first folder of a colon-separated systemd variable such as `STATE_DIRECTORY`.
pub fn directory(name: &str) -> Option<PathBuf> {
    var(name).map(|value| first_directory(&value))
}

/// The first folder of the value of such a variable.
pub fn first_directory(value: &str) -> PathBuf {
    PathBuf::from(value.split(':').next().unwrap_or_default())
}
