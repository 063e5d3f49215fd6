//! Poll: one poll of a thousand feeds and of ten thousand, cold, unchanged and with a tenth
//! changed.

use std::fs::File;

use rusqlite::Connection;

use crate::daemon::{Cost, Home, measure};
use crate::serve::Server;
use crate::table::{Row, row};
use crate::{median, megabytes};

/// How many feeds, and how often that is measured; the median counts.
const SIZES: [(usize, usize); 2] = [(1_000, 5), (10_000, 1)];
const ENTRIES: usize = 15;
/// Of one entry: 33 KB a feed.
const BYTES: usize = 2200;

/// What one kind of poll has cost, once for each round.
#[derive(Default)]
struct Costs {
    ours: Vec<Cost>,
    bare: Vec<Cost>,
}

/// The three kinds of poll.
pub fn figures() -> Vec<Row> {
    SIZES.into_iter().flat_map(|(feeds, rounds)| of(feeds, rounds)).collect()
}

fn of(feeds: usize, rounds: usize) -> Vec<Row> {
    let mut server = Server::start();
    let (mut cold, mut same, mut changed) = (Costs::default(), Costs::default(), Costs::default());
    for _ in 0..rounds {
        let (ours, bare) = (Ours::new(&server.origin, feeds), Bare::new(&server.origin, feeds));
        let run = |costs: &mut Costs, entries| {
            costs.bare.push(bare.run(entries));
            costs.ours.push(ours.run(entries));
        };
        server.feeds(feeds, ENTRIES, 0, BYTES);
        run(&mut cold, feeds * ENTRIES);
        run(&mut same, feeds * ENTRIES);
        server.feeds(feeds, ENTRIES, 1, BYTES);
        run(&mut changed, feeds * ENTRIES + feeds / 10);
    }
    let one = same.ours.iter().map(|cost| cost.cpu.as_nanos() / feeds as u128).collect();
    let rows = [
        (format!("{feeds} feeds cold: {} MB, {} entries", feeds / 30, feeds * ENTRIES), cold),
        (format!("{feeds} feeds unchanged (304)"), same),
        (format!("{feeds} feeds, a tenth of them with one new entry"), changed),
    ];
    let mut rows: Vec<Row> =
        rows.into_iter().flat_map(|(what, costs)| costs.rows(&what, feeds)).collect();
    let one = format!("{:.0} µs", median(one) as f64 / 1e3);
    rows.push(row(
        &format!("one unchanged poll of {feeds}: CPU, start of the daemon included"),
        one,
        "",
    ));
    rows
}

impl Costs {
    fn rows(&self, what: &str, feeds: usize) -> [Row; 3] {
        let seconds = |costs: &[Cost], of: fn(&Cost) -> u128| {
            let micros = median(costs.iter().map(of).collect());
            (micros as f64 / 1e6, format!("{:.3} s", micros as f64 / 1e6))
        };
        let timed = |name: &str, of: fn(&Cost) -> u128| {
            let ((ours, figure), (bare, yardstick)) =
                (seconds(&self.ours, of), seconds(&self.bare, of));
            Row {
                what: format!("{what}, {name}"),
                figure: format!("{figure} ({:.1} ×)", ours / bare),
                bare: yardstick,
                goal: "≤ 2 × bare".into(),
            }
        };
        let peak = |costs: &[Cost]| megabytes(median(costs.iter().map(|cost| cost.peak).collect()));
        [
            timed("CPU", |cost| cost.cpu.as_micros()),
            timed("wall", |cost| cost.wall.as_micros()),
            Row {
                what: format!("{what}, peak memory"),
                figure: peak(&self.ours),
                bare: peak(&self.bare),
                goal: if feeds > 1_000 { "≤ 100 MB" } else { "≤ 32 MB" }.into(),
            },
        ]
    }
}

/// The daemon, with one account.
struct Ours(Home, usize);

impl Ours {
    fn new(origin: &str, feeds: usize) -> Self {
        let home = Home::new();
        let more = "[accounts.box]\nplatform = \"outbox\"\npath = \"box.jsonl\"\n";
        home.configure(feeds, |at| format!("{origin}/feed/{at}"), 0, more);
        Self(home, feeds)
    }

    fn run(&self, entries: usize) -> Cost {
        let cost = self.0.run_once();
        let db = Connection::open(self.0.path("posse-party.db")).unwrap();
        assert_eq!(count(&db, "entries"), entries);
        assert_eq!(count(&db, "crossposts"), entries);
        assert_eq!(count(&db, "feeds WHERE last_error IS NULL AND etag IS NOT NULL"), self.1);
        cost
    }
}

/// The bare loop.
struct Bare(Home, String, usize);

impl Bare {
    fn new(origin: &str, feeds: usize) -> Self {
        Self(Home::new(), origin.to_owned(), feeds)
    }

    fn run(&self, entries: usize) -> Cost {
        let this = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
        let database = self.0.path("bare.db");
        let command = [
            this,
            "bare".into(),
            database.to_str().unwrap().into(),
            self.1.clone(),
            self.2.to_string(),
        ];
        let log = File::create(self.0.path("log")).unwrap();
        let cost = measure(&command, log).expect("the bare loop runs");
        assert_eq!(count(&Connection::open(database).unwrap(), "entries"), entries);
        cost
    }
}

fn count(db: &Connection, of: &str) -> usize {
    db.query_row(&format!("SELECT count(*) FROM {of}"), (), |row| row.get::<_, i64>(0))
        .unwrap()
        .try_into()
        .unwrap()
}
