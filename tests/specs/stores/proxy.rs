//! A proxy between the agent and a store that does to requests what networks and stores do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::Dice;

/// What is done to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends before the store hears anything.
    Cut,
    /// The store does it, and its answer is lost.
    LoseAnswer,
    /// It takes a while.
    Delay,
    /// The store is overloaded.
    Overloaded,
    /// Half of what is sent arrives.
    HalfUp,
    /// Half of the answer arrives.
    HalfDown,
    /// A bit of what is sent changes on the way.
    BitUp,
    /// A bit of the answer's body changes on the way.
    BitDown,
    /// The store gets it twice.
    Twice,
    /// Bytes come in drops.
    Slow,
    /// The store says that the credentials have expired, as each store says it.
    Expired,
    /// None at all: requests are counted.
    Nothing,
}

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    /// Each fault with how often it was planted.
    faults: Mutex<(Dice, Vec<(Fault, u64)>)>,
    /// One request in so many.
    one_in: u64,
    most: u64,
    ended: AtomicBool,
}

impl Proxy {
    /// Listens before a store; one request in `one_in` meets one of the faults, `most` in all.
    pub(crate) fn start(upstream: &str, seed: u64, odds: (u64, u64), faults: &[Fault]) -> Self {
        let (one_in, most) = odds;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            faults: Mutex::new((
                Dice::new(seed),
                faults.iter().map(|kind| (*kind, 0)).collect(),
            )),
            one_in,
            most,
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.ended.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&accepting);
                // A connection that breaks is what this is about.
                thread::spawn(move || serve(&shared, client));
            }
        });
        Self { port, shared }
    }

    /// How many faults were planted.
    pub(crate) fn planted(&self) -> u64 {
        self.each().iter().map(|(_, count)| count).sum()
    }

    /// How often each fault was planted.
    pub(crate) fn each(&self) -> Vec<(Fault, u64)> {
        self.shared.faults.lock().unwrap().1.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    /// The fault of this request: of those that fit it, the one that came least until now.
    fn roll(&self, body: usize, method: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let (dice, kinds) = &mut *faults;
        let planted: u64 = kinds.iter().map(|(_, count)| count).sum();
        if kinds.is_empty() || dice.below(self.one_in) > 0 || planted >= self.most {
            return None;
        }
        let fits = |fault: Fault| match fault {
            Fault::HalfUp | Fault::BitUp => body > 1000,
            Fault::BitDown | Fault::HalfDown => method == "GET",
            // Twice the same is harmless, or the store refuses the second: PUT alone is repeated.
            Fault::Twice => method == "PUT",
            _ => true,
        };
        let fitting = kinds.iter_mut().filter(|(fault, _)| fits(*fault));
        let (fault, count) = fitting.min_by_key(|(_, count)| *count)?;
        *count += 1;
        Some(*fault)
    }
}

/// One message: head, body.
struct Message {
    head: String,
    body: Vec<u8>,
}

fn length(head: &str) -> Option<usize> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut named = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    named.next()?.1.trim().parse().ok()
}

fn read_head(from: &mut TcpStream, kept: &mut Vec<u8>) -> Option<String> {
    let mut piece = vec![0; 64 << 10];
    loop {
        if let Some(end) = kept.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = kept.split_off(end + 4);
            let head = std::mem::replace(kept, rest);
            return String::from_utf8(head).ok();
        }
        match from.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(got) => kept.extend_from_slice(&piece[..got]),
        }
    }
}

fn read_request(from: &mut TcpStream, kept: &mut Vec<u8>) -> Option<Message> {
    let head = read_head(from, kept)?;
    let wanted = length(&head).unwrap_or(0);
    let have = wanted.min(kept.len());
    let rest = kept.split_off(have);
    let mut body = std::mem::replace(kept, rest);
    if body.len() < wanted {
        let from_there = body.len();
        body.resize(wanted, 0);
        from.read_exact(&mut body[from_there..]).ok()?;
    }
    Some(Message { head, body })
}

/// The same head, but the connection ends behind the answer.
fn closing(head: &str) -> String {
    let lines: Vec<&str> = head.trim_end().split("\r\n").collect();
    let keep = |line: &&&str| !line.to_ascii_lowercase().starts_with("connection:");
    let lines: Vec<&str> = lines.iter().filter(keep).copied().collect();
    format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"))
}

/// Sends a request on and reads the whole answer.
fn ask(upstream: &str, request: &Message, body: &[u8]) -> Option<Message> {
    let mut store = TcpStream::connect(upstream).ok()?;
    store.write_all(closing(&request.head).as_bytes()).ok()?;
    store.write_all(body).ok()?;
    let mut rest = Vec::new();
    let head = read_head(&mut store, &mut rest)?;
    let bodiless = request.head.starts_with("HEAD ") || head.contains(" 204 ");
    if !bodiless {
        match length(&head) {
            Some(wanted) if rest.len() >= wanted => rest.truncate(wanted),
            Some(wanted) => {
                let have = rest.len();
                rest.resize(wanted, 0);
                store.read_exact(&mut rest[have..]).ok()?;
            }
            None => {
                store.read_to_end(&mut rest).ok()?;
            }
        }
    }
    Some(Message { head, body: rest })
}

const OVERLOADED: &str = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code>\
                          <Message>Please reduce your request rate.</Message></Error>";

const EXPIRED: &str = "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code>\
                       <Message>The provided token has expired.</Message></Error>";

fn serve(shared: &Shared, mut client: TcpStream) {
    let mut kept = Vec::new();
    while let Some(mut request) = read_request(&mut client, &mut kept) {
        let method = request
            .head
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        let fault = shared.roll(request.body.len(), &method);
        let half = request.body.len() / 2;
        match fault {
            Some(Fault::Cut) => break,
            Some(Fault::HalfUp) => {
                if let Ok(mut store) = TcpStream::connect(&shared.upstream) {
                    let _ = store.write_all(request.head.as_bytes());
                    let _ = store.write_all(&request.body[..half]);
                    let _ = store.shutdown(Shutdown::Both);
                }
                break;
            }
            Some(Fault::Overloaded) => {
                let head = format!(
                    "HTTP/1.1 503 Slow Down\r\nContent-Length: {}\r\n\r\n{OVERLOADED}",
                    OVERLOADED.len()
                );
                if client.write_all(head.as_bytes()).is_err() {
                    break;
                }
                continue;
            }
            Some(Fault::Expired) => {
                // What answers HEAD has no body that could say why.
                let body = if method == "HEAD" { "" } else { EXPIRED };
                let head = format!(
                    "HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n{body}",
                    EXPIRED.len()
                );
                if client.write_all(head.as_bytes()).is_err() {
                    break;
                }
                continue;
            }
            Some(Fault::Delay) => thread::sleep(Duration::from_millis(700)),
            Some(Fault::BitUp) => request.body[half] ^= 4,
            Some(Fault::Twice) => {
                ask(&shared.upstream, &request, &request.body);
            }
            _ => {}
        }
        let Some(answer) = ask(&shared.upstream, &request, &request.body) else {
            break;
        };
        if !give(&mut client, answer, fault) {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

/// Hands the answer on; false when the connection ends with it.
fn give(client: &mut TcpStream, mut answer: Message, fault: Option<Fault>) -> bool {
    let half = answer.body.len() / 2;
    match fault {
        Some(Fault::LoseAnswer) => return false,
        Some(Fault::BitDown) if half > 0 => answer.body[half] ^= 4,
        Some(Fault::HalfDown) => {
            let _ = client.write_all(answer.head.as_bytes());
            let _ = client.write_all(&answer.body[..half]);
            return false;
        }
        Some(Fault::Slow) => {
            let sent = client.write_all(closing(&answer.head).as_bytes());
            let drops = answer.body.chunks(answer.body.len() / 20 + 1);
            let all = drops.map(|drop| {
                thread::sleep(Duration::from_millis(20));
                client.write_all(drop)
            });
            let _ = sent.and(all.collect::<Result<(), _>>());
            return false;
        }
        _ => {}
    }
    let head = closing(&answer.head);
    let _ = client.write_all(head.as_bytes());
    let _ = client.write_all(&answer.body);
    false
}
