//! Relay: what stands between the daemon and a platform, and spoils what a seed says.
//!
//! It hands requests on and answers back, knows no platform but for the call that publishes, and
//! measures what reached the daemon: a write that was carried out, and whose whole answer was not
//! taken, is a lost answer, whoever is to blame.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use posse_party::clock::{Clock, Timestamp};
use url::Url;

use crate::dice::Dice;
use crate::exchange;
use crate::wire::Gate;

/// How long nobody says anything before a connection is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoil {
    /// Carried out and answered.
    Nothing,
    /// The same, a little later.
    Delay,
    /// Reset before it was read.
    ResetUnread,
    /// Read, and reset.
    Reset,
    /// Read, and nothing comes back.
    Swallow,
    /// Carried out only when the daemon has given it up.
    Late,
    /// Carried out, and the connection ends without an answer.
    Lose,
    /// Carried out, and reset.
    ResetAfter,
    /// Carried out, and half of the answer comes.
    Truncate,
    /// Carried out, and the answer comes when the daemon has given it up.
    LateAnswer,
}

impl Spoil {
    /// The hardest is there three times.
    const ALL: [Self; 11] = [
        Self::Delay,
        Self::ResetUnread,
        Self::Reset,
        Self::Swallow,
        Self::Late,
        Self::Late,
        Self::Late,
        Self::Lose,
        Self::ResetAfter,
        Self::Truncate,
        Self::LateAnswer,
    ];
}

/// When a publication can be stopped on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It was read, and not handed on.
    Asked,
    /// It was carried out, and not answered.
    Done,
}

/// A publication that is to stop on its way.
#[derive(Clone)]
pub struct Trap {
    moment: Moment,
    reached: Gate,
    release: Gate,
}

impl Trap {
    /// Whether one was caught within `most`.
    pub fn catches(&self, most: Duration) -> bool {
        self.reached.wait_at_most(most)
    }

    /// Lets it go on, now or as soon as it comes.
    pub fn open(&self) {
        self.release.open();
    }
}

/// What became of one request.
#[derive(Clone, Debug)]
pub struct Seen {
    at: Timestamp,
    /// Method and path.
    head: String,
    spoil: Spoil,
    /// What the platform said.
    status: Option<u16>,
    /// Whether the daemon took the whole answer.
    is_taken: bool,
    /// Whether it publishes.
    pub publishes: bool,
}

impl Seen {
    /// Whether something was done and the daemon was not told.
    pub fn is_lost(&self) -> bool {
        let is_write = !self.head.starts_with("GET ");
        is_write && self.status.is_some_and(|status| status < 300) && !self.is_taken
    }

    /// Whether something was done to it.
    pub fn is_spoiled(&self) -> bool {
        self.spoil != Spoil::Nothing
    }

    /// For people.
    pub fn line(&self) -> String {
        let Self { at, head, spoil, status, is_taken, .. } = self;
        let status = status.map_or("nothing".to_owned(), |status| status.to_string());
        let end = if *is_taken { "" } else { ", and the answer was lost" };
        format!("{at} {head}: {spoil:?}, {status}{end}")
    }
}

/// How a platform is spoiled.
pub struct Manner {
    /// Method and path of the call that publishes.
    pub publication: &'static str,
    /// How long the daemon waits for an answer.
    pub timeout: Duration,
    /// Whether a request may be carried out after the daemon has given it up: there is a key or a
    /// container, and not only the list of what is there.
    pub can_be_late: bool,
}

/// The relay. Dropping it ends it.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: SocketAddr,
    manner: Manner,
    state: Mutex<State>,
    came: Condvar,
    stop: Gate,
}

struct State {
    dice: Dice,
    is_storming: bool,
    trap: Option<Trap>,
    /// Requests that were read.
    count: usize,
    seen: Vec<Seen>,
}

impl Relay {
    /// Starts it before `upstream`. It spoils nothing yet.
    pub fn start(upstream: SocketAddr, manner: Manner, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            dice: Dice::new(seed),
            is_storming: false,
            trap: None,
            count: 0,
            seen: Vec::new(),
        };
        let shared = Arc::new(Shared {
            upstream,
            manner,
            state: Mutex::new(state),
            came: Condvar::new(),
            stop: Gate::default(),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.stop.wait_at_most(Duration::ZERO) {
                    return;
                }
                let serving = Arc::clone(&serving);
                thread::spawn(move || serving.serve(stream));
            }
        });
        Self { address, shared }
    }

    /// Its origin.
    pub fn url(&self) -> Url {
        format!("http://{}", self.address).parse().unwrap()
    }

    /// Begins to spoil requests, or stops.
    pub fn storm(&self, is_storming: bool) {
        self.shared.state().is_storming = is_storming;
    }

    /// The next publication stops at `moment`, until the trap is opened.
    pub fn trap(&self, moment: Moment) -> Trap {
        let trap = Trap { moment, reached: Gate::default(), release: Gate::default() };
        self.shared.state().trap = Some(trap.clone());
        trap
    }

    /// No publication stops any more.
    pub fn disarm(&self) {
        self.shared.state().trap = None;
    }

    /// Blocks until `more` requests have come, or `most` has passed.
    pub fn wait(&self, more: usize, most: Duration) {
        let state = self.shared.state();
        let until = state.count + more;
        let few = |state: &mut State| state.count < until;
        drop(self.shared.came.wait_timeout_while(state, most, few).unwrap());
    }

    /// What became of each request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stop.open();
        let _ = TcpStream::connect(self.address); // wakes the listener
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of the next request: every other publication is spoiled, every third of the
    /// other writes, every eighth question.
    fn draw(&self, publishes: bool, writes: bool) -> Spoil {
        let mut state = self.state();
        let (roll, spoil) = (state.dice.below(24), state.dice.pick(&Spoil::ALL));
        let often = match (publishes, writes) {
            (true, _) => 12,
            (false, true) => 8,
            (false, false) => 3,
        };
        let is_spoiled = state.is_storming && roll < often;
        match spoil {
            _ if !is_spoiled => Spoil::Nothing,
            Spoil::Late if !(publishes && self.manner.can_be_late) => Spoil::Swallow,
            spoil => spoil,
        }
    }

    /// A pause of this part of the time that the daemon waits, in percent.
    fn rest(&self, percent: u32) {
        self.stop.wait_at_most(self.manner.timeout * percent / 100);
    }

    /// One connection, one request.
    fn serve(&self, mut stream: TcpStream) {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut first = [0; 200];
        let Ok(peeked) = stream.peek(&mut first) else { return };
        let publishes = first[..peeked].starts_with(self.manner.publication.as_bytes());
        let at = Clock::System.now();
        let spoil = self.draw(publishes, !first.starts_with(b"GET "));
        let mut seen =
            Seen { at, head: "unread".into(), spoil, status: None, is_taken: false, publishes };
        if spoil == Spoil::ResetUnread {
            reset(stream);
        } else if let Some((head, request)) = exchange::read_request(&mut stream, self.upstream) {
            seen.head = head;
            self.state().count += 1;
            self.came.notify_all();
            (seen.status, seen.is_taken) = self.carry(stream, &request, &seen);
        }
        self.state().seen.push(seen);
    }

    /// Stops a publication where a trap is set.
    fn stop_at(&self, moment: Moment, publishes: bool) {
        let trap = self.state().trap.take_if(|trap| publishes && trap.moment == moment);
        if let Some(trap) = trap {
            trap.reached.open();
            trap.release.wait_at_most(PATIENCE);
        }
    }

    /// Hands `request` on, and its answer back, as far as it goes: what the platform said, and
    /// whether the daemon took it.
    fn carry(&self, mut stream: TcpStream, request: &[u8], seen: &Seen) -> (Option<u16>, bool) {
        self.stop_at(Moment::Asked, seen.publishes);
        match seen.spoil {
            Spoil::Reset => {
                reset(stream);
                return (None, false);
            }
            Spoil::Swallow => {
                until_closed(&mut stream);
                return (None, false);
            }
            Spoil::Delay => self.rest(20),
            Spoil::Late => self.rest(125),
            _ => {}
        }
        // what a daemon takes for over after twice its time-out must be over
        let most = self.manner.timeout * if self.manner.can_be_late { 3 } else { 2 } / 2;
        if seen.publishes && Clock::System.now().since(seen.at) > most {
            return (None, false);
        }
        let answer = exchange::ask(self.upstream, request);
        let status = status_of(&answer);
        self.stop_at(Moment::Done, seen.publishes);
        let is_taken = match seen.spoil {
            Spoil::Lose => false,
            Spoil::ResetAfter => {
                reset(stream);
                false
            }
            Spoil::Truncate => {
                let body = answer.len() - exchange::head_length(&answer).unwrap_or(0);
                let _ = stream.write_all(&answer[..answer.len().saturating_sub(1 + body / 2)]);
                false
            }
            Spoil::LateAnswer => {
                self.rest(125);
                give(&mut stream, &answer)
            }
            _ => give(&mut stream, &answer),
        };
        (status, is_taken)
    }
}

/// The status of an answer, if that is one.
fn status_of(answer: &[u8]) -> Option<u16> {
    let head = std::str::from_utf8(&answer[..exchange::head_length(answer)?]).ok()?;
    head.split(' ').nth(1)?.parse().ok()
}

/// Gives an answer to whoever waits for it. Tells whether it was taken.
fn give(stream: &mut TcpStream, answer: &[u8]) -> bool {
    // who has given up, or was killed, has closed
    stream.set_nonblocking(true).unwrap();
    let waits =
        matches!(stream.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
    waits && stream.write_all(answer).is_ok() && {
        let _ = stream.shutdown(Shutdown::Write);
        // killed with the answer unread, the kernel resets the connection
        until_closed(stream)
    }
}

/// Waits until the other side has closed; tells whether it did so in good order.
fn until_closed(stream: &mut TcpStream) -> bool {
    let mut sink = [0; 256];
    loop {
        match stream.read(&mut sink) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// Ends a connection with a reset.
fn reset(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
}
