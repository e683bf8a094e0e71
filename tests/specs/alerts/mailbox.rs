//! A mail server on loopback: it keeps what it is sent, and refuses what it is told to refuse.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Whoever is silent longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// What kind of server it is.
#[derive(Clone, Copy, Default)]
pub(crate) struct Manner {
    /// TLS from the first byte.
    pub(crate) wraps: bool,
    /// It offers STARTTLS.
    pub(crate) offers_tls: bool,
    /// The answer to AUTH; 0: it is not offered.
    pub(crate) auth: u16,
    /// The answer to a receiver whose address begins with "gone".
    pub(crate) gone: u16,
    /// It greets with this, and with 220 where it is 0.
    pub(crate) greeting: u16,
}

/// A message that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) tls: bool,
    /// What stood behind AUTH.
    pub(crate) auth: Option<String>,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
}

/// The server.
pub(crate) struct Mailbox {
    pub(crate) port: u16,
    /// The certificate that it shows, as PEM.
    pub(crate) certificate: String,
    taken: Receiver<Taken>,
}

impl Mailbox {
    pub(crate) fn open(manner: Manner) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let port = listener.local_addr().unwrap().port();
        let (sender, taken) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                // A client that goes away in the middle is none.
                let _ = Session::serve(stream, &config, manner, &sender);
            }
        });
        Self {
            port,
            certificate: made.cert.pem(),
            taken,
        }
    }

    /// The next message. It must have come already.
    #[track_caller]
    pub(crate) fn next(&self) -> Taken {
        self.taken.recv_timeout(PATIENCE).unwrap()
    }

    #[track_caller]
    pub(crate) fn is_empty(&self) {
        assert!(self.taken.try_recv().is_err());
    }
}

enum Line {
    Open(TcpStream),
    Closed(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Line {
    fn close(self, config: &Arc<ServerConfig>) -> Self {
        match self {
            Self::Open(stream) => {
                let session = ServerConnection::new(config.clone()).unwrap();
                Self::Closed(Box::new(StreamOwned::new(session, stream)))
            }
            closed => closed,
        }
    }
}

struct Session {
    line: Line,
    unread: Vec<u8>,
}

impl Session {
    fn serve(
        stream: TcpStream,
        config: &Arc<ServerConfig>,
        manner: Manner,
        told: &Sender<Taken>,
    ) -> io::Result<()> {
        let mut one = Self {
            line: Line::Open(stream),
            unread: Vec::new(),
        };
        let mut tls = manner.wraps;
        if tls {
            one.line = one.line.close(config);
        }
        match manner.greeting {
            0 => one.say("220 localhost ready")?,
            code => return one.say(&format!("{code} go away")),
        }
        let (mut auth, mut from, mut to) = (None, String::new(), Vec::new());
        loop {
            let command = one.until(b"\r\n")?;
            let verb = command.split([' ', ':']).next().unwrap_or_default();
            match verb.to_uppercase().as_str() {
                "EHLO" => {
                    let mut answer = "250-localhost\r\n".to_owned();
                    if manner.offers_tls && !tls {
                        answer.push_str("250-STARTTLS\r\n");
                    }
                    if manner.auth > 0 {
                        answer.push_str("250-AUTH PLAIN\r\n");
                    }
                    one.say(&format!("{answer}250 8BITMIME"))?;
                }
                "STARTTLS" => {
                    one.say("220 go on")?;
                    one.line = one.line.close(config);
                    tls = true;
                }
                "AUTH" => {
                    auth = Some(command.clone());
                    one.say(&format!("{} so", manner.auth))?;
                }
                "MAIL" => {
                    from = command;
                    one.say("250 ok")?;
                }
                "RCPT" if command.contains("<gone") => one.say(&format!("{} gone", manner.gone))?,
                "RCPT" => {
                    to.push(command);
                    one.say("250 ok")?;
                }
                "DATA" => {
                    one.say("354 go on")?;
                    let text = one.until(b"\r\n.\r\n")?;
                    let taken = Taken {
                        tls,
                        auth: auth.clone(),
                        from: from.clone(),
                        to: std::mem::take(&mut to),
                        text,
                    };
                    let _ = told.send(taken);
                    one.say("250 taken")?;
                }
                "QUIT" => return one.say("221 bye"),
                _ => one.say("250 ok")?,
            }
        }
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        let text = format!("{line}\r\n");
        match &mut self.line {
            Line::Open(stream) => stream.write_all(text.as_bytes()),
            Line::Closed(stream) => {
                stream.write_all(text.as_bytes())?;
                stream.flush()
            }
        }
    }

    fn until(&mut self, end: &[u8]) -> io::Result<String> {
        let mut chunk = [0; 4096];
        loop {
            let found = self.unread.windows(end.len()).position(|part| part == end);
            if let Some(at) = found {
                let rest = self.unread.split_off(at + end.len());
                let line = std::mem::replace(&mut self.unread, rest);
                return Ok(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            let read = match &mut self.line {
                Line::Open(stream) => stream.read(&mut chunk)?,
                Line::Closed(stream) => stream.read(&mut chunk)?,
            };
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.unread.extend(&chunk[..read]);
        }
    }
}
