//! What one backup of SQL Server says of itself, and what it really holds.

use std::rc::Rc;

use twinset_domain::restore::Link;
use twinset_domain::retention::Part;
use twinset_domain::{BackupKind, Lsn};
use uuid::Uuid;

use super::truth::Node;

/// Ties all copies of the database together.
pub(crate) const FAMILY: Uuid = Uuid::from_u128(0xFA);

/// A backup that SQL Server finished; `head` alone is hidden from Twinset.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) guid: Uuid,
    pub(crate) kind: BackupKind,
    pub(crate) copy_only: bool,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) checkpoint: u64,
    /// The full under a differential, and its checkpoint.
    pub(crate) base: Option<(Uuid, u64)>,
    pub(crate) fork: Uuid,
    /// Of a log that crosses: the fork that it begins on, and where that was left.
    pub(crate) crossed: Option<(Uuid, u64)>,
    /// By the server's clock.
    pub(crate) finished: i64,
    /// The database behind it.
    pub(crate) head: Node,
}

pub(crate) fn lsn(number: u64) -> Lsn {
    Lsn(number.into())
}

impl Set {
    /// As restore sees it.
    pub(crate) fn link(&self) -> Link {
        Link {
            set: Some(self.guid),
            family: Some(FAMILY),
            fork: Some(self.fork),
            first_fork: self.crossed.map(|(fork, _)| fork),
            fork_point: self.crossed.map(|(_, point)| lsn(point)),
            first: Some(lsn(self.first)),
            last: Some(lsn(self.last)),
            checkpoint: Some(lsn(self.checkpoint)),
            database_backup: None,
            base: self.base.map(|(guid, _)| guid),
            base_lsn: self.base.map(|(_, at)| lsn(at)),
            copy_only: self.copy_only,
            bulk: false,
        }
    }

    /// As retention sees it.
    pub(crate) fn part(&self) -> Part {
        let link = self.link();
        Part {
            kind: Some(self.kind),
            set: link.set,
            base: link.base,
            copy_only: link.copy_only,
            family: link.family,
            fork: link.fork,
            first_fork: link.first_fork,
            fork_point: link.fork_point,
            first: link.first,
            last: link.last,
            checkpoint: link.checkpoint,
            base_checkpoint: link.base_lsn,
        }
    }
}

/// One set of SQL Server, as many hold it.
pub(crate) type Shared = Rc<Set>;
