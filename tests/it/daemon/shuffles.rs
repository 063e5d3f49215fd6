//! Reloads at random, of valid and invalid configs, while entries flow: nothing is sent to an
//! account that is not configured, and nothing twice to one that is renamed or comes back.

use std::collections::BTreeSet;

use rustix::process::Signal;

use super::OUT;
use crate::daemon_process::{FeedHost, QUICK, Site, news};
use crate::dice::Dice;

/// How often the config changes.
const ROUNDS: usize = 30;

/// The accounts that come and go: a label, and the file that it shares with its other name.
const GUESTS: [(&str, &str); 6] =
    [("a", "a"), ("a-new", "a"), ("b", "b"), ("b-new", "b"), ("c", "c"), ("c-new", "c")];

fn account((label, file): (&str, &str), cooldown: u64) -> String {
    format!(
        "[accounts.{label}]\nplatform = \"outbox\"\npath = \"{file}.jsonl\"\ndelay = \"0s\"\n\
         cooldown = \"{cooldown}ms\"\n"
    )
}

#[test]
fn nothing_is_sent_to_an_account_that_is_not_configured() {
    let blog = FeedHost::start(vec![news("old")]);
    let base = [&blog.config("blog"), OUT, QUICK].concat();
    let site = Site::new(&base);
    let daemon = site.start();
    daemon.wait("first sight of blog for out");
    let mut dice = Dice::new(0x2026_1126);
    let mut configured: BTreeSet<&str> = BTreeSet::new();
    let (mut refused, mut sent) = (0, Vec::new());
    for round in 0..ROUNDS {
        // one that may be under way when the config changes
        blog.add(news(&format!("{round}-before")));
        sent.push(format!("{round}-before"));
        // one name for a file at most
        let mut guests = Vec::new();
        for names in GUESTS.chunks(2) {
            match dice.below(6) {
                0 | 1 => {}
                2 => guests.push(names[1]),
                _ => guests.push(names[0]),
            }
        }
        let accounts: String = guests.iter().map(|guest| account(*guest, dice.below(9))).collect();
        let config = [base.as_str(), &accounts].concat();
        if dice.below(4) == 0 {
            refused += 1;
            let broken = ["dellay = \"0s\"\n", "this is no TOML", "platform = \"myspace\"\n"];
            site.configure(&[config.as_str(), dice.pick(&broken)].concat());
            daemon.send(Signal::HUP);
            daemon.wait_nth("the config is not applied", refused);
        } else {
            site.configure(&config);
            daemon.reload();
            configured = guests.iter().map(|(_, file)| *file).collect();
        }
        let gone: Vec<_> =
            ["a", "b", "c"].into_iter().filter(|file| !configured.contains(file)).collect();
        let lines = || -> Vec<_> {
            gone.iter().map(|file| site.outbox(&format!("{file}.jsonl"))).collect()
        };
        let before = lines();
        blog.add(news(&format!("{round}-after")));
        sent.push(format!("{round}-after"));
        daemon.wait(&format!("published \"Entry {round}-after\" to out"));
        assert_eq!(lines(), before, "round {round}: only {configured:?} are configured");
    }
    daemon.stop();
    let wanted: Vec<_> =
        sent.iter().map(|id| format!("Entry {id} https://a.example/{id}")).collect();
    assert_eq!(site.outbox("out.jsonl"), wanted, "all of it, once, in order");
    for file in ["a", "b", "c"] {
        let posts = site.outbox(&format!("{file}.jsonl"));
        let once: BTreeSet<_> = posts.iter().collect();
        assert_eq!(once.len(), posts.len(), "{file}: something is there twice: {posts:#?}");
        assert!(!posts.is_empty(), "{file} never got anything: the test sees too little");
    }
    assert!(refused > 3, "only {refused} invalid configs");
}
