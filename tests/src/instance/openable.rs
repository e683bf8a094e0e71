//! Whether a database can be opened.

use super::availability;
use super::mirroring::messages;
use super::model::{Database, DbState};
use crate::tds::tokens::ServerMessage;

/// Why a database cannot be opened, with SQL Server's number.
#[must_use]
pub fn openable(database: &Database) -> Option<ServerMessage> {
    use DbState as S;
    let name = &database.name;
    let say = |number, class, text: &str| {
        let text = format!("Database '{name}' {text}");
        Some(ServerMessage::new(number, class, text))
    };
    if database
        .mirroring
        .as_ref()
        .is_some_and(|session| !session.principal)
    {
        let text =
            format!("The database \"{name}\" cannot be opened. It is acting as a mirror database.");
        return Some(ServerMessage::new(954, 14, text));
    }
    let joined = database.joined.as_ref();
    let barred = joined.and_then(|joined| availability::messages::closed(joined, name));
    if barred.is_some() && database.state == S::Online {
        return barred;
    }
    let closed = database
        .mirroring
        .as_ref()
        .and_then(|session| session.closed);
    if let Some(number) = closed {
        return Some(messages::closed(number, name));
    }
    match database.state {
        S::Online | S::Emergency => None,
        S::Restoring => say(
            927,
            14,
            "cannot be opened. It is in the middle of a restore.",
        ),
        S::Recovering => say(
            922,
            14,
            "is being recovered. Waiting until recovery is finished.",
        ),
        S::RecoveryPending => say(
            945,
            14,
            "cannot be opened due to inaccessible files or insufficient memory or disk space. \
             See the SQL Server errorlog for details.",
        ),
        S::Suspect => say(
            926,
            14,
            "cannot be opened. It has been marked SUSPECT by recovery. See the SQL Server \
             errorlog for more information.",
        ),
        S::Offline => say(942, 14, "cannot be opened because it is offline."),
    }
}
