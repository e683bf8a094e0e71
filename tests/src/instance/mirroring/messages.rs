//! SQL Server's messages about mirroring, by number (facts: sqlserver.md 3.4 D).

use crate::tds::tokens::ServerMessage;

/// Host and port of `TCP://host:port`; a host of several labels counts by its first.
#[must_use]
pub fn parts(address: &str) -> Option<(String, u16)> {
    let (scheme, rest) = address.split_once("://")?;
    let (host, port) = rest.rsplit_once(':')?;
    let number = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
    let host = if number {
        host
    } else {
        host.split('.').next().unwrap_or(host)
    };
    let known = scheme.eq_ignore_ascii_case("tcp") && !host.is_empty();
    known.then_some((host.to_owned(), port.parse().ok()?))
}

/// An error of a SET PARTNER or SET WITNESS; `name` is the database or the address it names.
#[must_use]
pub fn refused(number: i32, name: &str) -> ServerMessage {
    let text = match number {
        1405 => format!("The database \"{name}\" is already enabled for database mirroring."),
        1406 => format!(
            "Unable to force service safely. Remove database mirroring and recover database \
             \"{name}\" to gain access."
        ),
        1416 => format!("Database \"{name}\" is not configured for database mirroring."),
        1418 => format!(
            "The server network address \"{name}\" can not be reached or does not exist. Check \
             the network address name and that the ports for the local and remote endpoints are \
             operational."
        ),
        1422 => "The mirror server instance is not caught up to the recent changes to database. \
                 Unable to fail over."
            .into(),
        1429 => "The witness server instance name must be distinct from both of the server \
                 instances that manage the database."
            .into(),
        1447 => format!(
            "ALTER DATABASE \"{name}\" command cannot be executed until both partner server \
             instances are up, running, and connected."
        ),
        1452 => "The partner server instance name must be distinct from the server instance \
                 that manages the database."
            .into(),
        1455 => format!(
            "The database mirroring service cannot be forced for database \"{name}\" because \
             the database is not in the correct state to become the principal database."
        ),
        1456 => format!("The ALTER DATABASE command could not be sent to \"{name}\"."),
        1463 => "Database mirroring is not available in this edition of SQL Server.".into(),
        1468 => format!(
            "The operation cannot be performed on database \"{name}\" because it is involved in \
             a database mirroring session or an availability group."
        ),
        1470 => format!(
            "The alter database for this partner config values may only be initiated on the \
             current principal server for database \"{name}\"."
        ),
        1473 => "This SQL Server edition does not allow changing the safety level. ALTER \
                 DATABASE command failed."
            .into(),
        1476 => format!("Database mirroring timeout value {name} exceeds the maximum value 32767."),
        1477 => format!(
            "The database mirroring safety level must be FULL to manually failover database \
             \"{name}\"."
        ),
        other => establishing(other, name),
    };
    ServerMessage::new(number, 16, text)
}

/// Why two copies make no session.
fn establishing(number: i32, name: &str) -> String {
    match number {
        1407 => format!(
            "The remote copy of database \"{name}\" is not related to the local copy of the \
             database."
        ),
        1412 => format!(
            "The remote copy of database \"{name}\" has not been rolled forward to a point in \
             time that is encompassed in the local copy of the database log."
        ),
        1448 => format!("The remote copy of database \"{name}\" does not exist."),
        1464 => format!("Database \"{name}\" is not in a recovering state."),
        1465 => format!(
            "Database \"{name}\" database is not in full recovery mode on each of \
                         the server instances."
        ),
        1466 => format!(
            "Database \"{name}\" is read-only, which is incompatible with database \
                         mirroring."
        ),
        1467 => format!("Database \"{name}\" is in emergency or suspect mode."),
        1478 => format!(
            "The mirror database, \"{name}\", has insufficient transaction log data to preserve \
             the log backup chain of the principal database."
        ),
        other => format!("Database mirroring error {other} on \"{name}\"."),
    }
}

/// Why a principal cannot be opened.
#[must_use]
pub fn closed(number: i32, name: &str) -> ServerMessage {
    let text = match number {
        955 => format!(
            "Database \"{name}\" is enabled for Database Mirroring, but the database lacks \
             quorum: the database cannot be opened."
        ),
        956 => format!(
            "Database \"{name}\" is enabled for Database Mirroring, but has not yet \
             synchronized with its partner. Try the operation again later."
        ),
        _ => {
            return ServerMessage::new(
                number,
                16,
                format!("Database '{name}' is in transition. Try the statement later."),
            );
        }
    };
    ServerMessage::new(number, 14, text)
}

/// A line of the error log.
#[must_use]
pub fn note(number: i32, text: String) -> ServerMessage {
    ServerMessage::new(number, 10, text)
}

/// 1480
#[must_use]
pub fn role_changes(name: &str, to_principal: bool, why: &str) -> ServerMessage {
    let (from, to) = if to_principal {
        ("MIRROR", "PRINCIPAL")
    } else {
        ("PRINCIPAL", "MIRROR")
    };
    let text = format!(
        "The database mirroring database \"{name}\" is changing roles from \"{from}\" to \
         \"{to}\" because the mirroring session or availability group failed over due to {why}."
    );
    note(1480, text)
}

/// 1440 on the principal, 1441 on the mirror.
#[must_use]
pub fn active(name: &str, principal: bool) -> ServerMessage {
    let (number, role) = if principal {
        (1440, "principal")
    } else {
        (1441, "mirror")
    };
    let text = format!("Database mirroring is active with database '{name}' as the {role} copy.");
    note(number, text)
}

/// 1443
#[must_use]
pub fn terminated(name: &str) -> ServerMessage {
    note(
        1443,
        format!("Database mirroring has been terminated for database '{name}'."),
    )
}

/// 1453 on the partner of the side that failed, 1454 on the side itself.
#[must_use]
pub fn suspended(name: &str, own: bool) -> ServerMessage {
    let text = if own {
        format!(
            "While acting as a mirror, a database mirroring error occurred: '{name}' is \
                 suspended."
        )
    } else {
        format!(
            "The remote mirroring partner for database '{name}' encountered an error; \
                 mirroring is suspended."
        )
    };
    ServerMessage::new(if own { 1454 } else { 1453 }, 17, text)
}
