//! Daemon: the release binary in a folder of its own, and what it costs.
//!
//! CPU time of a run is what bash's `times` says of its child, to the millisecond; the peak is the last
//! `VmHWM` before the end, read every 2 ms.

use std::fmt::Write;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The release binary.
pub const BINARY: &str = env!("CARGO_BIN_EXE_posse-party");
/// As in the unit.
pub const ALLOCATOR: [(&str, &str); 2] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "1048576")];

/// Builds the binary as it is shipped: the one that `cargo bench` has just built in its place has
/// all the features that the tests ask of its crates, half a megabyte more.
pub fn build() {
    let target = Path::new(BINARY).ancestors().nth(2).unwrap();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--quiet", "--bin", "posse-party"])
        .arg("--target-dir")
        .arg(target)
        .status()
        .unwrap();
    assert!(status.success(), "the release binary is built");
}

/// What a process has cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub wall: Duration,
    pub cpu: Duration,
    /// In KiB.
    pub peak: u64,
}

/// A folder with a config and a database.
pub struct Home(TempDir);

impl Home {
    /// On the disk that holds the build, because a fsync in memory costs nothing.
    pub fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a config of `count` feeds, which `url` names, and `accounts`.
    pub fn configure(
        &self,
        count: usize,
        url: impl Fn(usize) -> String,
        backfill: u32,
        accounts: &str,
    ) {
        self.configure_paced("1h", count, url, backfill, accounts);
    }

    /// The same, with the time between two polls.
    pub fn configure_paced(
        &self,
        poll: &str,
        count: usize,
        url: impl Fn(usize) -> String,
        backfill: u32,
        accounts: &str,
    ) {
        let mut text = format!("database = {:?}\n{accounts}\n", self.path("posse-party.db"));
        for at in 0..count {
            write!(text, "[feeds.f{at}]\nurl = {:?}\npoll = {poll:?}\n", url(at)).unwrap();
            writeln!(text, "backfill = {backfill}").unwrap();
        }
        fs::write(self.path("config.toml"), text).unwrap();
    }

    /// `run`, not started yet.
    fn command(&self, arguments: &[&str]) -> Vec<String> {
        let config = self.path("config.toml").to_str().unwrap().to_owned();
        let all = [BINARY, "run", "--config", &config].into_iter().chain(arguments.iter().copied());
        all.map(str::to_owned).collect()
    }

    fn log(&self) -> File {
        File::options().create(true).append(true).open(self.path("log")).unwrap()
    }

    /// Runs `run --once` to its end.
    pub fn run_once(&self) -> Cost {
        let cost = measure(&self.command(&["--once"]), self.log());
        cost.unwrap_or_else(|| panic!("{}", fs::read_to_string(self.path("log")).unwrap()))
    }

    /// Runs another command of the binary to its end and tells how long it took.
    pub fn ask(&self, arguments: &[&str]) -> Duration {
        let began = Instant::now();
        let output = Command::new(BINARY)
            .args(arguments)
            .arg("--config")
            .arg(self.path("config.toml"))
            .output()
            .unwrap();
        let took = began.elapsed();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        took
    }

    /// Starts the daemon and waits until it is ready. Tells how long that took.
    pub fn start(&self) -> (Running, Duration) {
        self.start_under(&[])
    }

    /// The same, run by `runner`, a program that becomes the daemon (`taskset`) or watches it from
    /// another process (`strace -D`).
    pub fn start_under(&self, runner: &[&str]) -> (Running, Duration) {
        let socket = self.path("notify");
        fs::remove_file(&socket).ok();
        let notify = UnixDatagram::bind(&socket).unwrap();
        notify.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let runner = runner.iter().map(|&word| word.to_owned());
        let command: Vec<String> = runner.chain(self.command(&[])).collect();
        let began = Instant::now();
        let child = Command::new(&command[0])
            .args(&command[1..])
            .envs(ALLOCATOR)
            .env("NOTIFY_SOCKET", &socket)
            .stderr(self.log())
            .spawn()
            .unwrap();
        let running = Running(child);
        let mut datagram = [0; 4096];
        let length = notify.recv(&mut datagram).expect("the daemon becomes ready");
        let took = began.elapsed();
        assert!(datagram[..length].starts_with(b"READY=1"));
        (running, took)
    }
}

/// A daemon that runs; stopped when dropped.
pub struct Running(Child);

impl Running {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Makes it poll every feed.
    pub fn poll(&self) {
        kill_process(self.pid(), Signal::USR1).unwrap();
    }

    /// The most memory so far, in KiB.
    pub fn peak(&self) -> u64 {
        kib(&self.file("status"), "VmHWM:")
    }

    /// CPU time of the process so far, in hundredths of a second.
    pub fn cpu(&self) -> Duration {
        let line = self.file("stat");
        // the name of the program may hold anything but `)`
        let fields = line.rsplit(") ").next().unwrap_or_default().split(' ');
        let ticks = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// CPU time of the threads that live, to the nanosecond, and how often they went to sleep: for
    /// a while in which none ends.
    pub fn work(&self) -> (Duration, u64) {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        let ids = tasks.map(|task| task.unwrap().file_name().into_string().unwrap());
        ids.fold((Duration::ZERO, 0), |(time, count), id| {
            let schedule = self.file(&format!("task/{id}/schedstat"));
            let nanos = schedule.split(' ').next().and_then(|nanos| nanos.parse().ok());
            let status = self.file(&format!("task/{id}/status"));
            let slept = kib(&status, "voluntary_ctxt_switches:");
            (time + Duration::from_nanos(nanos.unwrap_or(0)), count + slept)
        })
    }

    /// How many files and sockets are open.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0.id())).unwrap().count()
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.0.id())).unwrap_or_default()
    }

    /// Memory that no file backs, in KiB: heap and stacks.
    pub fn anonymous(&self) -> u64 {
        kib(&self.file("status"), "RssAnon:")
    }

    /// Private memory, in KiB: what it takes from the machine.
    pub fn private(&self) -> u64 {
        let map = self.file("smaps_rollup");
        kib(&map, "Private_Clean:") + kib(&map, "Private_Dirty:")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill_process(self.pid(), Signal::TERM).ok();
        self.0.wait().ok();
    }
}

/// How often a daemon waits for the disk, as strace counts it.
pub struct Waits {
    pipe: String,
    report: Receiver<String>,
}

impl Waits {
    /// Through a pipe in `home`; none where strace is not installed.
    pub fn of(home: &Home) -> Option<Self> {
        Command::new("strace").arg("-V").output().ok()?;
        let pipe = home.path("waits");
        fs::remove_file(&pipe).ok();
        mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        let (tell, report) = channel();
        let read = pipe.clone();
        // strace ends a little later than what it watches, and the pipe with it
        std::thread::spawn(move || tell.send(fs::read_to_string(read).unwrap()));
        Some(Self { pipe: pipe.to_str().unwrap().to_owned(), report })
    }

    /// What runs the daemon and counts, from a process of its own.
    pub fn runner(&self) -> [&str; 7] {
        let trace = "trace=fsync,fdatasync";
        ["strace", "-Df", "--seccomp-bpf", "-ce", trace, "-o", &self.pipe]
    }

    /// How often, when the daemon has ended.
    pub fn count(self) -> u64 {
        let report = self.report.recv_timeout(Duration::from_secs(20));
        let calls = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let is_wait = words.last().is_some_and(|name| name.ends_with("sync"));
            if is_wait { words[3].parse::<u64>().unwrap() } else { 0 }
        };
        report.expect("strace writes a report").lines().map(calls).sum()
    }
}

/// Runs a command to its end; none when it failed.
pub fn measure(command: &[String], log: File) -> Option<Cost> {
    let began = Instant::now();
    let mut shell = Command::new("bash")
        .args(["-c", "\"$@\" >/dev/null & echo $!; wait $!; code=$?; times; exit $code", "--"])
        .args(command)
        .envs(ALLOCATOR)
        .env("LC_ALL", "C")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("bash is installed");
    let lines = lines(shell.stdout.take().unwrap());
    let status = format!("/proc/{}/status", lines.recv().unwrap());
    let mut peak = 0;
    // the next line comes when it has ended
    while let Err(RecvTimeoutError::Timeout) = lines.recv_timeout(Duration::from_millis(2)) {
        let status = fs::read_to_string(&status).unwrap_or_default();
        peak = kib(&status, "VmHWM:").max(peak);
    }
    let wall = began.elapsed();
    // the shell's own times were the first of two lines
    let cpu = lines.recv().unwrap().split(' ').map(duration).sum();
    shell.wait().unwrap().success().then_some(Cost { wall, cpu, peak })
}

/// The lines of a process, as they come.
pub fn lines(out: ChildStdout) -> Receiver<String> {
    let (tell, lines) = channel();
    std::thread::spawn(move || {
        BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
    });
    lines
}

/// `0m1.234s`, as bash writes it.
fn duration(text: &str) -> Duration {
    let (minutes, seconds) = text.trim_end_matches('s').split_once('m').unwrap();
    let seconds: f64 = seconds.parse().unwrap();
    Duration::from_secs_f64(minutes.parse::<f64>().unwrap() * 60.0 + seconds)
}

/// A number of KiB in a file of /proc; 0 when it is not there.
fn kib(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}
