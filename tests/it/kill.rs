//! kill -9 anywhere, the built daemon: each entry is on each account exactly once and in order,
//! whatever was in flight, and whatever became of the answers.
//!
//! A relay before each platform spoils requests, the daemon is killed at moments that a seed
//! chooses, and in the end the platforms' own lists are compared with the feed. A short run is part
//! of all tests; `POSSE_KILLS`, `POSSE_SEED` and `POSSE_PDS` (the folder of a real Bluesky server)
//! make it longer, another one, and realer (`docs/testing.md`).

use std::path::PathBuf;
use std::time::Duration;

use posse_party::clock::Clock;
use posse_party::environment;
use rustix::process::Signal;
use serde_json::json;

use crate::daemon_process::{Daemon, news};
use crate::dice::Dice;
use crate::world::Item;

mod judge;
mod pds;
mod relay;
mod stage;

use judge::Row;
use relay::{Moment, Relay};
use stage::{Account, Stage};

/// How often the daemon is killed in the short run.
const KILLS: usize = 25;
/// The seed of the short run.
const SEED: u64 = 20_261_126;
/// The most entries that wait for the slowest account, in the short run; in longer ones the storm
/// begins with so few and has more and more.
const BACKLOG: usize = 3;
/// How long the daemon may take for what is left, once nothing disturbs it any more.
const SETTLE: Duration = Duration::from_secs(300);

/// The moments at which it is killed.
#[derive(Clone, Copy, Debug)]
enum Round {
    /// A publication was read, and nothing was done yet.
    Asked,
    /// A publication was carried out, and not answered.
    Done,
    /// Some requests to a platform later.
    Request,
    /// A feed is being asked.
    Poll,
    /// The daemon has hardly begun, or is just ready.
    Start,
    /// Some lines of the log later.
    Line,
    /// No event marks it.
    Anywhen,
    /// Twice at once.
    Twice,
    /// It was asked to stop, and is about to.
    Stop,
    /// It was asked to read its config again.
    Reload,
}

impl Round {
    const ALL: [Self; 14] = [
        Self::Asked,
        Self::Asked,
        Self::Asked,
        Self::Done,
        Self::Done,
        Self::Done,
        Self::Request,
        Self::Poll,
        Self::Start,
        Self::Line,
        Self::Anywhen,
        Self::Twice,
        Self::Stop,
        Self::Reload,
    ];
}

/// What was done to the daemon.
#[derive(Default)]
struct Tally {
    kills: usize,
    /// Kills while a publication was stopped on its way.
    at_publication: usize,
    stops: usize,
    reloads: usize,
    /// How often entries were edited while posts of them were on their way.
    edits: usize,
}

/// The run.
struct Run {
    stage: Stage,
    dice: Dice,
    entries: usize,
    /// Whether so much waits for the slowest account that nothing new is announced.
    is_full: bool,
    tally: Tally,
    /// Every line of every daemon.
    log: Vec<String>,
}

#[test]
fn nothing_is_lost_or_doubled_wherever_it_is_killed() {
    let number = |name| environment::var(name).map(|text| text.parse().unwrap());
    let kills = number("POSSE_KILLS").map_or(KILLS, |kills: u64| usize::try_from(kills).unwrap());
    let seed = number("POSSE_SEED").unwrap_or(SEED);
    let pds = environment::var("POSSE_PDS").map(PathBuf::from);
    let began = Clock::System.now();
    let mut run = Run {
        stage: Stage::new(seed, pds.as_deref()),
        dice: Dice::new(seed),
        entries: 0,
        is_full: false,
        tally: Tally::default(),
        log: Vec::new(),
    };
    run.begin();
    run.storm(kills);
    run.settle();
    let rows = run.rows();
    let Tally { kills, at_publication, stops, reloads, edits } = run.tally;
    println!(
        "seed {seed}: {kills} kills ({at_publication} of them in the middle of a publication), \
         {stops} stops, {reloads} reloads; {} entries, {edits} times edited while on their way; {} s\n",
        run.entries,
        Clock::System.now().since(began).as_secs(),
    );
    println!("{}", judge::table(&rows));
    rows.iter().flat_map(|row| &row.notes).for_each(|note| println!("{note}"));
    let faults: Vec<_> = rows.iter().flat_map(|row| &row.faults).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{}", run.evidence());
    assert_eq!(run.stage.complaints(), [] as [&str; 0]);
    let panics: Vec<_> = run.log.iter().filter(|line| line.contains("panicked")).collect();
    assert!(panics.is_empty(), "{panics:#?}");
    let sums = |of: fn(&Row) -> usize| rows.iter().map(of).sum::<usize>();
    assert_eq!(sums(|row| row.lost + row.doubled + row.disordered), 0);
    let cut_off = sums(|row| row.cut_off);
    assert!(cut_off > kills / 4, "only {cut_off} attempts in {kills} kills were in flight");
    assert!(edits > 0, "no entry was edited on its way");
}

impl Run {
    /// The first sight of the feed, and a first post on every account: the sign-in at Bluesky, of
    /// which there are three a day, is not part of the storm.
    fn begin(&mut self) {
        let daemon = self.stage.site.start();
        daemon.wait("first sight of blog for outbox");
        self.announce();
        for account in &self.stage.accounts {
            daemon.wait(&format!("published \"Entry 0\" to {}", account.label));
        }
        self.log.extend(daemon.kill().lines().map(str::to_owned));
    }

    /// Kills so often.
    fn storm(&mut self, kills: usize) {
        self.stage.relays().for_each(|relay| relay.storm(true));
        let mut running = None;
        while self.tally.kills < kills {
            let round = self.dice.pick(&Round::ALL);
            self.is_full = self.backlog() >= BACKLOG + self.tally.kills / 10;
            if !self.is_full {
                self.announce();
            }
            running = self.round(round, running);
            // not every kill is followed by one in the same second
            if self.dice.below(3) == 0 {
                let daemon = running.take().unwrap_or_else(|| self.stage.site.start());
                let most = Duration::from_millis(500 + 100 * self.dice.below(30));
                daemon.wait_for_lines(usize::MAX, most);
                running = Some(daemon);
            }
        }
        if let Some(daemon) = running {
            self.kill(daemon);
        }
    }

    /// Puts a note, an article, or an entry with a picture into the feed. It says itself where it
    /// does not go.
    fn announce(&mut self) {
        let n = self.entries;
        self.entries += 1;
        let url = self.stage.web.url(&format!("/{n}")).to_string();
        let item = Item { url, ..news(&n.to_string()) };
        let accounts = self.stage.accounts.iter().filter(|account| !account.wants(n));
        let no = accounts.map(|it| (it.label.to_owned(), json!({ "syndicate": false })));
        let mut post = json!({ "account_overrides": no.collect::<serde_json::Map<_, _>>() });
        let item = match if n == 0 { 0 } else { self.dice.below(4) } {
            0 | 1 => Item { content: format!("<p>{}</p>", "Words of it. ".repeat(60)), ..item },
            2 => Item {
                title: String::new(),
                content: format!("<p>A note, and no title: Entry {n} says it all.</p>"),
                ..item
            },
            _ => {
                let url = self.stage.web.url("/picture.png");
                post["media"] = json!([{ "url": url, "alt": "a picture" }]);
                item
            }
        };
        // a test's feed lives as long as the test
        let post = Box::leak(post.to_string().into_boxed_str());
        self.stage.blog.add(Item { post, ..item });
    }

    /// How many posts the slowest account lacks.
    fn backlog(&self) -> usize {
        let lacks = |account: &Account| {
            account.wanted(self.entries).count().saturating_sub(account.list().len())
        };
        self.stage.accounts.iter().map(lacks).max().unwrap_or(0)
    }

    /// One life of the daemon, and its end. Goes on with the one that runs; leaves one behind where
    /// the next had to begin.
    fn round(&mut self, round: Round, running: Option<Daemon>) -> Option<Daemon> {
        let site = std::sync::Arc::clone(&self.stage.site);
        if matches!(round, Round::Start) && running.is_none() {
            let daemon = Daemon::spawn(site.command(&["run"]));
            let most = Duration::from_millis(self.dice.below(120));
            daemon.wait_for_lines(1 + self.dice.below(3) as usize, most);
            self.kill(daemon);
            return None;
        }
        let daemon = running.unwrap_or_else(|| site.start());
        let soon = Duration::from_millis(600);
        let some = 1 + self.dice.below(4) as usize;
        match round {
            Round::Asked | Round::Done => return self.kill_at_publication(round, daemon),
            Round::Request => self.any_relay().wait(some, soon),
            Round::Poll => {
                let server = self.stage.blog.server();
                server.wait_for(server.requests().len() + some);
            }
            Round::Start => {}
            Round::Line => daemon.wait_for_lines(daemon.log().len() + some, soon),
            Round::Anywhen => self.wait_anywhen(&daemon),
            Round::Twice => {
                self.wait_anywhen(&daemon);
                self.kill(daemon);
                let daemon = Daemon::spawn(site.command(&["run"]));
                let most = Duration::from_millis(self.dice.below(80));
                daemon.wait_for_lines(usize::MAX, most);
                self.kill(daemon);
                return None;
            }
            Round::Stop => {
                self.wait_anywhen(&daemon);
                self.tally.stops += 1;
                if self.dice.below(2) == 0 {
                    self.log.extend(daemon.stop().lines().map(str::to_owned));
                    return None;
                }
                daemon.send(Signal::TERM);
                daemon.wait_for_lines(usize::MAX, Duration::from_millis(self.dice.below(50)));
            }
            Round::Reload => {
                let retry_max = self.dice.pick(&["150ms", "200ms", "300ms"]);
                self.stage.configure(retry_max);
                daemon.send(Signal::HUP);
                self.tally.reloads += 1;
                self.wait_anywhen(&daemon);
            }
        }
        self.kill(daemon);
        None
    }

    /// Waits up to 600 ms for nothing.
    fn wait_anywhen(&mut self, daemon: &Daemon) {
        let most = Duration::from_millis(self.dice.below(600));
        daemon.wait_for_lines(usize::MAX, most);
    }

    /// Kills it while a publication is stopped on its way, at times after its entry was edited, and
    /// at times lets that go on only when the next daemon has begun.
    fn kill_at_publication(&mut self, round: Round, daemon: Daemon) -> Option<Daemon> {
        let moment = if matches!(round, Round::Asked) { Moment::Asked } else { Moment::Done };
        let trap = self.any_relay().trap(moment);
        let caught = trap.catches(Duration::from_millis(3500));
        if caught {
            if self.tally.at_publication.is_multiple_of(4) {
                self.edit();
            }
            self.tally.at_publication += 1;
        }
        self.kill(daemon);
        let next = (self.dice.below(2) == 0).then(|| self.stage.site.start());
        self.stage.relays().for_each(Relay::disarm);
        trap.open();
        next
    }

    /// Edits what may be on its way, and waits until the daemon must have read that.
    fn edit(&mut self) {
        let newest = Account::THINNED * (self.backlog() + 1);
        self.stage.blog.change(|items| {
            for item in items.iter_mut().take(newest) {
                let words = if item.title.is_empty() { &mut item.content } else { &mut item.title };
                *words += " (edited)";
            }
        });
        self.tally.edits += 1;
        let server = self.stage.blog.server();
        server.wait_for(server.requests().len() + 2);
    }

    /// One that has something to hand on.
    fn any_relay(&mut self) -> &Relay {
        const ALL: [&str; 5] = ["mastodon", "gotosocial", "bluesky", "threads", "threads"];
        let label = self.dice.pick(if self.is_full { &["threads"] } else { &ALL });
        self.stage.account(label).relay.as_ref().unwrap()
    }

    fn kill(&mut self, daemon: Daemon) {
        self.log.extend(daemon.kill().lines().map(str::to_owned));
        self.tally.kills += 1;
    }

    /// Nothing disturbs it any more: it has to settle all that is left.
    fn settle(&mut self) {
        self.stage.relays().for_each(|relay| relay.storm(false));
        self.announce();
        let daemon = self.stage.site.start();
        let over = Clock::System.now().plus(SETTLE);
        let all = self.entries * self.stage.accounts.len();
        loop {
            let lines = daemon.log().len();
            let ledger = judge::ledger(&self.stage.site);
            let is_open = |state: &str| ["ready", "sending", "uncertain"].contains(&state);
            let open = ledger.values().filter(|kept| is_open(&kept.state)).count();
            if open == 0 && ledger.len() == all {
                break;
            }
            let late = Clock::System.now() > over;
            assert!(!late, "{open} of {all} are not settled\n{}", self.evidence());
            daemon.wait_for_lines(lines + 1, Duration::from_secs(1));
        }
        self.log.extend(daemon.stop().lines().map(str::to_owned));
    }

    fn rows(&self) -> Vec<Row> {
        let ledger = judge::ledger(&self.stage.site);
        let accounts = self.stage.accounts.iter();
        accounts.map(|it| judge::judge(&self.stage, it, self.entries, &ledger)).collect()
    }

    /// All that the daemons said and the relays saw.
    fn evidence(&self) -> String {
        let mut lines = self.log.clone();
        for account in &self.stage.accounts {
            let seen = account.relay.iter().flat_map(Relay::seen);
            lines.extend(seen.map(|seen| format!("{} {}", seen.line(), account.label)));
        }
        lines.sort();
        lines.join("\n")
    }
}
