//! Signals, sent to a child process: this test binary, running `child` alone.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use posse_party::environment;
use posse_party::orders::Orders;
use posse_party::signals;
use rustix::process::{Pid, Signal, kill_process};

const PART: &str = "POSSE_PARTY_TEST_SIGNALS";

/// What the child process does; nothing in the parent, which sets no part.
#[test]
fn child() {
    let Some(part) = environment::var(PART) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (signals, orders) = (signals::listen().unwrap(), Orders::default());
        println!("ready");
        if part == "stuck" {
            loop {
                std::thread::park(); // the only thread of the runtime never comes back
            }
        }
        let tell = async {
            loop {
                tokio::select! {
                    () = orders.reload.notified() => println!("reload"),
                    () = orders.poll.notified() => println!("poll"),
                    () = orders.stop.cancelled() => break println!("stop"),
                }
            }
            if part == "busy" {
                std::future::pending::<()>().await;
            }
        };
        tokio::join!(signals.forward(orders.clone()), tell);
    });
}

struct Daemon {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Daemon {
    fn start(part: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "signals::child", "--nocapture", "--test-threads=1"])
            .env(PART, part)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut daemon = Self { process, lines };
        daemon.expect("ready");
        daemon
    }

    fn send(&self, signal: Signal) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, signal).unwrap();
    }

    /// Reads on until a line ends with `word` (the harness writes the test's name before the first).
    fn expect(&mut self, word: &str) {
        let found = self.lines.by_ref().map(|line| line.unwrap()).find(|line| line.ends_with(word));
        assert!(found.is_some(), "the child ended without `{word}`");
    }

    fn exit_code(mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill(); // has an effect only where the test has failed
    }
}

#[test]
fn hangup_reloads_usr1_polls_and_one_stop_is_graceful() {
    for stop in [Signal::TERM, Signal::INT] {
        let mut daemon = Daemon::start("idle");
        daemon.send(Signal::HUP);
        daemon.expect("reload");
        daemon.send(Signal::USR1);
        daemon.expect("poll");
        daemon.send(Signal::HUP);
        daemon.expect("reload");
        daemon.send(stop);
        daemon.expect("stop");
        assert_eq!(daemon.exit_code(), Some(0));
    }
}

#[test]
fn a_second_stop_does_not_wait_for_what_is_in_flight() {
    for (first, second) in [(Signal::TERM, Signal::TERM), (Signal::TERM, Signal::INT)] {
        let mut daemon = Daemon::start("busy");
        daemon.send(first);
        daemon.expect("stop");
        daemon.send(second);
        assert_eq!(daemon.exit_code(), Some(signals::EXIT_AT_ONCE));
    }
}

#[test]
fn a_second_stop_ends_even_a_runtime_that_is_stuck() {
    let mut daemon = Daemon::start("stuck");
    // two signals sent back to back can become one, so it is asked until it has gone
    while daemon.process.try_wait().unwrap().is_none() {
        daemon.send(Signal::TERM);
        std::thread::yield_now();
    }
    assert_eq!(daemon.exit_code(), Some(signals::EXIT_AT_ONCE));
}
