//! RPO rules: what was judged becomes alerts, and what is good again ends them.

use std::collections::BTreeSet;

use twinset_domain::rpo::Reading;
use twinset_domain::{Fault, Moment, code};

use super::raise;
use crate::catalog::Catalog;

/// Raises what is too old and ends what is not any more. `judged` holds every group that has rules:
/// what is open and not among them has no rule any more, and ends too.
///
/// # Errors
/// [`twinset_domain::code::CATALOG`].
pub fn apply(
    catalog: &mut Catalog,
    judged: &[(String, Reading)],
    now: Moment,
) -> Result<(), Fault> {
    let mut broken = BTreeSet::new();
    for (group, reading) in judged {
        if let Some(alert) = reading.alert(group) {
            raise(catalog, &alert, now)?;
            broken.insert(alert.object);
        }
    }
    for open in catalog.open_alerts()? {
        if open.code == code::RPO.text() && !broken.contains(&open.object) {
            catalog.resolve(code::RPO, &open.object, now)?;
        }
    }
    Ok(())
}
