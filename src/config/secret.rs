//! Secret: text that can't be printed, logged or serialised by accident, and where it is kept.
//!
//! **Invariant:** no message made here holds the text of a secret.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::problem::Place;
use super::raw::{self, Data, Node};
use super::schema::{nearest, one_of};
use super::value::{self, shown};

/// The most that the file of a secret may hold; the longest token known has 4 KiB.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The ways to refer to a secret that is kept elsewhere.
const WAYS: [&str; 3] = ["env", "file", "credential"];

/// A token or a password.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes `text` as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The secret itself, for the one request that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A reader of variables.
pub type Vars<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where secrets may be found.
pub struct Sources<'a> {
    /// Relative files are relative to it.
    pub folder: &'a Path,
    /// Variables.
    pub vars: Vars<'a>,
    /// Whether the config is of no use without its secrets.
    pub wanted: bool,
}

/// A secret that was found.
pub struct Found {
    /// It.
    pub secret: Secret,
    /// The file it was read from, where everyone on the machine may read it too.
    pub open_file: Option<PathBuf>,
    /// Whether it stands in the config itself.
    pub literal: bool,
}

/// Why a secret can't be had.
pub struct Trouble {
    /// Where the mistake stands.
    pub place: Place,
    /// What it is.
    pub message: String,
    /// Whether the config is right, and what it refers to is not there or is no secret.
    pub is_elsewhere: bool,
}

/// Where a secret is kept.
enum Keep<'a> {
    Variable(&'a str),
    File(PathBuf),
    Credential(&'a str),
}

/// Finds the secret that `node` is, or refers to.
///
/// # Errors
/// The mistake, at the node's own place or at that of the reference inside it.
pub fn find(node: &Node, sources: &Sources) -> Result<Found, Trouble> {
    let here = |message: String| Trouble { place: node.place, message, is_elsewhere: false };
    let table = match &node.data {
        Data::Text(text) => {
            let secret = not_empty(text.clone(), "the text").map_err(here)?;
            return Ok(Found { secret, open_file: None, literal: true });
        }
        Data::Table(table) => table,
        Data::List(_) => return Err(here(format!("is a list, {}", want()))),
        _ => return Err(here(format!("is not in quotes, {}", want()))),
    };
    // layered tables hold the keys of all their files; the reference of the last file counts
    let last = table.values().map(|node| node.place.file).max();
    let mut named = table.iter().filter(|(_, node)| Some(node.place.file) == last);
    let (way, reference) = match (named.next(), named.next()) {
        (Some(only), None) => only,
        (None, _) => return Err(here(format!("is an empty table, {}", want()))),
        (Some((one, node)), Some((two, _))) => {
            let message = format!("names both {} and {}, want one", shown(one), shown(two));
            return Err(Trouble { place: node.place, message, is_elsewhere: false });
        }
    };
    let there = |is_elsewhere| {
        move |message: String| Trouble { place: reference.place, message, is_elsewhere }
    };
    let found = match keep(way, reference, sources).map_err(there(false))? {
        Keep::Variable(name) => from_variable(name, sources),
        Keep::File(path) => from_file(&path),
        Keep::Credential(name) => from_credential(name, sources),
    };
    found.map_err(there(true))
}

/// Reads where a secret is kept.
fn keep<'a>(way: &str, reference: &'a Node, sources: &Sources) -> Result<Keep<'a>, String> {
    let name = value::text(reference).map_err(|_| format!("`{way}` wants a name in quotes"))?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match way {
        // perhaps the secret itself: it must not be shown
        "env" if !name.bytes().all(is_name) => {
            Err("`env` wants the name of a variable: letters, digits and `_`".into())
        }
        "env" => Ok(Keep::Variable(name)),
        "file" => value::path(reference, sources.folder).map(Keep::File),
        "credential" if name.contains('/') || name == "." || name == ".." => {
            Err("`credential` wants a name without `/`, or take `file` for a path".into())
        }
        "credential" => Ok(Keep::Credential(name)),
        _ => Err(match nearest(way, WAYS) {
            Some(near) => format!("{} is unknown here, want `{near}`", shown(way)),
            None => format!("{} is unknown here, want {}", shown(way), one_of(&WAYS)),
        }),
    }
}

/// What a secret may be, for messages.
pub fn want() -> String {
    "want a text, `{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ credential = \"name\" }`".into()
}

fn from_variable(name: &str, sources: &Sources) -> Result<Found, String> {
    let text = (sources.vars)(name)
        .ok_or_else(|| format!("variable `{name}` is not set, or empty, or not UTF-8"))?;
    let secret = not_empty(text, &format!("variable `{name}`"))?;
    Ok(Found { secret, open_file: None, literal: false })
}

fn from_credential(name: &str, sources: &Sources) -> Result<Found, String> {
    let folder = (sources.vars)("CREDENTIALS_DIRECTORY").ok_or_else(|| {
        let hint =
            format!("want `LoadCredential={name}:/path` in the unit, and a start by systemd");
        format!("credential `{name}` can't be found: `CREDENTIALS_DIRECTORY` is not set, {hint}")
    })?;
    let path = Path::new(&folder).join(name);
    if !path.exists() {
        let hint = format!("want `LoadCredential={name}:/path` in the unit");
        return Err(format!("credential `{name}` is not in `{folder}`, {hint}"));
    }
    // systemd made this file for us alone
    Ok(Found { open_file: None, ..from_file(&path)? })
}

fn from_file(path: &Path) -> Result<Found, String> {
    let name = format!("file `{}`", path.display());
    let failed = |error: std::io::Error| format!("{name} {}", raw::why(&error));
    // looked at before it is opened: opening a pipe would wait for its other end
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "no regular file" };
        return Err(format!("{name} is {what}, want a file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("{name} is larger than 64 KiB, want only the secret in it"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?;
    let secret = not_empty(text, &name)?;
    let is_open = raw::is_open(&metadata);
    Ok(Found { secret, open_file: is_open.then(|| path.to_owned()), literal: false })
}

/// The secret without its final newline. Control characters can't be sent in a header.
fn not_empty(text: String, source: &str) -> Result<Secret, String> {
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(format!("{source} is empty, want the secret"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{source} holds more than one line, or a control character"));
    }
    if text.trim() != text {
        return Err(format!("{source} starts or ends with a space, want only the secret"));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[redacted]");
    }
}
