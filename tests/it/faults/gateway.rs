//! A gateway between a publisher and the stand-in of its platform, in which exactly one request
//! goes wrong, whatever the platform is.
//!
//! Publishing clients keep no connection, so that each request looks up its host once: the resolver
//! counts the requests, and decides what becomes of the connection. What can only go wrong later is
//! done by the gateway, which hands requests on and answers back, byte for byte but for `Host`,
//! whose value is handed on as `X-Forwarded-Host`.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::exchange;

/// The name of the host, which is in the certificate.
pub const HOST: &str = "platform.test";
/// Who vouches for it.
pub const AUTHORITY: &[u8] = include_bytes!("../../fixtures/tls/authority.der");
const CERTIFICATE: &[u8] = include_bytes!("../../fixtures/tls/certificate.der");
const KEY: &[u8] = include_bytes!("../../fixtures/tls/key.der");

/// What can become of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is refused.
    Refuse,
    /// The host has no address.
    Dns,
    /// Nobody answers the first packet.
    ConnectTimeout,
    /// The handshake fails.
    Tls,
    /// The request is taken, and nothing comes back.
    Hang,
    /// The connection ends before the request was read.
    HangUpBefore,
    /// The connection ends after it was.
    HangUpAfter,
    /// 429 that says how long.
    LimitedUntil,
    /// 429 that doesn't.
    Limited,
    /// 500.
    Broken,
    /// 502 with a proxy's page.
    BadGateway,
    /// 503.
    Unavailable,
    /// A success that ends in the middle.
    Truncated,
    /// A success that nobody can read.
    Unreadable,
    /// A redirect.
    Redirect,
    /// The true answer, more slowly than anybody waits.
    SlowBody,
}

impl Fault {
    pub const ALL: [Self; 16] = [
        Self::Refuse,
        Self::Dns,
        Self::ConnectTimeout,
        Self::Tls,
        Self::Hang,
        Self::HangUpBefore,
        Self::HangUpAfter,
        Self::LimitedUntil,
        Self::Limited,
        Self::Broken,
        Self::BadGateway,
        Self::Unavailable,
        Self::Truncated,
        Self::Unreadable,
        Self::Redirect,
        Self::SlowBody,
    ];

    /// The head of its column.
    pub fn title(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Dns => "no name",
            Self::ConnectTimeout => "no connection",
            Self::Tls => "no TLS",
            Self::Hang => "silence",
            Self::HangUpBefore => "hang-up before",
            Self::HangUpAfter => "hang-up after",
            Self::LimitedUntil => "429 until",
            Self::Limited => "429",
            Self::Broken => "500",
            Self::BadGateway => "502 page",
            Self::Unavailable => "503",
            Self::Truncated => "cut 2xx",
            Self::Unreadable => "odd 2xx",
            Self::Redirect => "redirect",
            Self::SlowBody => "slow body",
        }
    }

    /// Whether the request may have been carried out: no, yes, or both.
    pub fn acts(self) -> &'static [bool] {
        match self {
            Self::Refuse | Self::Dns | Self::ConnectTimeout | Self::Tls => &[false],
            // a platform that says "too many" has done nothing: all sheets agree
            Self::LimitedUntil | Self::Limited => &[false],
            Self::HangUpBefore => &[false],
            Self::Truncated | Self::Unreadable | Self::SlowBody | Self::HangUpAfter => &[true],
            _ => &[false, true],
        }
    }

    /// Whether the client can know that nothing was carried out.
    pub fn surely_did_nothing(self) -> bool {
        self.acts() == [false] && self != Self::HangUpBefore
    }

    /// Whether somebody has to give up waiting.
    pub fn takes_time(self) -> bool {
        matches!(self, Self::Hang | Self::SlowBody | Self::ConnectTimeout)
    }
}

/// The gateway. Dropping it ends it.
pub struct Gateway {
    address: SocketAddr,
    /// Takes no connection: its queue is full.
    black_hole: (TcpListener, TcpStream),
    shared: Arc<Shared>,
}

struct Shared {
    upstream: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    down: bool,
    /// How many requests were begun.
    lookups: usize,
    /// Which request meets what, and whether it is carried out all the same.
    plan: Option<(usize, Fault, bool)>,
    /// What the next connection meets.
    next: Option<(Fault, bool)>,
    /// Method and path of each request that arrived whole.
    seen: Vec<String>,
    streams: Vec<TcpStream>,
}

impl Gateway {
    /// Starts it before `upstream`.
    pub fn start(upstream: SocketAddr, with_tls: bool) -> Self {
        let (listener, hole) = ports();
        rustix::net::listen(&hole, 0).unwrap();
        let filler = TcpStream::connect(hole.local_addr().unwrap()).unwrap();
        let tls = with_tls.then(|| {
            let key = PrivateKeyDer::try_from(KEY.to_vec()).unwrap();
            let chain = vec![CertificateDer::from(CERTIFICATE.to_vec())];
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth();
            Arc::new(config.with_single_cert(chain, key).unwrap())
        });
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { upstream, tls, state: Mutex::default() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                let mut state = serving.state();
                if state.down {
                    return;
                }
                state.streams.push(stream.try_clone().unwrap());
                let fault = state.next.take();
                drop(state);
                let serving = Arc::clone(&serving);
                thread::spawn(move || serving.serve(stream, fault));
            }
        });
        Self { address, black_hole: (hole, filler), shared }
    }

    /// Its origin.
    pub fn url(&self) -> url::Url {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{HOST}:{}", self.address.port()).parse().unwrap()
    }

    /// What leads clients here, or astray.
    pub fn resolver(&self) -> Resolver {
        let hole = self.black_hole.0.local_addr().unwrap();
        Resolver { here: self.address, hole, shared: Arc::clone(&self.shared) }
    }

    /// The request that is the `number`th from now on, from 0, meets `fault`.
    pub fn plan(&self, number: usize, fault: Fault, acts: bool) {
        let mut state = self.shared.state();
        state.plan = Some((state.lookups + number, fault, acts));
    }

    /// Whether the planned request came.
    pub fn is_over(&self) -> bool {
        self.shared.state().plan.is_none()
    }

    /// Method and path of each request so far.
    pub fn seen(&self) -> Vec<String> {
        self.shared.state().seen.clone()
    }
}

/// Two listeners at the same port of two addresses.
fn ports() -> (TcpListener, TcpListener) {
    (0..100)
        .find_map(|_| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let hole = TcpListener::bind(("127.0.0.2", port)).ok()?;
            // nobody listens there
            TcpListener::bind(("127.0.0.3", port)).ok()?;
            Some((listener, hole))
        })
        .unwrap()
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.down = true;
        for stream in state.streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both); // it may be gone already
        }
        drop(state);
        let _ = TcpStream::connect(self.address); // wakes the listener
        let _ = self.black_hole.1.shutdown(Shutdown::Both);
    }
}

/// Leads clients to the gateway, and one request astray.
pub struct Resolver {
    here: SocketAddr,
    hole: SocketAddr,
    shared: Arc<Shared>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let mut state = self.shared.state();
        let number = state.lookups;
        state.lookups += 1;
        let due = state.plan.take_if(|(at, ..)| *at == number);
        let mut nowhere = self.here;
        nowhere.set_ip([127, 0, 0, 3].into());
        let to = match due {
            Some((_, Fault::Dns, _)) => None,
            Some((_, Fault::Refuse, _)) => Some(nowhere),
            Some((_, Fault::ConnectTimeout, _)) => Some(self.hole),
            Some((_, fault, acts)) => {
                state.next = Some((fault, acts));
                Some(self.here)
            }
            None => Some(self.here),
        };
        let known = name.as_str() == HOST;
        Box::pin(async move {
            let to = to.filter(|_| known).ok_or("failed to look up the name: nobody has it")?;
            Ok(Box::new(std::iter::once(to)) as Addrs)
        })
    }
}

/// A stream of either kind.
trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One connection, one request.
    fn serve(&self, mut stream: TcpStream, fault: Option<(Fault, bool)>) {
        let raw = stream.try_clone().unwrap();
        match (&self.tls, fault) {
            (_, Some((Fault::HangUpBefore, _))) => {
                // it came in order that the request may leave, and is never read
                let _ = raw.shutdown(Shutdown::Both);
            }
            (_, Some((Fault::Tls, _))) => {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            }
            (Some(config), fault) => {
                let Ok(session) = ServerConnection::new(Arc::clone(config)) else { return };
                self.talk(&mut StreamOwned::new(session, stream), fault);
            }
            (None, fault) => self.talk(&mut stream, fault),
        }
        let _ = raw.shutdown(Shutdown::Both);
    }

    fn talk(&self, line: &mut dyn Line, fault: Option<(Fault, bool)>) {
        let Some((head, request)) = exchange::read_request(line, self.upstream) else { return };
        self.state().seen.push(head);
        let Some((fault, acts)) = fault else {
            let _ = line.write_all(&exchange::ask(self.upstream, &request));
            return;
        };
        let answer = if acts { exchange::ask(self.upstream, &request) } else { Vec::new() };
        let body = exchange::head_length(&answer).unwrap_or(0);
        let page = |status: u16, more: &str| {
            let text = format!("<html><body><h1>{status}</h1></body></html>");
            let length = text.len();
            format!(
                "HTTP/1.1 {status} Status\r\nContent-Type: text/html\r\n{more}\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n{text}"
            )
        };
        let said = match fault {
            Fault::LimitedUntil => page(429, "Retry-After: 120\r\n").into_bytes(),
            Fault::Limited => page(429, "").into_bytes(),
            Fault::Broken => page(500, "").into_bytes(),
            Fault::BadGateway => page(502, "").into_bytes(),
            Fault::Unavailable => page(503, "").into_bytes(),
            Fault::Unreadable => page(200, "").into_bytes(),
            Fault::Redirect => page(303, "Location: https://elsewhere.test/\r\n").into_bytes(),
            Fault::Truncated => answer[..body + (answer.len() - body) / 2].to_vec(),
            Fault::SlowBody => {
                let _ = line.write_all(&answer[..body]);
                for byte in answer[body..].chunks(1) {
                    if !self.rest() || line.write_all(byte).and_then(|()| line.flush()).is_err() {
                        break;
                    }
                }
                return;
            }
            Fault::Hang => {
                while matches!(line.read(&mut [0; 64]), Ok(1..)) {}
                return;
            }
            _ => return,
        };
        let _ = line.write_all(&said).and_then(|()| line.flush());
    }

    /// Waits a moment; false when all is over.
    fn rest(&self) -> bool {
        let never = std::sync::Condvar::new();
        let state = self.state();
        let (state, _) = never
            .wait_timeout(state, Duration::from_millis(200))
            .unwrap_or_else(PoisonError::into_inner);
        !state.down
    }
}
