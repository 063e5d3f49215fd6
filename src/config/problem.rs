//! Problem: one mistake in the config, and the list of all of them that is shown at once.
//!
//! **Invariant:** no problem and no warning holds the text of a secret.

use std::fmt;
use std::path::PathBuf;

use super::TemplateCheck;

/// All that is wrong with a config. Its `Display` is the message for the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The main file, as given.
    pub path: PathBuf,
    /// What is wrong, in the order of the files and lines.
    pub list: Vec<Problem>,
}

/// One mistake, or one warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the folder of the main file: `config.toml`, `conf.d/20-more.toml`.
    pub file: String,
    /// The line, from 1; absent where it concerns the whole file.
    pub line: Option<usize>,
    /// The dotted key; empty where there is none, as in a syntax error.
    pub key: String,
    /// What is wrong with which value, and what is wanted.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.list.len() == 1 { "" } else { "s" };
        write!(f, "failed to load `{}`: ", self.path.display())?;
        write!(f, "{} problem{plural}", self.list.len())?;
        self.list.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Index of the file in the order of reading.
    pub file: usize,
    /// The line, from 1; 0 where it is the whole file.
    pub line: usize,
}

/// What a problem says about the rest of the config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file can't be read whole: what other problems say about *absence* may be wrong.
    Unread,
    /// A value is wrong, whatever else there is.
    Value,
    /// Something is missing or unknown: only true when every file was read whole.
    Absence,
}

/// One file of the config.
#[derive(Debug)]
pub struct File {
    /// Its name as it is shown.
    pub name: String,
    /// Whether everyone on the machine may read it.
    pub is_open: bool,
}

/// Collects problems and warnings on the way through the files.
#[derive(Debug)]
pub struct Report {
    /// What knows whether a template is right.
    pub templates: TemplateCheck,
    /// The files in the order of reading.
    pub files: Vec<File>,
    problems: Vec<(Place, Kind, Problem)>,
    warnings: Vec<(Place, Problem)>,
}

impl Report {
    /// Nothing wrong yet.
    pub fn new(templates: TemplateCheck) -> Self {
        Self { templates, files: Vec::new(), problems: Vec::new(), warnings: Vec::new() }
    }

    /// Adds a problem.
    pub fn problem(&mut self, place: Place, kind: Kind, key: &str, message: impl Into<String>) {
        let problem = self.at(place, key, message.into());
        self.problems.push((place, kind, problem));
    }

    /// Adds a warning: the config is taken, but its owner should know.
    pub fn warning(&mut self, place: Place, key: &str, message: impl Into<String>) {
        let warning = self.at(place, key, message.into());
        self.warnings.push((place, warning));
    }

    /// The problems and the warnings in the order of the files and lines, each only once.
    ///
    /// After a syntax error nothing is said about absence: what seems to be missing may stand in
    /// the part that was not understood.
    pub fn finish(mut self) -> (Vec<Problem>, Vec<String>) {
        let unread =
            |(place, kind, _): &(Place, Kind, Problem)| (*kind == Kind::Unread).then_some(*place);
        let unread: Vec<_> = self.problems.iter().filter_map(unread).collect();
        if !unread.is_empty() {
            // nor of values on a broken line: what is left of them is not what was written
            self.problems.retain(|(place, kind, _)| match kind {
                Kind::Unread => true,
                Kind::Value => !unread.contains(place),
                Kind::Absence => false,
            });
            self.warnings.clear();
        }
        self.problems.sort_by(|(a, _, p), (b, _, q)| (a, &p.key).cmp(&(b, &q.key)));
        self.problems.dedup();
        self.warnings.sort_by(|(a, p), (b, q)| (a, &p.key).cmp(&(b, &q.key)));
        let problems = self.problems.into_iter().map(|(_, _, problem)| problem).collect();
        let warnings = self.warnings.into_iter().map(|(_, warning)| warning.to_string()).collect();
        (problems, warnings)
    }

    fn at(&self, place: Place, key: &str, message: String) -> Problem {
        let file = self.files.get(place.file).map(|file| file.name.clone()).unwrap_or_default();
        let line = (place.line > 0).then_some(place.line);
        Problem { file, line, key: key.into(), message }
    }
}
