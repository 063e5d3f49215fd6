//! Judge: the lists of the platforms against the feed and the ledger, as one table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use posse_party::store::Connection;

use super::stage::{Account, Stage};
use crate::daemon_process::Site;

/// How many attempts of a post may get no usable answer before younger ones overtake it
/// (`docs/states.md`).
const PATIENCE: u32 = 3;

/// A crosspost, as the ledger has it.
pub struct Kept {
    pub state: String,
    doubts: u32,
    reason: String,
}

/// The ledger: account and number of the entry.
pub type Ledger = BTreeMap<(String, usize), Kept>;

/// Reads the ledger; what was in the feed at first is left out.
pub fn ledger(site: &Site) -> Ledger {
    let db = Connection::open(site.database()).unwrap();
    let sql = "SELECT a.label, e.entry_id, c.state, c.doubts, coalesce(c.reason, '')
        FROM crossposts c JOIN entries e ON e.id = c.entry JOIN accounts a ON a.id = c.account_id";
    let mut rows = db.prepare(sql).unwrap();
    let rows = rows.query_map((), |row| {
        let kept = Kept { state: row.get(2)?, doubts: row.get(3)?, reason: row.get(4)? };
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, kept))
    });
    let rows = rows.unwrap().map(Result::unwrap);
    rows.filter_map(|(label, entry, kept)| {
        let number = entry.rsplit(':').next()?.parse().ok()?;
        Some(((label, number), kept))
    })
    .collect()
}

/// How many attempts of an account ended with the daemon.
fn cut_off(site: &Site, label: &str) -> usize {
    let db = Connection::open(site.database()).unwrap();
    let sql = "SELECT count(*) FROM attempts t JOIN crossposts c ON c.id = t.crosspost_id
        JOIN accounts a ON a.id = c.account_id WHERE t.outcome = 'cut off' AND a.label = ?1";
    let count: u32 = db.query_row(sql, [label], |row| row.get(0)).unwrap();
    count as usize
}

/// The number of the entry that a post is of.
pub fn number_in(text: &str) -> Option<usize> {
    let rest = text.split_once("Entry ")?.1;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// What an account came to.
#[derive(Default)]
pub struct Row {
    name: String,
    requests: usize,
    spoiled: usize,
    pub cut_off: usize,
    lost_answers: usize,
    lost_publications: usize,
    pub posts: usize,
    pub lost: usize,
    pub doubled: usize,
    /// Younger posts that went before one that had waited for more than [`PATIENCE`] answers.
    overtaken: usize,
    pub disordered: usize,
    left: usize,
    /// What is wrong, for people.
    pub faults: Vec<String>,
    /// What is left for a person, and why.
    pub notes: Vec<String>,
}

/// Looks at one account. `entries` were in the feed, in the order of their numbers from 0.
pub fn judge(stage: &Stage, account: &Account, entries: usize, ledger: &Ledger) -> Row {
    let seen = account.relay.as_ref().map(|relay| relay.seen()).unwrap_or_default();
    let count = |is: fn(&super::relay::Seen) -> bool| seen.iter().filter(|it| is(it)).count();
    let texts = account.list();
    let mut row = Row {
        name: format!("{} ({})", account.label, account.platform),
        requests: seen.len(),
        spoiled: count(super::relay::Seen::is_spoiled),
        cut_off: cut_off(&stage.site, account.label),
        lost_answers: count(super::relay::Seen::is_lost),
        lost_publications: count(|it| it.publishes && it.is_lost()),
        posts: texts.len(),
        ..Row::default()
    };
    let mut there = Vec::new();
    for text in &texts {
        match number_in(text).filter(|it| *it < entries && account.wants(*it)) {
            Some(number) if !there.contains(&number) => there.push(number),
            _ => {
                row.doubled += 1;
                row.faults.push(format!("{}: one too many: {text}", account.label));
            }
        }
    }
    let public: BTreeSet<usize> = there.iter().copied().collect();
    for number in account.wanted(entries) {
        let kept = ledger.get(&(account.label.to_owned(), number));
        let state = kept.map_or("unknown", |kept| kept.state.as_str());
        if matches!(state, "held" | "failed") {
            row.left += 1;
            let reason = kept.map_or("", |kept| kept.reason.as_str());
            row.notes.push(format!("{}: entry {number} is {state}: {reason}", account.label));
        } else if !public.contains(&number) || state != "published" {
            row.lost += 1;
            let where_ = if public.contains(&number) { "there" } else { "not there" };
            row.faults.push(format!("{}: entry {number} is {where_}, and {state}", account.label));
        }
    }
    let patience_was_over =
        |number: usize| ledger[&(account.label.to_owned(), number)].doubts > PATIENCE;
    for (at, number) in there.iter().enumerate() {
        let Some(younger) = there[..at].iter().find(|before| *before > number) else { continue };
        if patience_was_over(*number) {
            row.overtaken += 1;
        } else {
            row.disordered += 1;
            let what = format!("{}: entry {number} came after {younger}", account.label);
            row.faults.push(what);
        }
    }
    row
}

/// The rows as a table, with their sum.
pub fn table(rows: &[Row]) -> String {
    const HEADS: [&str; 11] = [
        "account",
        "requests",
        "spoiled",
        "attempts cut off",
        "lost answers",
        "of them to a publication",
        "posts",
        "lost",
        "doubled",
        "overtaken",
        "left for a person",
    ];
    let mut out = format!("| {} |\n|{}\n", HEADS.join(" | "), "---|".repeat(HEADS.len()));
    let numbers = |row: &Row| {
        [
            row.requests,
            row.spoiled,
            row.cut_off,
            row.lost_answers,
            row.lost_publications,
            row.posts,
            row.lost,
            row.doubled,
            row.overtaken,
            row.left,
        ]
    };
    let mut sum = [0; HEADS.len() - 1];
    let mut line = |name: &str, numbers: &[usize]| {
        let numbers: Vec<_> = numbers.iter().map(usize::to_string).collect();
        let _ = writeln!(out, "| {name} | {} |", numbers.join(" | "));
    };
    for row in rows {
        line(&row.name, &numbers(row));
        sum.iter_mut().zip(numbers(row)).for_each(|(sum, number)| *sum += number);
    }
    line("all", &sum);
    out
}
