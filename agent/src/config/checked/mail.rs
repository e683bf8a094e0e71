//! `[alerts.smtp]`: mail.

use std::net::IpAddr;
use std::path::PathBuf;

use lettre::message::Mailbox;
use toml::Spanned;

use super::Check;
use crate::config::raw::SmtpTable;
use crate::config::secret::SecretRef;

/// Most receivers.
const MAX_RECEIVERS: usize = 100;

/// How alerts go by mail.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is closed to others.
    pub encrypt: MailEncrypt,
    /// Login and where its password lies; servers of the house often need none.
    pub login: Option<(String, SecretRef)>,
    /// Authorities that may sign its certificate, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Sender.
    pub from: Mailbox,
    /// Receivers.
    pub to: Vec<Mailbox>,
}

/// How the way to the mail server is closed to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailEncrypt {
    /// TLS before anything else is said, or nothing is sent.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all.
    Off,
}

/// Judges the table; `None` where it cannot be used.
pub(super) fn smtp(check: &mut Check<'_>, raw: &Spanned<SmtpTable>) -> Option<Smtp> {
    let table = raw.get_ref();
    check.text(&table.host, "host", 255);
    let host = table.host.get_ref().clone();
    let known = [
        ("starttls", MailEncrypt::StartTls),
        ("tls", MailEncrypt::Tls),
        ("off", MailEncrypt::Off),
    ];
    let encrypt = check.choice(&table.encrypt, "encrypt", &known, MailEncrypt::StartTls);
    let usual = match encrypt {
        MailEncrypt::StartTls => 587,
        MailEncrypt::Tls => 465,
        MailEncrypt::Off => 25,
    };
    let port = check.number(&table.port, "port", 1..=u16::MAX, usual);
    let login = login(check, table);
    if let (Some(user), MailEncrypt::Off) = (&table.user, encrypt)
        && !is_loopback(&host)
    {
        let message = "the password would go over the network for everybody to read";
        check.bad(
            &user.span(),
            message,
            "write encrypt = \"starttls\" or \"tls\"",
        );
    }
    let ca_file = table.ca_file.as_ref();
    if let (Some(file), MailEncrypt::Off) = (ca_file, encrypt) {
        let message = "`ca_file` without a certificate to check";
        check.bad(
            &file.span(),
            message,
            "leave it out, or choose another `encrypt`",
        );
    }
    let from = mailbox(check, &table.from, "from");
    let to = receivers(check, &table.to);
    Some(Smtp {
        host,
        port,
        encrypt,
        login,
        ca_file: ca_file.map(|file| check.file.resolve(file.get_ref())),
        from: from?,
        to,
    })
}

fn login(check: &mut Check<'_>, table: &SmtpTable) -> Option<(String, SecretRef)> {
    let ways: Vec<(&str, &Spanned<String>)> = [
        ("password_file", &table.password_file),
        ("password_credential", &table.password_credential),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value.as_ref()?)))
    .collect();
    let Some(user) = &table.user else {
        for (key, value) in ways {
            let message = format!("`{key}` without `user`");
            check.bad(&value.span(), message, "add `user`, or leave this key out");
        }
        return None;
    };
    check.text(user, "user", 255);
    let [(key, value)] = ways[..] else {
        let message = "exactly one key must say where the password lies";
        let remedy = "add `password_file = \"...\"` or `password_credential = \"...\"`";
        check.bad(&user.span(), message, remedy);
        return None;
    };
    let secret = match key {
        "password_file" => SecretRef::File(check.secret_file(value)),
        _ => SecretRef::Credential(value.get_ref().clone()),
    };
    Some((user.get_ref().clone(), secret))
}

fn mailbox(check: &mut Check<'_>, value: &Spanned<String>, key: &str) -> Option<Mailbox> {
    let found = value.get_ref().parse();
    if found.is_err() {
        let message = format!("`{key}` is no mail address: \"{}\"", value.get_ref());
        let remedy = "write dba@example.com, or Name <dba@example.com>";
        check.bad(&value.span(), message, remedy);
    }
    found.ok()
}

fn receivers(check: &mut Check<'_>, list: &Spanned<Vec<Spanned<String>>>) -> Vec<Mailbox> {
    let all = list.get_ref();
    if all.is_empty() || all.len() > MAX_RECEIVERS {
        let message = format!("`to` has {} addresses", all.len());
        let remedy = format!("name 1 to {MAX_RECEIVERS}; a list of the mail server counts as one");
        check.bad(&list.span(), message, remedy);
    }
    all.iter()
        .filter_map(|value| mailbox(check, value, "to"))
        .collect()
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
