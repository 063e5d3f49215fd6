//! Raw: what the files say, laid over each other, each value with the place it comes from.
//!
//! The `toml` crate reads each file into a spanned tree, with every syntax error of every file at
//! once; the `config` crate lays the trees over each other, table by table, the later file winning,
//! and carries each value's origin along. **Invariant:** nothing here knows what a key means.
//! **Refuses:** variables as a source, files larger than 1 MiB.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use config::{ConfigError, Map, Source, Value, ValueKind};
use toml::de::{DeTable, DeValue};

use super::problem::{File, Kind, Place, Report};

/// The most that a file may hold. The largest sensible config is a hundredth of it.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Tables below this depth are not looked into: the schema is 5 deep, and what stands deeper is
/// reported by the key that holds it.
const DEPTH_MAX: usize = 6;

/// The one key under which a file's tree is handed to the `config` crate: it would read keys at its
/// own top, such as `"a.b"` or `"a[9]"`, as paths.
const ROOT: &str = "root";

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands; of a table, where it was first opened.
    pub place: Place,
    /// What it is.
    pub data: Data,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// `"text"`
    Text(String),
    /// `42`
    Integer(i64),
    /// `4.2`, or an integer beyond 64 bits
    Float(f64),
    /// `true`
    Bool(bool),
    /// `2026-11-23`: no key of ours takes one
    Date,
    /// `[…]`
    List(Vec<Node>),
    /// `[table]` or `{…}`
    Table(BTreeMap<String, Node>),
}

/// Reads the main file and `conf.d/*.toml` beside it into one tree.
pub fn read(path: &Path, report: &mut Report) -> Node {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let mut files = vec![(name, path.to_owned())];
    let folder = path.parent().unwrap_or(Path::new("")).join("conf.d");
    let listed = more_files(&folder);
    files.extend(listed.iter().flatten().cloned());
    let file = |name: &String| File { name: name.clone(), is_open: false };
    report.files = files.iter().map(|(name, _)| file(name)).collect();
    if let Err(error) = listed {
        report.files.push(file(&"conf.d".into()));
        let place = Place { file: report.files.len() - 1, line: 0 };
        report.problem(place, Kind::Unread, "", why(&error));
    }

    let mut places = BTreeMap::new();
    let mut layers = config::Config::builder();
    for (file, (_, path)) in files.iter().enumerate() {
        match read_text(path) {
            Ok((text, is_open)) => {
                report.files[file].is_open = is_open;
                layers = layers.add_source(Layer::parse(file, &text, &mut places, report));
            }
            Err((line, message)) => {
                report.problem(Place { file, line }, Kind::Unread, "", message);
            }
        }
    }
    let layered = layers.build().and_then(|config| config.get_table(ROOT)).unwrap_or_default();
    table(layered, &mut Vec::new(), &places)
}

/// The files of `conf.d` in the order of their names; none where there is no such folder. Hidden
/// files are left out: editors keep their locks and copies there.
fn more_files(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing?,
    };
    let mut files = Vec::new();
    for entry in listing {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".toml") && !name.starts_with('.') {
            files.push((format!("conf.d/{name}"), entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

/// The text of a file and whether everyone may read it, or the line (0: the whole) and the reason
/// why not.
fn read_text(path: &Path) -> Result<(String, bool), (usize, String)> {
    let whole = |message: String| (0, message);
    let file = fs::File::open(path).map_err(|error| whole(why(&error)))?;
    let metadata = file.metadata().map_err(|error| whole(why(&error)))?;
    if metadata.is_dir() {
        return Err(whole("is a directory, want a file".into()));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| whole(why(&error)))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(whole("is larger than 1 MiB".into()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        (line, "holds bytes that are not UTF-8, save it as UTF-8".into())
    })?;
    Ok((text, is_open(&metadata)))
}

/// Whether everyone on the machine may read a file.
pub fn is_open(metadata: &fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o004 != 0
}

/// Why a file can't be read, for people.
pub fn why(error: &std::io::Error) -> String {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
    match error.kind() {
        NotFound => "does not exist".into(),
        PermissionDenied => "may not be read by the user that runs posse-party".into(),
        IsADirectory => "is a directory, want a file".into(),
        NotADirectory => "is not a directory".into(),
        _ => format!("can't be read: {error}"),
    }
}

/// One file, as a source for the `config` crate.
#[derive(Debug, Clone)]
struct Layer(Map<String, Value>);

impl Layer {
    /// Reads `text`, with whatever is left of it after its syntax errors.
    fn parse(
        file: usize,
        text: &str,
        places: &mut BTreeMap<Vec<String>, Place>,
        report: &mut Report,
    ) -> Self {
        let newlines: Vec<_> = text.match_indices('\n').map(|(at, _)| at).collect();
        let line = |byte: usize| 1 + newlines.partition_point(|newline| *newline < byte);
        let (tree, errors) = DeTable::parse_recoverable(text);
        let mut told = None;
        for error in errors {
            let line = error.span().map_or(0, |span| line(span.start));
            // what follows on the same line only follows from it
            if told.replace(line) == Some(line) {
                continue;
            }
            let message = error.message().trim_end_matches(", expected nothing");
            report.problem(
                Place { file, line },
                Kind::Unread,
                "",
                format!("is not TOML: {message}"),
            );
        }
        places.entry(Vec::new()).or_insert(Place { file, line: 0 });
        let mut reading = Reading { file, line: &line, places, path: Vec::new() };
        Self(reading.table(tree.into_inner()))
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(Map::from_iter([(ROOT.to_owned(), Value::new(None, self.0.clone()))]))
    }
}

/// The walk from the spanned tree to the `config` crate's.
struct Reading<'a> {
    file: usize,
    line: &'a dyn Fn(usize) -> usize,
    /// Where tables were first opened, by path: layering drops the origin of a table.
    places: &'a mut BTreeMap<Vec<String>, Place>,
    path: Vec<String>,
}

impl Reading<'_> {
    fn table(&mut self, table: DeTable<'_>) -> Map<String, Value> {
        let mut values = Map::new();
        for (key, value) in table {
            let place = Place { file: self.file, line: (self.line)(key.span().start) };
            let key = key.into_inner().into_owned();
            self.path.push(key.clone());
            values.insert(key, self.value(value.into_inner(), place));
            self.path.pop();
        }
        values
    }

    fn value(&mut self, value: DeValue<'_>, place: Place) -> Value {
        let origin = format!("{}:{}", place.file, place.line);
        let kind = match value {
            DeValue::String(text) => ValueKind::String(text.into_owned()),
            DeValue::Boolean(value) => ValueKind::Boolean(value),
            DeValue::Datetime(_) => ValueKind::Nil,
            DeValue::Float(value) => ValueKind::Float(value.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Integer(value) => match i64::from_str_radix(value.as_str(), value.radix()) {
                Ok(value) => ValueKind::I64(value),
                Err(_) => ValueKind::Float(value.as_str().parse().unwrap_or(f64::NAN)),
            },
            DeValue::Array(values) if self.path.len() < DEPTH_MAX => {
                // the elements are told apart by their index, so that tables in them have places
                let mut list = Vec::new();
                for (index, value) in values.into_iter().enumerate() {
                    let place = Place { line: (self.line)(value.span().start), ..place };
                    self.path.push(index.to_string());
                    list.push(self.value(value.into_inner(), place));
                    self.path.pop();
                }
                ValueKind::Array(list)
            }
            DeValue::Table(table) if self.path.len() < DEPTH_MAX => {
                self.places.entry(self.path.clone()).or_insert(place);
                ValueKind::Table(self.table(table))
            }
            DeValue::Array(_) | DeValue::Table(_) => ValueKind::Table(Map::new()),
        };
        Value::new(Some(&origin), kind)
    }
}

/// The layered table at `path` as ours.
fn table(
    layered: Map<String, Value>,
    path: &mut Vec<String>,
    places: &BTreeMap<Vec<String>, Place>,
) -> Node {
    let place = places.get(path).copied().unwrap_or(Place { file: 0, line: 0 });
    let mut nodes = BTreeMap::new();
    for (key, value) in layered {
        path.push(key.clone());
        nodes.insert(key, node(value, path, places));
        path.pop();
    }
    Node { place, data: Data::Table(nodes) }
}

fn node(value: Value, path: &mut Vec<String>, places: &BTreeMap<Vec<String>, Place>) -> Node {
    let place = value.origin().and_then(place_of).unwrap_or(Place { file: 0, line: 0 });
    let data = match value.kind {
        ValueKind::Table(layered) => return table(layered, path, places),
        ValueKind::Array(values) => {
            let nodes = values.into_iter().enumerate().map(|(index, value)| {
                path.push(index.to_string());
                let node = node(value, path, places);
                path.pop();
                node
            });
            Data::List(nodes.collect())
        }
        ValueKind::String(text) => Data::Text(text),
        ValueKind::Boolean(value) => Data::Bool(value),
        ValueKind::I64(value) => Data::Integer(value),
        ValueKind::Float(value) => Data::Float(value),
        // `Reading` makes no other kind, and this one only of dates
        _ => Data::Date,
    };
    Node { place, data }
}

fn place_of(origin: &str) -> Option<Place> {
    let (file, line) = origin.split_once(':')?;
    Some(Place { file: file.parse().ok()?, line: line.parse().ok()? })
}
