//! Section: one table of the config on its way to a type: it hands out its keys, and reports what
//! is wrong with them and which of them nobody knows.

use std::collections::BTreeMap;

use super::problem::{Kind, Place, Report};
use super::raw::{Data, Node};
use super::schema;
use super::value::{describe, list};

/// Longer lists of keys help nobody who reads one line.
const LISTED_MAX: usize = 12;

/// One table.
#[derive(Debug)]
pub struct Section {
    /// Its dotted path: `feeds.blog`; empty at the top.
    pub path: String,
    /// Where it was first opened.
    pub place: Place,
    /// The keys it may hold.
    known: Vec<&'static str>,
    nodes: BTreeMap<String, Node>,
}

impl Section {
    /// Opens `node` as the table at `path`, or reports that it is none.
    pub fn open(
        report: &mut Report,
        path: impl Into<String>,
        node: Node,
        known: impl Into<Vec<&'static str>>,
    ) -> Option<Self> {
        let path = path.into();
        let want = match path.split('.').next() {
            Some(table @ ("feeds" | "accounts")) => {
                format!("want a table of its own for each: `[{table}.LABEL]`")
            }
            _ => format!("want a table: `[{path}]`"),
        };
        Self::open_else(report, path, node, known, &want)
    }

    /// Opens `node` as the table at `path`, or reports that it is none with what is wanted.
    pub fn open_else(
        report: &mut Report,
        path: String,
        node: Node,
        known: impl Into<Vec<&'static str>>,
        want: &str,
    ) -> Option<Self> {
        let (place, known) = (node.place, known.into());
        match node.data {
            Data::Table(nodes) => Some(Self { path, place, known, nodes }),
            _ => {
                report.problem(place, Kind::Value, &path, want);
                None
            }
        }
    }

    /// Takes the table `key` out of this one; `example` is one in braces.
    pub fn inner(
        &mut self,
        report: &mut Report,
        key: &'static str,
        known: impl Into<Vec<&'static str>>,
        example: &str,
    ) -> Option<Self> {
        let (node, path) = (self.take(key)?, self.path_of(key));
        let want = format!("{} is no table, want for example `{example}`", describe(&node));
        Self::open_else(report, path, node, known, &want)
    }

    /// The dotted path of `key`.
    pub fn path_of(&self, key: &str) -> String {
        dotted(&self.path, key)
    }

    /// Whether the owner wrote `key`.
    pub fn has(&self, key: &str) -> bool {
        self.nodes.contains_key(key)
    }

    /// Where `key` stands, else where the table does.
    pub fn place_of(&self, key: &str) -> Place {
        self.nodes.get(key).map_or(self.place, |node| node.place)
    }

    /// Takes `key` as it stands.
    pub fn take(&mut self, key: &'static str) -> Option<Node> {
        debug_assert!(self.known.contains(&key), "`{key}` is not in the schema");
        self.nodes.remove(key)
    }

    /// Takes `key` and reads it; a value that can't be read is reported and is as if absent.
    pub fn read<T>(
        &mut self,
        report: &mut Report,
        key: &'static str,
        parse: impl FnOnce(&Node) -> Result<T, String>,
    ) -> Option<T> {
        let node = self.take(key)?;
        match parse(&node) {
            Ok(value) => Some(value),
            Err(message) => {
                report.problem(node.place, Kind::Value, &self.path_of(key), message);
                None
            }
        }
    }

    /// Takes `key` as a list and reads what is in it; what can't be read is reported and left out.
    pub fn read_list<T>(
        &mut self,
        report: &mut Report,
        key: &'static str,
        parse: impl Fn(&Node) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let nodes = self.read(report, key, |node| list(node).map(<[Node]>::to_vec))?;
        let path = self.path_of(key);
        let mut read = |node: &Node| {
            parse(node)
                .map_err(|message| report.problem(node.place, Kind::Value, &path, message))
                .ok()
        };
        Some(nodes.iter().filter_map(&mut read).collect())
    }

    /// Reports that `key` is missing.
    pub fn missing(&self, report: &mut Report, key: &str, want: &str) {
        let message = format!("is missing, {want}");
        report.problem(self.place, Kind::Absence, &self.path_of(key), message);
    }

    /// Everything in a table whose keys are the owner's: dotted path, key, value.
    pub fn entries(self) -> impl Iterator<Item = (String, String, Node)> {
        let path = self.path;
        self.nodes.into_iter().map(move |(key, node)| (dotted(&path, &key), key, node))
    }

    /// Reports every key that the schema does not know, with what was most likely meant. `hint` is
    /// asked first.
    pub fn finish(self, report: &mut Report, hint: impl Fn(&str, &Node) -> Option<String>) {
        for (key, node) in &self.nodes {
            let message = hint(key, node).unwrap_or_else(|| self.about_unknown(key));
            report.problem(node.place, Kind::Absence, &self.path_of(key), message);
        }
    }

    fn about_unknown(&self, key: &str) -> String {
        match (schema::meant(key, &self.known), schema::home_of(key)) {
            (Some(near), _) => format!("unknown key, want `{near}`"),
            (None, Some(home)) => format!("unknown key here, it belongs {home}"),
            (None, None) if self.known.len() > LISTED_MAX => {
                "unknown key, docs/configuration.md has those that there are".into()
            }
            (None, None) => format!("unknown key, want {}", schema::one_of(&self.known)),
        }
    }
}

/// The dotted path of `key` in the table at `path`, quoted where TOML would have it quoted.
pub fn dotted(path: &str, key: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let key = match !key.is_empty() && key.bytes().all(is_bare) {
        true => key.to_owned(),
        false => format!("{key:?}"),
    };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}
