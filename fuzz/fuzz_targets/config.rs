//! Config: whatever stands in the file, it is taken or all of its mistakes are told.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use posse_party::compose::template;
use posse_party::config::{Config, Problems};

/// In memory where there is a file system for that.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = folder.join(format!("posse-party-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    folder.join("config.toml")
});

fn load() -> Result<Config, Problems> {
    Config::load_with(&FILE, &|_| None, template::check)
}

fuzz_target!(|text: &str| {
    std::fs::write(&*FILE, text).expect("the file can be written");
    let loaded = load();
    assert!(loaded == load(), "the same file is read in another way");
    let config = match loaded {
        Ok(config) => config,
        Err(problems) => {
            assert!(!problems.list.is_empty(), "it failed and nothing is wrong");
            let lines = text.split('\n').count();
            for problem in &problems.list {
                assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem:?}");
                let told = problem.to_string();
                assert!(!told.trim().is_empty() && !told.contains('\u{1b}'), "{told:?}");
            }
            return;
        }
    };
    for feed in config.feeds.values() {
        assert!(matches!(feed.url.scheme(), "http" | "https" | "file"), "{}", feed.url);
        let known = |label| config.accounts.contains_key(label);
        assert!(feed.accounts.iter().flatten().all(known), "a feed goes to nobody");
    }
    assert!(config.warnings.iter().all(|warning| !warning.contains('\n')), "a warning is one line");
});
