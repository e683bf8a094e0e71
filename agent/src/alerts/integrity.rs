//! What becomes of an integrity check: findings are an alert until a check of their depth is clean.

use twinset_domain::alert::{Alert, Severity};
use twinset_domain::integrity::{Check, Outcome, Standing, Unfinished, fault, object};
use twinset_domain::{Fault, Moment, code};

use super::raise;
use crate::catalog::Catalog;

/// Raises or ends the alerts about a check that is remembered; `standing` counts it already.
///
/// # Errors
/// [`code::CATALOG`].
pub fn told(
    catalog: &mut Catalog,
    group: &str,
    (check, standing): (&Check, &Standing),
    now: Moment,
) -> Result<(), Fault> {
    let object = object(group, &check.database, &check.instance);
    let severity = match &check.outcome {
        // Whoever stopped it knows.
        Outcome::Unfinished(Unfinished::Stopped) => return Ok(()),
        Outcome::Unfinished(_) => Severity::Warning,
        Outcome::Clean | Outcome::Damaged(_) => {
            catalog.resolve(code::INTEGRITY_UNFINISHED, &object, now)?;
            Severity::Critical
        }
    };
    if let Some(fault) = fault(group, check) {
        let alert = Alert::of(&fault).severity(severity);
        let alert = alert.group(group).database(&check.database);
        return raise(catalog, &alert, now).map(drop);
    }
    if standing.found.is_none() {
        catalog.resolve(code::INTEGRITY, &object, now)?;
    }
    Ok(())
}
