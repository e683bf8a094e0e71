//! Who is principal, before anything of a group with two partners is touched.

use twinset_domain::Fault;

use crate::backup::role::{self, Partners, Role};
use crate::cli::context::Context;
use crate::config::{Group, SessionKind};
use crate::report::Output;
use crate::sqlserver::InstanceSettings;

/// What the roles say of one database.
pub(super) enum Standing {
    /// It may be taken here; with what the partners said, where there are two.
    Ours(Option<Box<Role>>),
    /// The mirror is here: another agent takes it.
    PassedOver(Box<Role>),
}

/// The partners of a group that has two of them. The other one is asked with its own settings; that
/// it cannot be asked is an answer.
pub(super) fn partners(
    context: &Context,
    group: &Group,
    ours: &InstanceSettings,
) -> Option<Partners> {
    // A replica of an availability group knows its role without its partners.
    let mirrored = !matches!(
        group.kind,
        SessionKind::Standalone | SessionKind::AvailabilityGroup
    );
    let other = match group.partners.as_slice() {
        [one, two] if mirrored && *one == ours.name => two,
        [one, two] if mirrored && *two == ours.name => one,
        _ => return None,
    };
    let settings = context.config.instance(other);
    Some(Partners {
        ours: ours.clone(),
        other: settings.and_then(|instance| instance.settings()),
        other_name: other.clone(),
        allowed: group.allowed(),
    })
}

/// Asks, and says what is worth saying. A partner that did not answer is not asked again in this
/// run: it would hold up every database.
///
/// # Errors
/// Why our own instance cannot be asked, or why nothing is taken here.
pub(super) fn stand(
    partners: Option<&mut Partners>,
    database: &str,
    if_principal: bool,
    output: &Output,
) -> Result<Standing, Fault> {
    let Some(partners) = partners else {
        return Ok(Standing::Ours(None));
    };
    let Some(role) = role::look(partners, database)?.map(Box::new) else {
        return Ok(Standing::Ours(None));
    };
    if let Some(fault) = &role.fault {
        partners.other = Err(fault.clone());
    }
    match role.refused() {
        None => {
            for note in &role.said {
                output.warn(note);
            }
            Ok(Standing::Ours(Some(role)))
        }
        Some(fault) => match role.refusal() {
            Some(refusal) if if_principal && refusal.is_mirror_here() => {
                output.line(format!("{database}: passed over: {}", fault.message));
                Ok(Standing::PassedOver(role))
            }
            _ => Err(fault),
        },
    }
}
