//! The shared catalog: whether it answers, and whether its tables fit. No backup needs it.

use twinset_domain::Fault;
use twinset_domain::doctor::{Finding, Level};

use crate::config::{Config, Shared};
use crate::fleet::link::Link;
use crate::fleet::schema;

/// What was found.
pub(super) fn finding(config: &Config, shared: &Shared) -> Finding {
    let object = shared.object();
    match tables(config, shared) {
        Ok(Some(version)) => Finding::ok(
            object,
            format!("it answers, its tables have version {version}"),
        ),
        Ok(None) => Finding::note(
            object,
            "it answers; its tables are made at the first meeting",
        ),
        // Backups go on without it.
        Err(fault) => Finding::of(fault).at(Level::Warning),
    }
}

fn tables(config: &Config, shared: &Shared) -> Result<Option<i32>, Fault> {
    let link = Link::open(shared, &config.agent.name)?;
    let version = link.version()?;
    schema::judge(&shared.object(), version)?;
    Ok(version)
}
