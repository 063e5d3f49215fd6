//! Sizes: bytes as people write them. **Refuses:** to guess a unit.

use super::{describe, shown, text};
use crate::config::raw::{Data, Node};

/// The units, with the bytes of one of each.
const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// A size of at least `min` bytes: `1 GiB`, `500MB`.
pub fn size(node: &Node, min: u64) -> Result<u64, String> {
    if let Data::Integer(number) = node.data {
        return Err(format!("`{number}` has no unit, want for example `\"{number} MiB\"`"));
    }
    let text = text(node).map_err(|_| format!("{} is no size, want {EXAMPLE}", describe(node)))?;
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let number: u64 = number.parse().map_err(|_| no_size(text))?;
    if unit.is_empty() {
        return Err(format!("{} has no unit, want for example `{number} MiB`", shown(text)));
    }
    let found = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    let (_, one) = found.ok_or_else(|| no_size(text))?;
    let bytes = number.checked_mul(*one).ok_or_else(|| no_size(text))?;
    if bytes < min {
        return Err(format!("{} is too little, want at least `{} MiB`", shown(text), min >> 20));
    }
    Ok(bytes)
}

const EXAMPLE: &str = "for example `1 GiB` or `500 MB`";

fn no_size(text: &str) -> String {
    format!("{} is no size, want {EXAMPLE}", shown(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::Place;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let check = |data: Data, expect: Result<u64, &str>| {
            let node = Node { data, place: Place { file: 0, line: 1 } };
            assert_eq!(size(&node, 1 << 20), expect.map_err(str::to_owned));
        };
        let text = |text: &str| Data::Text(text.into());
        check(text("1 GiB"), Ok(1 << 30));
        check(text("500MB"), Ok(500_000_000));
        check(text("2048 kib"), Ok(2 << 20));
        check(text("1048576 B"), Ok(1 << 20));
        check(text("1 MB"), Err("`1 MB` is too little, want at least `1 MiB`"));
        check(text("512"), Err("`512` has no unit, want for example `512 MiB`"));
        check(Data::Integer(512), Err("`512` has no unit, want for example `\"512 MiB\"`"));
        let want = "want for example `1 GiB` or `500 MB`";
        check(text("1.5 GiB"), Err(&format!("`1.5 GiB` is no size, {want}")));
        check(text("lots"), Err(&format!("`lots` is no size, {want}")));
        check(text("1 GBit"), Err(&format!("`1 GBit` is no size, {want}")));
        check(text("99999999999 TB"), Err(&format!("`99999999999 TB` is no size, {want}")));
        check(Data::Bool(true), Err(&format!("`true` is no size, {want}")));
    }
}
