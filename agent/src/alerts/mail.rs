//! A receiver by mail, over SMTP.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use twinset_domain::alert::{Event, Notice};

/// Longest subject, in characters.
const MAX_SUBJECT: usize = 180;
/// Largest file of authorities, in bytes.
const MAX_AUTHORITIES: u64 = 4 << 20;

/// How the way to the mail server is closed to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// TLS before anything else is said, or nothing is sent.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all.
    Plain,
}

/// A mail server with who sends and who receives. Its password is not printed.
pub struct Mail {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is closed to others.
    pub way: Way,
    /// Login and password.
    pub login: Option<(String, String)>,
    /// Authorities that may sign its certificate, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Sender.
    pub from: Mailbox,
    /// Receivers: the server must take the message for all of them.
    pub to: Vec<Mailbox>,
    /// How long each of its answers may take.
    pub timeout: Duration,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

impl Mail {
    pub(super) fn tell(&self, notice: &Notice) -> Result<(), String> {
        let message = self.message(notice)?;
        let mut transport = SmtpTransport::builder_dangerous(&self.host)
            .port(self.port)
            .timeout(Some(self.timeout))
            .tls(self.tls()?);
        if let Some((user, password)) = &self.login {
            let login = Credentials::new(user.clone(), password.clone());
            transport = transport.credentials(login);
        }
        let sent = transport.build().send(&message);
        sent.map(drop).map_err(|error| error.to_string())
    }

    fn message(&self, notice: &Notice) -> Result<Message, String> {
        let seconds = u64::try_from(notice.at.0).unwrap_or(0);
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(subject(notice))
            .date(UNIX_EPOCH + Duration::from_secs(seconds))
            .message_id(None)
            .header(Automatic)
            .header(ContentType::TEXT_PLAIN);
        for receiver in &self.to {
            message = message.to(receiver.clone());
        }
        message
            .body(body(notice))
            .map_err(|error| error.to_string())
    }

    fn tls(&self) -> Result<Tls, String> {
        if self.way == Way::Plain {
            return Ok(Tls::None);
        }
        let mut parameters =
            TlsParameters::builder(self.host.clone()).certificate_store(CertificateStore::None);
        let roots = match &self.ca_file {
            Some(path) => of_file(path)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut known = RootCertStore::empty();
        // What the system has and rustls cannot read signs nothing here.
        for root in roots {
            if known.add(root.clone()).is_ok() {
                let root = Certificate::from_der(root.to_vec()).map_err(|e| e.to_string())?;
                parameters = parameters.add_root_certificate(root);
            }
        }
        if known.is_empty() {
            return Err("no authority is known that could sign its certificate".to_owned());
        }
        let parameters = parameters
            .build_rustls()
            .map_err(|error| error.to_string())?;
        Ok(match self.way {
            Way::Tls => Tls::Wrapper(parameters),
            Way::StartTls | Way::Plain => Tls::Required(parameters),
        })
    }
}

fn of_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
    let facts = fs::metadata(path).map_err(|error| failed(&error))?;
    if facts.len() > MAX_AUTHORITIES {
        return Err(failed(&"it is too large"));
    }
    let pem = fs::read(path).map_err(|error| failed(&error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    found.map_err(|error| failed(&error))
}

/// `Auto-Submitted: auto-generated` (RFC 3834): no absence notes come back.
#[derive(Clone, Copy, Debug)]
struct Automatic;

impl lettre::message::header::Header for Automatic {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// One line, whatever stands in the message.
fn subject(notice: &Notice) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    let line = format!("Twinset {}", notice.headline());
    let mut line: String = line.chars().map(plain).take(MAX_SUBJECT + 1).collect();
    if line.chars().count() > MAX_SUBJECT {
        line = line.chars().take(MAX_SUBJECT - 3).collect::<String>() + "...";
    }
    line
}

fn body(notice: &Notice) -> String {
    let alert = &notice.alert;
    let what = match notice.event {
        Event::Raised => "This was raised.",
        Event::Resolved => "This is over.",
        Event::Test => "This is a test.",
    };
    let mut rows = vec![
        ("agent", notice.agent.clone()),
        ("severity", alert.severity.to_string()),
        ("code", alert.code.clone()),
        ("about", alert.object.clone()),
        ("message", alert.message.clone()),
        ("what to do", alert.remedy.clone()),
    ];
    let named = [("group", &alert.group), ("database", &alert.database)];
    rows.extend(
        named
            .into_iter()
            .filter_map(|(key, text)| Some((key, text.clone()?))),
    );
    rows.push(("first seen", alert.first.to_string()));
    rows.push(("last seen", alert.last.to_string()));
    if let Some(resolved) = &alert.resolved {
        let by = if resolved.by_hand { ", by hand" } else { "" };
        rows.push(("ended", format!("{}{by}", resolved.at)));
        rows.extend(resolved.note.clone().map(|note| ("note", note)));
    }
    let mut text = format!("{what}\r\n\r\n");
    for (key, value) in rows {
        let value = value.lines().collect::<Vec<_>>().join("\r\n            ");
        text.push_str(&format!("{key:<12}{value}\r\n"));
    }
    text.push_str(
        "\r\nCodes and remedies: docs/errors.md. All that is open: twinset alerts list\r\n",
    );
    text
}
