//! Parts of a database: files, filegroups, pages, PARTIAL and READ_WRITE_FILEGROUPS (facts:
//! sqlserver.md 3.1, 3.3, 3.4). What SQL Server refuses is refused with its numbers; what it would
//! carry out is refused too, in words of the double's own, since a part is nothing it can model.

use super::grammar::{Plan, Scope, Verb};
use super::messages::numbered;
use crate::instance::model::{Database, RecoveryModel};
use crate::instance::query::unsupported;
use crate::instance::restore::head::FileRecord;
use crate::tds::tokens::ServerMessage;

/// The one filegroup of databases of the double.
const PRIMARY: &str = "PRIMARY";
/// Most pages of one file in a RESTORE.
const MAX_PAGES: usize = 1000;

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn not_carried_out(plan: &Plan) -> ServerMessage {
    unsupported(format_args!(
        "{} of files, filegroups or pages",
        plan.verb.name()
    ))
}

/// BACKUP of a part: 3024, 3235, 3219, 3004.
pub fn backup(plan: &Plan, database: &Database) -> Result<(), ServerMessage> {
    let scope = &plan.scope;
    if scope.is_whole() {
        return Ok(());
    }
    if same(&database.name, "master") {
        return Err(numbered(3024, ""));
    }
    for name in &scope.files {
        let mut files = database.files.iter();
        match files.find(|file| same(&file.logical, name)) {
            None => return Err(numbered(3235, name)),
            Some(file) if file.is_log => return Err(numbered(3219, name)),
            Some(_) => {}
        }
    }
    if let Some(name) = scope.filegroups.iter().find(|name| !same(name, PRIMARY)) {
        return Err(numbered(3235, name));
    }
    let simple = database.recovery == RecoveryModel::Simple;
    if simple && !scope.read_write {
        return Err(numbered(3004, ""));
    }
    Err(not_carried_out(plan))
}

/// RESTORE of a part, before its devices are opened: 3217, 3115.
pub fn restore(plan: &Plan, database: Option<&Database>) -> Result<(), ServerMessage> {
    let pages = plan.scope.pages.iter();
    if !pages.map(String::as_str).all(are_pages) {
        return Err(numbered(3217, "PAGE"));
    }
    let simple = database.is_some_and(|known| known.recovery == RecoveryModel::Simple);
    if simple && !plan.scope.is_whole() && !plan.has("PARTIAL") {
        return Err(numbered(3115, ""));
    }
    Ok(())
}

/// The same once the set is known: 3144, 3190.
pub fn of_set(plan: &Plan, listed: &[FileRecord]) -> Result<(), ServerMessage> {
    let Scope {
        files, filegroups, ..
    } = &plan.scope;
    if plan.scope.is_whole() && !plan.has("PARTIAL") {
        return Ok(());
    }
    let lacks = |name: &&String| !listed.iter().any(|file| same(&file.logical, name));
    if let Some(name) = files.iter().find(lacks) {
        return Err(numbered(3144, name));
    }
    if let Some(name) = filegroups.iter().find(|name| !same(name, PRIMARY)) {
        return Err(numbered(3190, name));
    }
    Err(not_carried_out(plan))
}

/// `file:page, file:page`, at most a thousand.
fn are_pages(list: &str) -> bool {
    let number = |text: &str| text.trim().parse::<u32>().is_ok();
    let page = |one: &str| {
        one.split_once(':')
            .is_some_and(|(file, page)| number(file) && number(page))
    };
    list.split(',').count() <= MAX_PAGES && list.split(',').all(page)
}

/// Which parts a statement can name at all; the others are no syntax of it.
#[must_use]
pub fn takes(verb: Verb, word: &str) -> bool {
    match verb {
        Verb::BackupDatabase => word != "PAGE",
        Verb::RestoreDatabase => true,
        Verb::RestoreLog => word != "READ_WRITE_FILEGROUPS",
        _ => false,
    }
}
