//! Receivers on loopback: they write down what they are told, and answer as they are ordered.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the receiver waits for; whoever is silent longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// Status that stands for "says nothing at all".
pub(crate) const SILENT: u16 = 0;

/// A web server that takes every POST.
pub(crate) struct Web {
    /// Its port.
    pub(crate) port: u16,
    /// The certificate that it shows, as PEM, if it speaks TLS.
    pub(crate) certificate: String,
    status: Arc<AtomicU16>,
    told: Receiver<String>,
}

impl Web {
    /// One that speaks plain HTTP.
    pub(crate) fn plain() -> Self {
        Self::start(None, String::new())
    }

    /// One that speaks TLS, for `localhost`.
    pub(crate) fn tls() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Self::start(Some(Arc::new(config)), made.cert.pem())
    }

    fn start(tls: Option<Arc<ServerConfig>>, certificate: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let status = Arc::new(AtomicU16::new(200));
        let (sender, told) = channel();
        let answers = status.clone();
        thread::spawn(move || {
            // Kept open: whoever says nothing does not hang up either.
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let status = answers.load(Ordering::SeqCst);
                if status == SILENT {
                    silent.push(stream);
                    continue;
                }
                match &tls {
                    None => serve(stream, status, &sender),
                    Some(config) => {
                        let session = ServerConnection::new(config.clone()).unwrap();
                        serve(StreamOwned::new(session, stream), status, &sender);
                    }
                }
            }
        });
        Self {
            port,
            certificate,
            status,
            told,
        }
    }

    /// It answers with this status from now on.
    pub(crate) fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The next request: head and body. It must have come already.
    #[track_caller]
    pub(crate) fn next(&self) -> String {
        self.told.recv_timeout(PATIENCE).unwrap()
    }

    /// Nothing else was told.
    #[track_caller]
    pub(crate) fn is_quiet(&self) {
        assert_eq!(self.told.try_recv().ok(), None);
    }
}

/// One request; a client that goes away in the middle is none.
fn serve(mut stream: impl Read + Write, status: u16, told: &Sender<String>) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while !whole(&bytes) {
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => bytes.extend(&chunk[..count]),
            _ => return,
        }
    }
    let _ = told.send(String::from_utf8_lossy(&bytes).into_owned());
    let more = if status == 302 {
        "Location: http://127.0.0.1:1/\r\n"
    } else {
        ""
    };
    let answer =
        format!("HTTP/1.1 {status} so\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes());
    let _ = stream.flush();
}

/// Whether head and body are there.
fn whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())
            .flatten()
    });
    body.len() >= length.unwrap_or(0)
}
