//! One request, one answer, then the connection is closed. The head is read with `httparse`.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::{Overview, metrics, page};

/// Longest head of a request, in bytes.
const MAX_HEAD: usize = 8 << 10;
/// Most headers.
const MAX_HEADERS: usize = 64;
/// How long a request may take to arrive as a whole.
const ARRIVES: Duration = Duration::from_secs(5);
/// How long an answer may take to be taken.
const TAKEN: Duration = Duration::from_secs(10);
/// What still arrives behind an answer is read up to here, so that the answer is not lost.
const MAX_REST: usize = 64 << 10;

/// An answer.
struct Said {
    status: &'static str,
    kind: &'static str,
    body: String,
}

impl Said {
    fn plain(status: &'static str, body: &str) -> Self {
        Self {
            status,
            kind: "text/plain; charset=utf-8",
            body: format!("{body}\n"),
        }
    }
}

/// What was asked.
struct Asked {
    is_head: bool,
    path: String,
}

/// Serves one connection. `local`: it was made on this host alone.
pub(super) fn serve(stream: &TcpStream, source: &dyn Fn() -> Option<Overview>, local: bool) {
    let (is_head, said) = match asked(stream, local) {
        Ok(asked) => (asked.is_head, answer(&asked.path, source)),
        Err(Some(said)) => (false, said),
        Err(None) => return,
    };
    send(stream, &said, is_head);
}

/// Too many at once: said by who accepts, so what still arrives is waited for no longer than this.
pub(super) fn turn_away(mut stream: &TcpStream) {
    const GLANCE: Duration = Duration::from_millis(50);
    // A request that was read does not take the answer back.
    let _ = stream.set_read_timeout(Some(GLANCE));
    let _ = stream.read(&mut [0_u8; MAX_HEAD]);
    let said = Said::plain("503 Service Unavailable", "too many connections at once");
    let _ = answered(stream, &said, false);
}

/// Reads the head; `Err(None)` where nobody is there to be answered.
fn asked(mut stream: &TcpStream, local: bool) -> Result<Asked, Option<Said>> {
    let until = Instant::now() + ARRIVES;
    let mut head = Vec::new();
    let mut part = [0_u8; 2048];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let late = || {
            Some(Said::plain(
                "408 Request Timeout",
                "the request did not arrive",
            ))
        };
        if left.is_zero() {
            return Err(late());
        }
        stream.set_read_timeout(Some(left)).map_err(|_| None)?;
        let read = match stream.read(&mut part) {
            Ok(0) => return Err(None),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) if is_late(&error) => return Err(late()),
            Err(_) => return Err(None),
        };
        head.extend_from_slice(part.get(..read).unwrap_or_default());
        if let Some(judged) = judged(&head, local) {
            return judged.map_err(Some);
        }
        if head.len() > MAX_HEAD {
            let status = "431 Request Header Fields Too Large";
            return Err(Some(Said::plain(status, "the head is too long")));
        }
    }
}

fn is_late(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error.kind(), TimedOut | WouldBlock)
}

/// A head that has arrived; nothing while it has not.
fn judged(head: &[u8], local: bool) -> Option<Result<Asked, Said>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Partial) => return None,
        Ok(httparse::Status::Complete(_)) => {}
        Err(_) => return Some(Err(Said::plain("400 Bad Request", "that is no HTTP/1.1"))),
    }
    let method = request.method.unwrap_or_default();
    if !matches!(method, "GET" | "HEAD") {
        let told = "nothing can be changed here: GET and HEAD alone";
        return Some(Err(Said::plain("405 Method Not Allowed", told)));
    }
    let host = request
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("host"));
    let host = host.map(|header| String::from_utf8_lossy(header.value).into_owned());
    // A page of the web may give its own name this address, and read what only this host should.
    if local && !host.as_deref().is_some_and(is_this_host) {
        let told = "ask by address or as localhost";
        return Some(Err(Said::plain("421 Misdirected Request", told)));
    }
    let target = request.path.unwrap_or_default();
    let path = target.split(['?', '#']).next().unwrap_or_default();
    Some(Ok(Asked {
        is_head: method == "HEAD",
        path: path.to_owned(),
    }))
}

/// Whether a `Host` header names no name that somebody else could give this address.
fn is_this_host(host: &str) -> bool {
    let bare = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = bare.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

fn answer(path: &str, source: &dyn Fn() -> Option<Overview>) -> Said {
    if !matches!(path, "/" | "/metrics" | "/status.json" | "/healthz") {
        let told = "there are /, /metrics, /status.json and /healthz";
        return Said::plain("404 Not Found", told);
    }
    let Some(overview) = source() else {
        let told = "the service does not answer in time";
        return Said::plain("503 Service Unavailable", told);
    };
    let (kind, body) = match path {
        "/metrics" => (metrics::TYPE, metrics::text(&overview)),
        "/" => ("text/html; charset=utf-8", page::html(&overview)),
        "/status.json" => match serde_json::to_string(&overview) {
            Ok(text) => ("application/json", text),
            Err(error) => {
                return Said::plain("500 Internal Server Error", &error.to_string());
            }
        },
        _ => return Said::plain("200 OK", "ok"),
    };
    Said {
        status: "200 OK",
        kind,
        body,
    }
}

/// Sends an answer and closes; whoever takes it too slowly loses it.
fn send(mut stream: &TcpStream, said: &Said, is_head: bool) {
    if answered(stream, said, is_head).is_err() {
        return;
    }
    // Closed with bytes unread, the system would take the answer back.
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
    let mut rest = [0_u8; 4096];
    let mut left = MAX_REST;
    while let Ok(read) = stream.read(&mut rest) {
        if read == 0 || read > left {
            return;
        }
        left -= read;
    }
}

/// Writes head and body.
fn answered(stream: &TcpStream, said: &Said, is_head: bool) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         X-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n{}\r\n",
        said.status,
        said.kind,
        said.body.len(),
        if said.status.starts_with("405") {
            "Allow: GET, HEAD\r\n"
        } else {
            ""
        }
    );
    let body = if is_head { "" } else { &said.body };
    send_all(stream, &[head.as_bytes(), body.as_bytes()])
}

fn send_all(mut stream: &TcpStream, parts: &[&[u8]]) -> std::io::Result<()> {
    let until = Instant::now() + TAKEN;
    for part in parts {
        let mut rest = *part;
        while !rest.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            stream.set_write_timeout(Some(left))?;
            match stream.write(rest) {
                Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
