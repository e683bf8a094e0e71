//! What integrity checks of the database mean for its backup.

use twinset_domain::integrity::refused;
use twinset_domain::{BackupKind, Fault};

use crate::backup::vdi::Order;
use crate::catalog::{Catalog, standing};
use crate::config::Group;

/// The order of a database that may be damaged: it is backed up all the same, and the set says so,
/// unless the group wants that refused.
///
/// # Errors
/// [`twinset_domain::code::INTEGRITY_GATE`].
pub(super) fn weighed<'a>(
    catalog: &Catalog,
    group: &Group,
    mut order: Order<'a>,
) -> Result<Order<'a>, Fault> {
    if order.kind == BackupKind::Log {
        return Ok(order);
    }
    let (database, instance) = (order.database, order.settings.name.as_str());
    let standing = standing(&catalog.standings()?, database, instance);
    let of = (group.name.as_str(), database, instance);
    if group.check.gate
        && let Some(fault) = refused(&standing, (order.kind, order.copy_only), of)
    {
        return Err(fault);
    }
    order.over_damage = standing.found.is_some();
    Ok(order)
}
