//! Code pages: encodings of DOS and old Macs, which the web's own list leaves out.

/// For each page its name and the characters of the bytes 128 to 255, as the Unicode Consortium
/// maps them (`MAPPINGS/VENDORS`); U+FFFD where it has none.
const PAGES: &str = include_str!("codepages.txt");

/// The upper half of the code page that goes by `label`, given in lower case.
pub(super) fn upper_half(label: &str) -> Option<Vec<char>> {
    let name = name(label);
    let mut pages = PAGES.lines().filter_map(|line| line.split_once('\t'));
    pages.find(|(page, _)| *page == name).map(|(_, characters)| characters.chars().collect())
}

/// Reads `body` with an upper half of 128 characters.
pub(super) fn decode(body: &[u8], upper_half: &[char]) -> String {
    let character = |byte: &u8| match byte.checked_sub(0x80) {
        None => char::from(*byte),
        Some(place) => {
            upper_half.get(usize::from(place)).copied().unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    };
    body.iter().map(character).collect()
}

/// `cp437`, `ibm437`, `cspc8codepage437` and the like are all `437`.
fn name(label: &str) -> &str {
    match label {
        "cp-is" => return "861",
        "maclatin2" | "mac-latin2" => return "maccentraleurope",
        _ => {}
    }
    let label = label.strip_prefix("cspc8codepage").unwrap_or(label);
    let start = label.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let is_page = ["", "cp", "ibm", "csibm", "cspc", "cspcp"].contains(&&label[..start]);
    let digits = &label[start..];
    let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if is_page && length > 0 { &digits[..length] } else { label }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(label: &str, expect: &str) {
        let read = upper_half(label).map(|upper| decode(b"a\x80\xe1", &upper));
        assert_eq!(read.as_deref().unwrap_or("none"), expect, "{label}");
    }

    #[test]
    fn pages_by_their_many_names() {
        for label in ["437", "cp437", "ibm437", "cspc8codepage437"] {
            check(label, "aÇß");
        }
        check("cspc775baltic", "aĆß");
        check("cspcp852", "aÇß");
        check("macgreek", "aÄα");
        check("maclatin2", "aÄŠ");
        check("klingon", "none");
        check("cp9999", "none");
        check("", "none");
    }

    #[test]
    fn every_page_is_whole() {
        for line in PAGES.lines() {
            let (name, characters) = line.split_once('\t').unwrap();
            assert_eq!(characters.chars().count(), 128, "{name}");
        }
    }
}
