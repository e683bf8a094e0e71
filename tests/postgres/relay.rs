//! Stands between an agent and its server, and goes wrong at a moment that is asked for.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// When it goes wrong, once.
#[derive(Clone, Debug)]
pub(crate) enum Wrong {
    /// The server's answer with these bytes never arrives, and nothing behind it.
    Swallow(&'static [u8]),
    /// The connection ends where the agent says these bytes for the so many-th time.
    Cut(&'static [u8], usize),
}

/// A relay; its connections end with the test.
pub(crate) struct Relay {
    pub(crate) port: u16,
    wrong: Arc<Mutex<Option<Wrong>>>,
    struck: Receiver<()>,
}

impl Relay {
    /// Before a server on this port.
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let wrong = Arc::new(Mutex::new(None));
        let (tell, struck) = channel();
        let order = wrong.clone();
        std::thread::spawn(move || {
            for agent in listener.incoming().map_while(Result::ok) {
                // Without a server the agent is let go.
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                carry((&agent, &server), &order, &tell);
            }
        });
        Self {
            port,
            wrong,
            struck,
        }
    }

    /// Goes wrong so, the next time.
    pub(crate) fn goes_wrong(&self, how: Wrong) {
        *self.wrong.lock().unwrap() = Some(how);
    }

    /// Waits until it has.
    #[track_caller]
    pub(crate) fn has_struck(&self) {
        self.struck.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}

fn carry(
    (agent, server): (&TcpStream, &TcpStream),
    order: &Arc<Mutex<Option<Wrong>>>,
    tell: &Sender<()>,
) {
    let both = || (agent.try_clone().unwrap(), server.try_clone().unwrap());
    for is_up in [true, false] {
        let ((agent, server), order, tell) = (both(), order.clone(), tell.clone());
        std::thread::spawn(move || match is_up {
            true => pass((agent, server), true, &order, &tell),
            false => pass((server, agent), false, &order, &tell),
        });
    }
}

/// Carries bytes one way; `is_up`: to the server.
fn pass(
    (mut from, mut to): (TcpStream, TcpStream),
    is_up: bool,
    order: &Mutex<Option<Wrong>>,
    tell: &Sender<()>,
) {
    let mut bytes = vec![0; 1 << 16];
    let mut seen = 0;
    loop {
        let read = from.read(&mut bytes).unwrap_or(0);
        let part = &bytes[..read];
        let mut wrong = order.lock().unwrap();
        let strikes = match (&*wrong, is_up) {
            (Some(Wrong::Cut(words, times)), true) => {
                seen += count(part, words);
                seen >= *times
            }
            (Some(Wrong::Swallow(words)), false) => count(part, words) > 0,
            _ => false,
        };
        if strikes {
            let swallows = matches!(wrong.take(), Some(Wrong::Swallow(_)));
            tell.send(()).unwrap();
            if swallows {
                // Held open: the agent waits for an answer that never comes.
                std::mem::forget((from, to));
                return;
            }
        }
        drop(wrong);
        if strikes || read == 0 || to.write_all(part).is_err() {
            // Whoever is left notices.
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
            return;
        }
    }
}

fn count(part: &[u8], words: &[u8]) -> usize {
    part.windows(words.len())
        .filter(|window| *window == words)
        .count()
}
