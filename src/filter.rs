//! Filter: which entries an account wants.
//!
//! **Invariant:** the time that a pattern takes is linear in the text, whatever the pattern.

use crate::entry::Entry;

/// `include` and `exclude` of one account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Where there are any, one of them must match.
    pub include: Vec<Rule>,
    /// None of them may match.
    pub exclude: Vec<Rule>,
}

/// One pattern on one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule;

impl Filters {
    /// The rule by which `entry` is not wanted, in words; `None` where it is.
    pub fn refusal(&self, _entry: &Entry) -> Option<String> {
        None
    }
}
