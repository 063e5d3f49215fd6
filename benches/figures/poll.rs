//! Poll: one poll of a thousand feeds, cold, unchanged and with a tenth changed.

use std::fs::File;

use rusqlite::Connection;

use crate::daemon::{Cost, Home, measure};
use crate::serve::Server;
use crate::table::Row;
use crate::{median, megabytes};

const FEEDS: usize = 1000;
const ENTRIES: usize = 15;
/// Of one entry: 33 KB a feed.
const BYTES: usize = 2200;
/// How often each is measured; the median counts.
const ROUNDS: usize = 5;

/// What one kind of poll has cost, once for each round.
#[derive(Default)]
struct Costs {
    ours: Vec<Cost>,
    bare: Vec<Cost>,
}

/// The three kinds of poll.
pub fn figures() -> Vec<Row> {
    let mut server = Server::start();
    let (mut cold, mut same, mut changed) = (Costs::default(), Costs::default(), Costs::default());
    for _ in 0..ROUNDS {
        let (ours, bare) = (Ours::new(&server.origin), Bare::new(&server.origin));
        let run = |costs: &mut Costs, entries| {
            costs.bare.push(bare.run(entries));
            costs.ours.push(ours.run(entries));
        };
        server.feeds(FEEDS, ENTRIES, 0, BYTES);
        run(&mut cold, FEEDS * ENTRIES);
        run(&mut same, FEEDS * ENTRIES);
        server.feeds(FEEDS, ENTRIES, 1, BYTES);
        run(&mut changed, FEEDS * ENTRIES + FEEDS / 10);
    }
    let rows = [
        ("cold: 33 MB, 15,000 entries", cold),
        ("unchanged: 1,000 × 304", same),
        ("changed: 100 feeds with one new entry each", changed),
    ];
    rows.into_iter().flat_map(|(what, costs)| costs.rows(what)).collect()
}

impl Costs {
    fn rows(&self, what: &str) -> [Row; 3] {
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
                goal: "≤ 32 MB".into(),
            },
        ]
    }
}

/// The daemon, with one account.
struct Ours(Home);

impl Ours {
    fn new(origin: &str) -> Self {
        let home = Home::new();
        let more = "[accounts.box]\nplatform = \"outbox\"\npath = \"box.jsonl\"\n";
        home.configure(FEEDS, |at| format!("{origin}/feed/{at}"), 0, more);
        Self(home)
    }

    fn run(&self, entries: usize) -> Cost {
        let cost = self.0.run_once();
        let db = Connection::open(self.0.path("posse-party.db")).unwrap();
        assert_eq!(count(&db, "entries"), entries);
        assert_eq!(count(&db, "crossposts"), entries);
        assert_eq!(count(&db, "feeds WHERE last_error IS NULL AND etag IS NOT NULL"), FEEDS);
        cost
    }
}

/// The bare loop.
struct Bare(Home, String);

impl Bare {
    fn new(origin: &str) -> Self {
        Self(Home::new(), origin.to_owned())
    }

    fn run(&self, entries: usize) -> Cost {
        let this = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
        let database = self.0.path("bare.db");
        let command = [
            this,
            "bare".into(),
            database.to_str().unwrap().into(),
            self.1.clone(),
            FEEDS.to_string(),
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
