//! What becomes of a backup: a failure is an alert until one of the kind succeeds.

use twinset_domain::alert::{Alert, Severity};
use twinset_domain::protection::Phase;
use twinset_domain::schedule::KINDS;
use twinset_domain::{BackupKind, Fault, Moment, code, rpo};

use crate::catalog::Catalog;
use crate::config::Config;

/// What the alert of a failed backup is about; the service says the same, so that it is one alert.
#[must_use]
pub fn object(group: &str, database: &str, kind: BackupKind) -> String {
    format!("group {group}, {kind} backups of {database}")
}

/// A backup failed. One that somebody stopped is no alert, nor that the principal is elsewhere.
///
/// # Errors
/// [`code::CATALOG`].
pub fn failed(
    catalog: &mut Catalog,
    group: &str,
    (database, kind): (&str, BackupKind),
    fault: &Fault,
    now: Moment,
) -> Result<(), Fault> {
    if [code::CANCELLED, code::NOT_PRINCIPAL].contains(&fault.code) {
        return Ok(());
    }
    let message = format!("{} {}: {}", fault.code, fault.object, fault.message);
    let alert = Alert::new(code::BACKUP_FAILED, object(group, database, kind), message)
        .severity(Severity::Error)
        .remedy(&fault.remedy)
        .group(group)
        .database(database);
    // Whoever ran it says the fault; the log need not say it again.
    catalog.raise(&alert, now).map(drop)
}

/// Of a database that the partner serves the partner's agent takes the backups: what failed here is
/// made good there, and would stay open here until the roles are exchanged again.
///
/// # Errors
/// [`code::CATALOG`].
pub fn handed_over(catalog: &mut Catalog, now: Moment) -> Result<(), Fault> {
    for (group, database, record) in catalog.protected()? {
        if record.phase != Phase::Standby {
            continue;
        }
        for kind in KINDS {
            let object = object(&group, &database, kind);
            catalog.resolve(code::BACKUP_FAILED, &object, now)?;
        }
    }
    Ok(())
}

/// What failed and was made good since, though no backup of the kind ran: a set whose end was not
/// seen was confirmed later.
///
/// # Errors
/// [`code::CATALOG`].
pub fn made_good(catalog: &mut Catalog, config: &Config, now: Moment) -> Result<(), Fault> {
    for alert in catalog.open_alerts()? {
        let (Some(group), Some(database)) = (&alert.group, &alert.database) else {
            continue;
        };
        let Some(known) = config.groups.get(group) else {
            continue;
        };
        for kind in KINDS {
            if alert.code != code::BACKUP_FAILED.text()
                || alert.object != object(group, database, kind)
            {
                continue;
            }
            let keys = config.keys_of(known, kind, database)?;
            let newest = catalog.newest(&keys, database, kind, now)?;
            let published = newest.and_then(|newest| newest.ended);
            if published.is_some_and(|published| published >= alert.last) {
                succeeded(catalog, group, (database, kind), now)?;
            }
        }
    }
    Ok(())
}

/// A backup succeeded: whatever was said about the kind is over.
///
/// # Errors
/// [`code::CATALOG`].
pub fn succeeded(
    catalog: &mut Catalog,
    group: &str,
    (database, kind): (&str, BackupKind),
    now: Moment,
) -> Result<(), Fault> {
    catalog.resolve(code::BACKUP_FAILED, &object(group, database, kind), now)?;
    let rule = rpo::object(group, database, kind);
    catalog.resolve(code::RPO, &rule, now).map(drop)
}
