//! Where a restored database goes: a name that is free, and a place for every file.

use twinset_domain::restore::Plan;
use twinset_domain::{Fault, code};

use super::holdings::Holdings;
use super::replace;
use super::run::Order;
use crate::sqlserver::Session;
use crate::sqlserver::facts::{self, ListedFile};
use crate::sqlserver::statement::{Move, quote_name};

/// A name that SQL Server takes: 1 to 128 characters.
pub(super) fn named(name: &str) -> Result<(), Fault> {
    let length = name.encode_utf16().count();
    if (1..=128).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(
        Fault::new(code::USAGE, "--as", "this is no name for a database")
            .remedy("use 1 to 128 characters, none of them a control character"),
    )
}

/// A database is never restored over one in a session (P11), and over another one only where that
/// was asked and loses nothing unsaid.
pub(super) fn free_name(
    control: &mut Session,
    holdings: &Holdings,
    order: &Order<'_>,
    plan: &Plan,
) -> Result<(), Fault> {
    let name = order.name;
    let object = format!("{}, database {name}", control.instance());
    let Some(there) = facts::probe_database(control, name)? else {
        return Ok(());
    };
    if there.replica_id.is_some() {
        let message = "it is in an availability group";
        return Err(Fault::new(code::RESTORE_MIRRORED, object, message)
            .remedy("restore under a new name: --as NAME"));
    }
    if there.mirroring_guid.is_some() {
        return Err(Fault::new(
            code::RESTORE_MIRRORED,
            object,
            "it is in a mirroring session",
        )
        .remedy("restore under a new name: --as NAME"));
    }
    if let Some(how) = order.replace {
        return replace::allowed(holdings, order, plan, &there, how);
    }
    let fault = Fault::new(
        code::RESTORE_EXISTS,
        object,
        "a database of this name is there",
    );
    if there.state_desc == "RESTORING" {
        let name = quote_name(name);
        return Err(fault
            .cause("it is RESTORING: perhaps a restore that did not come to its end left it")
            .remedy(format!(
                "if nobody needs it: DROP DATABASE {name}, or --replace; else restore under a new \
                 name: --as NAME"
            )));
    }
    Err(fault.remedy("restore under a new name: --as NAME; or over it: --replace"))
}

/// The files that each set of a chain lists, in the order of the chain.
pub(super) type Lists = Vec<Vec<ListedFile>>;

/// Every file gets a place that is not the original's: named ones where they are named, the
/// others into the data folder under the new database's name. For each set those that no set
/// before it has: a file may have been added between two of them.
pub(super) fn placed(
    control: &mut Session,
    order: &Order<'_>,
    lists: &Lists,
) -> Result<Vec<Vec<Move>>, Fault> {
    let files = || lists.iter().flatten();
    let unknown = |m: &&Move| files().all(|file| file.logical_name != m.logical);
    if let Some(unknown) = order.moves.iter().find(unknown) {
        let mut known: Vec<&str> = Vec::new();
        for file in files().map(|file| file.logical_name.as_str()) {
            if !known.contains(&file) {
                known.push(file);
            }
        }
        let message = format!("the backup has no file {}", unknown.logical);
        return Err(Fault::new(code::UNKNOWN_NAME, "--move", message)
            .cause(format!("its files: {}", known.join(", ")))
            .remedy("name a logical file of the backup"));
    }
    let folder = match order.data_dir {
        Some(folder) => Some(folder.to_owned()),
        None => facts::default_data_folder(control)?,
    };
    // A database that is replaced keeps its places.
    let kept = match (order.replace, order.data_dir) {
        (Some(_), None) => replace::places(control, order.name)?,
        _ => Vec::new(),
    };
    let place = |file: &ListedFile| {
        let named = order.moves.iter().find(|m| m.logical == file.logical_name);
        let kept = kept.iter().find(|(name, _)| *name == file.logical_name);
        let to = match (named, &folder) {
            (Some(named), _) => named.to.clone(),
            (None, _) if let Some((_, path)) = kept => path.clone(),
            (None, Some(folder)) => join(folder, order.name, file),
            (None, None) => file.physical_name.clone(),
        };
        Move {
            logical: file.logical_name.clone(),
            to,
        }
    };
    let mut known: Vec<&str> = Vec::new();
    let mut moves = Vec::new();
    for list in lists {
        let (before, new): (Vec<&ListedFile>, Vec<&ListedFile>) = list
            .iter()
            .partition(|file| known.contains(&file.logical_name.as_str()));
        tracing::debug!(known = before.len(), new = new.len(), "files of a set");
        moves.push(new.iter().map(|file| place(file)).collect());
        known.extend(new.iter().map(|file| file.logical_name.as_str()));
    }
    Ok(moves)
}

/// `<folder>/<name>.<logical>.mdf`, with the separator that the folder uses.
fn join(folder: &str, name: &str, file: &ListedFile) -> String {
    let separator = if folder.contains('\\') { '\\' } else { '/' };
    let ending = match file.kind.as_str() {
        "L" => "ldf",
        "D" => "mdf",
        _ => "dat",
    };
    let name = twinset_domain::name::safe(name);
    let logical = twinset_domain::name::safe(&file.logical_name);
    format!(
        "{}{separator}{name}.{logical}.{ending}",
        folder.trim_end_matches(['/', '\\'])
    )
}
