//! A database of an availability group: what its replica lets an agent take, as faults.

use twinset_domain::chain::Decision;
use twinset_domain::partner::{Barred, Membership, Replica, ReplicaRole, barred};
use twinset_domain::{BackupKind, Code, Fault, code};

use super::guard::Guarded;

/// Why nothing of this kind can be taken on this instance, as far as its group goes.
///
/// # Errors
/// 3059, 3062, 976, 983, [`code::PAIR_UNFIT`], [`code::RIGHT`].
pub fn fits(
    membership: &Membership,
    (kind, copy_only): (BackupKind, bool),
    object: &str,
) -> Result<(), Fault> {
    let replica = match membership {
        Membership::Alone => return Ok(()),
        Membership::Hidden(why) => {
            return Err(Fault::new(code::RIGHT, object, why.clone())
                .remedy("twinset grants INSTANCE prints what is missing"));
        }
        Membership::In(replica) => replica,
    };
    if let Some(why) = replica.unfollowed() {
        return Err(unfit(object, &why.to_string()));
    }
    match barred(replica, (kind, copy_only)) {
        None => Ok(()),
        Some(why) => Err(Fault::new(code_of(&why), object, why.to_string()).remedy(remedy(&why))),
    }
}

/// A group that is not followed.
#[must_use]
pub fn unfit(object: &str, why: &str) -> Fault {
    Fault::new(code::PAIR_UNFIT, object, why)
        .cause("Twinset follows groups whose cluster (WSFC, or EXTERNAL) arbitrates the roles")
        .remedy("back its databases up with SQL Server's own tools; `media import` takes the files")
}

const fn code_of(why: &Barred) -> Code {
    match why {
        Barred::Resolving => code::RESOLVING,
        Barred::NeedsPrimary { .. }
        | Barred::NotPreferred { .. }
        | Barred::Configured
        | Barred::Basic => code::NOT_ON_SECONDARY,
        Barred::NotFollowing { .. } => code::NOT_SYNCHRONIZING,
        Barred::NotReadable => code::NOT_READABLE,
    }
}

const fn remedy(why: &Barred) -> &'static str {
    match why {
        Barred::Resolving => {
            "wait until the cluster has given the roles; sys.dm_hadr_availability_replica_states \
             shows them"
        }
        Barred::NeedsPrimary { .. }
        | Barred::NotPreferred { .. }
        | Barred::Configured
        | Barred::Basic => {
            "the agent of the primary takes it; a secondary takes logs, and fulls with --copy-only"
        }
        Barred::NotFollowing { .. } => {
            "ALTER DATABASE ... SET HADR RESUME here, or mend the connection to the primary"
        }
        Barred::NotReadable => {
            "MODIFY REPLICA ... SECONDARY_ROLE (ALLOW_CONNECTIONS = READ_ONLY), or set \
             replica = \"primary\" in [backup]"
        }
    }
}

/// Whether this is a secondary, which takes what was asked for or nothing: what the chain wants
/// instead, only the primary can take.
#[must_use]
pub fn is_secondary(membership: &Membership) -> bool {
    membership
        .replica()
        .is_some_and(|replica| replica.role == ReplicaRole::Secondary)
}

/// What a secondary cannot do that the chain guard wants done.
#[must_use]
pub fn beyond(membership: &Membership, guarded: &Guarded) -> Option<Fault> {
    let decision: &Decision = &guarded.decision;
    let kind = decision.takes().filter(|_| decision.differs())?;
    if !is_secondary(membership) {
        return None;
    }
    let primary = membership
        .replica()
        .and_then(|r: &Replica| r.primary.clone());
    let primary = primary.unwrap_or_else(|| "the primary".to_owned());
    let database = &guarded.database;
    Some(
        Fault::new(
            code::CHAIN_BROKEN,
            format!("database {database}"),
            guarded.why.clone(),
        )
        .cause(format!(
            "it would take a {kind} backup, and only the primary takes those"
        ))
        .remedy(format!(
            "on the host of {primary}: twinset backup GROUP --database {database} --kind {kind}; \
             both agents must be able to read each other's media"
        )),
    )
}
