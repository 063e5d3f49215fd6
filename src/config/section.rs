//! Section: one table of the config on its way to a type: it hands out its keys, and reports what
//! is wrong with them and which of them nobody knows.

use std::collections::BTreeMap;

use super::problem::{Kind, Place, Report};
use super::raw::{Data, Node};
use super::schema;

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
        let (path, place, known) = (path.into(), node.place, known.into());
        match node.data {
            Data::Table(nodes) => Some(Self { path, place, known, nodes }),
            _ => {
                let message = match path.split('.').next() {
                    Some(table @ ("feeds" | "accounts")) => {
                        format!("want a table of its own for each: `[{table}.LABEL]`")
                    }
                    _ => format!("want a table: `[{path}]`"),
                };
                report.problem(place, Kind::Value, &path, message);
                None
            }
        }
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

    /// Reports that `key` is missing.
    pub fn missing(&self, report: &mut Report, key: &str, want: &str) {
        let message = format!("is missing, {want}");
        report.problem(self.place, Kind::Absence, &self.path_of(key), message);
    }

    /// Takes another table out of this one, with any key.
    pub fn entries(mut self) -> impl Iterator<Item = (String, Node)> {
        std::mem::take(&mut self.nodes).into_iter()
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
