//! SQL Server's errors as faults with a remedy.

use tiberius::error::Error;
use twinset_domain::system::HERE;
use twinset_domain::{Code, Fault, code};

use super::running::StatementEnd;
use super::settings::{Auth, InstanceSettings};

mod remedies;

/// The statement ended abnormally: always last, never the cause.
pub(super) const ENDED_ABNORMALLY: u32 = 3013;

/// BACKUP failed, see the log: for the log's readers, never the cause.
pub(super) const NOTED_IN_LOG: u32 = 3041;

/// How SQL Server shows what became of a virtual device set that it could not open or fill, in
/// every language: as a number of the interface (facts/vdi.md 5, rows 5, 6, 11 and 13).
fn virtual_device(message: &str) -> Option<(Code, &'static str)> {
    let shows = |number: &str| message.to_ascii_lowercase().contains(number);
    if shows("0x8077000a") || shows("0x8007000e") {
        Some((code::VDI_MEMORY, HERE.set_memory))
    } else if shows("0x80770006") {
        Some((code::VDI_NOT_OPENED, HERE.set_unseen))
    } else if shows("0x80070002") || shows("0x8077000") {
        Some((
            code::VDI_NOT_OPENED,
            "the set was not there any more: check that host and port lead to the instance of this \
             host, and run the backup again",
        ))
    } else {
        None
    }
}

/// The same for what follows from the database's role.
fn of_role(number: u32) -> Option<(Code, &'static str)> {
    Some(match number {
        954 => (
            code::NOT_PRINCIPAL,
            "back the database up on the partner that is principal",
        ),
        955 => (
            code::ROLE_UNSEEN,
            "the principal sees neither its partner nor the witness and serves nobody: bring one of \
             them back, or back the database up on the other partner if that is principal now",
        ),
        976 | 978 | 979 => (
            code::NOT_READABLE,
            "the secondary is not readable: back the database up on the primary",
        ),
        3062 => (
            code::NOT_SYNCHRONIZING,
            "the secondary gets no log: resume it, or back the database up on the primary",
        ),
        983 => (
            code::RESOLVING,
            "the replica is neither primary nor secondary: try again when the cluster gave the roles",
        ),
        913 | 921 | 922 | 952 | 956 => (
            code::ROLE_UNSEEN,
            "the database changes its role or recovers: try again in a moment",
        ),
        _ => return None,
    })
}

/// Code and remedy for a server error, by its number (facts/sqlserver.md 3.4).
fn known(number: u32) -> (Code, &'static str) {
    match number {
        911 => (
            code::SQL_NO_DATABASE,
            "check the spelling of the database's name",
        ),
        3043 | 3053 => (
            code::BAD_PAGE,
            "look what else is damaged: twinset integrity GROUP; once that is known, backups go on \
             over damaged pages and are marked. The sets before hold the page, perhaps",
        ),
        3265 => (
            code::SQL_NOT_SYSADMIN,
            "make the login a member of sysadmin: virtual devices need it \
             (ALTER SERVER ROLE sysadmin ADD MEMBER ...)",
        ),
        3023 => (
            code::SQL_BUSY,
            "wait until the other backup or file operation has ended",
        ),
        3261 => (code::VDI_CONFIG, "set families = 1 for this media set"),
        3104 => (code::RESTORE_MIRRORED, "restore under a new name"),
        3141 | 3154 | 3159 => (code::RESTORE_EXISTS, "restore under a new name"),
        229 | 230 | 262 | 297 | 300 | 916 => (
            code::SQL_ERROR,
            "grant the login the right that the message names: twinset grants INSTANCE prints it",
        ),
        6102 => (
            code::SQL_ERROR,
            "GRANT ALTER ANY CONNECTION to the login: KILL needs it (twinset grants INSTANCE)",
        ),
        927 => (
            code::SQL_ERROR,
            "back the database up on the partner that is principal",
        ),
        4208 => (
            code::SQL_ERROR,
            "SIMPLE databases have no log backups; take a full backup",
        ),
        3035 | 4214 => (code::SQL_ERROR, "take a full backup first"),
        3202 | 3203 | 3271 => (
            code::SQL_ERROR,
            "see SQL Server's error log and the system's: a file could not be read or written",
        ),
        3101 => (
            code::SQL_ERROR,
            "end the sessions that use the database, or restore under a new name",
        ),
        3110 => (
            code::SQL_ERROR,
            "RESTORE needs dbcreator or sysadmin, and for an existing database its owner",
        ),
        3117 | 3136 => (
            code::SQL_ERROR,
            "restore the full backup it builds on first, WITH NORECOVERY, then the others in order",
        ),
        3059 => (
            code::SQL_ERROR,
            "a mirror takes no backups, a secondary logs and copy-only fulls: back the database up on \
             its principal or primary",
        ),
        3633 | 3634 => (
            code::SQL_ERROR,
            "the file and the system's error are in the message: mend path, rights or disk on the \
             server; the backup itself is not the cause",
        ),
        ENDED_ABNORMALLY | NOTED_IN_LOG => (
            code::SQL_ERROR,
            "SQL Server gave no cause: look into its error log at this time; trace flags 3004, \
             3014, 3213 with 3605 make a repeated BACKUP write its phases there",
        ),
        1105 | 3257 => (
            code::SQL_ERROR,
            "make room for the data files, or place them elsewhere",
        ),
        other => (
            code::SQL_ERROR,
            remedies::remedy(other).unwrap_or("look the number up in SQL Server's documentation"),
        ),
    }
}

/// A fault from SQL Server's number and text.
pub(super) fn server(object: &str, number: u32, message: &str) -> Fault {
    let (code, remedy) = virtual_device(message)
        .or_else(|| of_role(number))
        .unwrap_or_else(|| known(number));
    Fault::new(
        code,
        object,
        format!("SQL Server error {number}: {message}"),
    )
    .remedy(remedy)
}

impl StatementEnd {
    /// The fault that this end stands for; `None` for [`StatementEnd::Ok`]. `object` is what the
    /// statement worked on, usually the database.
    ///
    /// The first error that is not 3013 is the message, the others follow as causes.
    #[must_use]
    pub fn fault(&self, object: &str) -> Option<Fault> {
        match self {
            Self::Ok => None,
            Self::Lost(text) => Some(
                Fault::new(
                    code::SQL_LOST,
                    object,
                    "the connection was lost while a statement ran",
                )
                .cause(text)
                .remedy("check the server's error log and the network"),
            ),
            Self::Error {
                number,
                message,
                all,
                ..
            } => {
                let consequence = |number| [ENDED_ABNORMALLY, NOTED_IN_LOG].contains(&number);
                let main = all.iter().find(|m| !consequence(m.number));
                let (number, text) = main.map_or((*number, message.as_str()), |m| {
                    (m.number, m.message.as_str())
                });
                let rest = all
                    .iter()
                    .filter(|m| m.number != number && m.number != ENDED_ABNORMALLY);
                let fault = server(object, number, text);
                Some(rest.fold(fault, |f, m| {
                    f.cause(format!("error {}: {}", m.number, m.message))
                }))
            }
        }
    }
}

/// A fault of a short statement on a session.
pub(super) fn query(instance: &str, error: &Error) -> Fault {
    match error {
        Error::Server(token) => server(instance, token.code(), token.message()),
        Error::Io { .. } | Error::Protocol(_) | Error::Tls(_) => Fault::new(
            code::SQL_LOST,
            instance,
            "the connection to SQL Server was lost",
        )
        .cause(error)
        .remedy("check the server's error log and the network"),
        other => Fault::new(code::SQL_ERROR, instance, "an answer could not be read")
            .cause(other)
            .remedy("report this with the server's version"),
    }
}

/// A fault of connecting, TLS or login.
pub(super) fn login(settings: &InstanceSettings, error: &Error) -> Fault {
    let object = settings.to_string();
    match error {
        Error::Server(token) => {
            let fault = |message: &str, remedy: &str| {
                Fault::new(code::SQL_LOGIN, &object, message)
                    .cause(format!(
                        "SQL Server error {}: {}",
                        token.code(),
                        token.message()
                    ))
                    .remedy(remedy)
            };
            match token.code() {
                4060 => fault(
                    "the login may not open the database master",
                    "check the login's default rights in master",
                ),
                // Paused, shutting down, upgrading itself, full: it may take us a moment later.
                17142 | 6005 | 18401 | 17809 => Fault::new(
                    code::SQL_CONNECT,
                    &object,
                    "SQL Server takes no connections just now",
                )
                .cause(format!(
                    "SQL Server error {}: {}",
                    token.code(),
                    token.message()
                ))
                .remedy("wait until it has started, or end what fills it; see its error log"),
                18452 if matches!(settings.auth, Auth::Sql { .. }) => fault(
                    "SQL Server takes accounts of Windows alone",
                    "let it take logins of SQL Server as well (mixed mode); agents on Windows may \
                     use `auth = \"windows\"`",
                ),
                18452 => fault(
                    "SQL Server does not trust this account of Windows",
                    "check user and password; the account's domain must be the server's or one that \
                     it trusts, and the server must not require Extended Protection",
                ),
                18486..=18488 => fault(
                    "the login is locked, or its password has expired",
                    "unlock it or set a new password on the server, then in the configuration",
                ),
                _ => fault(
                    "SQL Server refused the login",
                    "check user and password; the server's error log gives the reason as a state",
                ),
            }
        }
        Error::Tls(text) => tls(settings, text),
        Error::Io { .. } => Fault::new(code::SQL_CONNECT, object, "cannot connect to SQL Server")
            .cause(error)
            .remedy(match settings.encrypt {
                super::settings::Encrypt::LoginOnly => {
                    "check that SQL Server listens there and offers TLS"
                }
                _ => "check host, port and firewall, and that SQL Server runs and listens on TCP",
            }),
        Error::Protocol(_) => Fault::new(
            code::SQL_CONNECT,
            object,
            "the other side does not speak as SQL Server",
        )
        .cause(error)
        .remedy("check the port; for a server without TLS set encrypt = \"off\""),
        other => Fault::new(code::SQL_CONNECT, object, "cannot connect to SQL Server")
            .cause(other)
            .remedy("check host, port and firewall"),
    }
}

/// The driver's advice about its own calls is not for our users.
fn plain_tls(text: &str) -> &str {
    text.split(" To connect anyway").next().unwrap_or(text)
}

fn tls(settings: &InstanceSettings, text: &str) -> Fault {
    let text = plain_tls(text);
    let name = settings.certificate_name();
    let fault = |message: String, remedy: String| {
        Fault::new(code::SQL_TLS, settings.to_string(), message)
            .cause(text)
            .remedy(remedy)
    };
    if text.contains("not valid for name") || text.contains("NotValidForName") {
        fault(
            format!("the server's certificate is not for the name {name}"),
            "set server_name to a name in the certificate, or give the server the right one".into(),
        )
    } else if text.contains("UnknownIssuer") || text.contains("unknown issuer") {
        fault(
            "nobody this agent trusts has signed the server's certificate".into(),
            "set ca_file to the PEM file of the authority that signed it".into(),
        )
    } else if text.contains("expired") || text.contains("Expired") {
        fault(
            "the server's certificate has expired".into(),
            "renew it on the server; check this host's clock".into(),
        )
    } else {
        fault(
            "the encrypted connection could not be made".into(),
            "check the server's certificate, ca_file and server_name; servers older than 2016 \
             may lack TLS 1.2"
                .into(),
        )
    }
}

#[cfg(test)]
mod tests;
