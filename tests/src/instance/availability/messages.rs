//! Messages about databases of availability groups.

use super::{Connections, Joined, Role};
use crate::tds::tokens::ServerMessage;

/// Why a database cannot be opened by its role.
#[must_use]
pub fn closed(joined: &Joined, name: &str) -> Option<ServerMessage> {
    let say = |number, text: String| Some(ServerMessage::new(number, 14, text));
    match (joined.role, joined.connections) {
        (Role::Primary, _) | (Role::Secondary, Connections::All) => None,
        (Role::Resolving, _) => say(
            983,
            format!(
                "Unable to access availability database '{name}' because the database replica is \
                 not in the PRIMARY or SECONDARY role. Connections to an availability database is \
                 permitted only when the database replica is in the PRIMARY or SECONDARY role. \
                 Try the operation again later."
            ),
        ),
        (Role::Secondary, Connections::No) => say(
            976,
            format!(
                "The target database, '{name}', is participating in an availability group and is \
                 currently not accessible for queries. Either data movement is suspended or the \
                 availability replica is not enabled for read access. To allow read-only access \
                 to this and other databases in the availability group, enable read access to \
                 one or more secondary availability replicas in the group."
            ),
        ),
        // No client of the double says what it intends.
        (Role::Secondary, Connections::ReadOnly) => say(
            978,
            format!(
                "The target database ('{name}') is in an availability group and is currently \
                 accessible for connections when the application intent is set to read only."
            ),
        ),
    }
}

/// A write to a secondary.
#[must_use]
pub fn read_only(name: &str) -> ServerMessage {
    let text = format!("Failed to update database \"{name}\" because the database is read-only.");
    ServerMessage::new(3906, 16, text)
}

/// A secondary that does not get the log.
#[must_use]
pub fn not_synchronizing(name: &str) -> ServerMessage {
    let text = format!(
        "Cannot backup from a HADRON secondary because it is not in Synchronizing or Synchronized \
         state: database '{name}'."
    );
    ServerMessage::new(3062, 16, text)
}

/// DROP of a database that is in a group.
#[must_use]
pub fn joined(name: &str) -> ServerMessage {
    let text = format!(
        "The database '{name}' is currently joined to an availability group. Before you can drop \
         the database, you need to remove it from the availability group."
    );
    ServerMessage::new(3752, 16, text)
}

/// A catalogue view that needs a right.
#[must_use]
pub fn hidden() -> ServerMessage {
    let text = "VIEW SERVER STATE permission was denied on object 'server', database 'master'.";
    ServerMessage::new(300, 14, text)
}

/// 1480
#[must_use]
pub fn role_changes(name: &str, to_primary: bool) -> ServerMessage {
    let (from, to) = if to_primary {
        ("SECONDARY", "PRIMARY")
    } else {
        ("PRIMARY", "SECONDARY")
    };
    let text = format!(
        "The availability group database \"{name}\" is changing roles from \"{from}\" to \"{to}\" \
         because the mirroring session or availability group failed over due to role \
         synchronization. This is an informational message only. No user action is required."
    );
    ServerMessage::new(1480, 10, text)
}
