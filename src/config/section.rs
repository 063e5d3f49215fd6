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
                let message = format!("want a table, for example `[{path}]`");
                report.problem(place, Kind::Value, &path, message);
                None
            }
        }
    }

    /// The dotted path of `key`.
    pub fn path_of(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.into(),
            path => format!("{path}.{key}"),
        }
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

    /// Reports every key that the schema does not know, with what was most likely meant. `hint` may
    /// know more about a key that is like none of this table.
    pub fn finish(self, report: &mut Report, hint: impl Fn(&str) -> Option<String>) {
        for (key, node) in &self.nodes {
            let near = schema::nearest(key, self.known.iter().copied());
            let message = match (near, hint(key), schema::home_of(key)) {
                (Some(near), ..) => format!("unknown key, want `{near}`"),
                (None, Some(hint), _) => hint,
                (None, None, Some(home)) => format!("unknown key here, it belongs {home}"),
                _ => format!("unknown key, want {}", schema::one_of(&self.known)),
            };
            report.problem(node.place, Kind::Absence, &self.path_of(key), message);
        }
    }
}
