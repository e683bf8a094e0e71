//! A database of a group: can it be backed up, and how?

use serde::Serialize;

use super::Finding;
use crate::partner::{Membership, barred};
use crate::{BackupKind, code};

/// What SQL Server itself is asked to do with the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Native {
    /// `WITH COMPRESSION`.
    pub compression: bool,
    /// MAXTRANSFERSIZE in bytes; 0 where the agent chooses (1 MiB).
    pub max_transfer_size: u32,
}

/// What was seen of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Database {
    /// The instance, by its name in the configuration.
    pub instance: String,
    /// First part of the instance's version.
    pub major: u16,
    /// The instance is an Express edition.
    pub express: bool,
    /// The database's name.
    pub name: String,
    /// The server shows it.
    pub exists: bool,
    /// Such as `ONLINE`.
    pub state: String,
    /// Such as `FULL`.
    pub recovery_model: String,
    /// It is a snapshot of another database.
    pub is_snapshot: bool,
    /// It is the mirror of its session here; the other side's name.
    pub mirror_of: Option<String>,
    /// Its availability group.
    pub membership: Membership,
    /// The bond that its group of ours asks for, where that is another one than what was seen: both
    /// in a sentence.
    pub other_bond: Option<String>,
    /// It has FILESTREAM or memory-optimized data.
    pub filestream: bool,
    /// Encrypted by the server (TDE).
    pub encrypted: bool,
    /// It is backed up through virtual devices.
    pub vdi: bool,
    /// What SQL Server does with the bytes.
    pub native: Native,
    /// When its last full backup ended, as msdb has it, in the server's local time.
    pub last_full: Option<String>,
}

impl Database {
    fn object(&self) -> String {
        format!("{}, database {}", self.instance, self.name)
    }

    /// What of it would keep backups from succeeding.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        if let Some(finding) = self.unfit() {
            return vec![finding];
        }
        let mut found = vec![self.fit()];
        found.extend(self.grouped());
        if self.recovery_model == "SIMPLE" {
            let message = "its recovery model is SIMPLE: it has no log backups (4208)";
            found.push(
                Finding::note(self.object(), message)
                    .remedy("ALTER DATABASE ... SET RECOVERY FULL, if points in time are wanted"),
            );
        }
        if self.filestream && self.vdi {
            let message = "it has FILESTREAM or memory-optimized data: through virtual devices \
                           that works only where SQL Server grants VDC_Complete, which shows only \
                           in a backup; without it the backup fails, and nothing is published";
            found.push(
                Finding::warning(self.object(), message)
                    .remedy("take one backup and see; if it fails, use source = \"stage\""),
            );
        }
        found.extend(self.compression());
        found
    }

    fn unfit(&self) -> Option<Finding> {
        let object = self.object();
        Some(if !self.exists {
            Finding::failure(
                code::SQL_NO_DATABASE,
                object,
                "the server shows no such database",
            )
            .remedy("check its name in the group, and what the login may see")
        } else if self.is_snapshot {
            Finding::failure(code::SQL_SNAPSHOT, object, "a snapshot has no backups")
                .remedy("name its source database in the group instead")
        } else if let Some(principal) = &self.mirror_of {
            Finding::note(
                object,
                format!("it is the mirror here; {principal} is principal, and backs it up"),
            )
        } else if self.state != "ONLINE" {
            let message = format!("it is {}, and only an online one is backed up", self.state);
            Finding::failure(code::DATABASE_STATE, object, message).remedy("bring it online")
        } else {
            return None;
        })
    }

    /// What its availability group means for it.
    fn grouped(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let object = self.object();
        if let Some(bond) = &self.other_bond {
            found.push(
                Finding::failure(code::UNFIT, &object, bond.clone())
                    .remedy("correct `kind` in the group's file, or leave it out"),
            );
        }
        let replica = match &self.membership {
            Membership::Alone => return found,
            Membership::Hidden(why) => {
                found.push(
                    Finding::failure(code::RIGHT, &object, why.clone())
                        .remedy("GRANT VIEW SERVER STATE and VIEW ANY DEFINITION to the login"),
                );
                return found;
            }
            Membership::In(replica) => replica,
        };
        if let Some(why) = replica.unfollowed() {
            found.push(
                Finding::failure(code::PAIR_UNFIT, &object, why.to_string())
                    .remedy("back it up with SQL Server's own tools"),
            );
            return found;
        }
        let (role, name) = (replica.role, &replica.name);
        let message = format!(
            "it is {role} in availability group {name}, {}; the group prefers backups on {}",
            replica.synchronization, replica.preference
        );
        found.push(match barred(replica, (BackupKind::Log, false)) {
            None => Finding::ok(&object, message),
            Some(why) => Finding::note(&object, format!("{message}; {why}")),
        });
        found
    }

    fn fit(&self) -> Finding {
        let last = self.last_full.as_ref().map_or_else(
            || "msdb knows no full backup of it".to_owned(),
            |at| format!("its last full backup, by msdb, ended at {at} of the server"),
        );
        let message = format!("online, {}; {last}", self.recovery_model);
        Finding::ok(self.object(), message)
    }

    /// Native compression by edition, and with TDE by version.
    fn compression(&self) -> Option<Finding> {
        if !self.native.compression {
            return None;
        }
        let object = self.object();
        if self.express {
            let message = "Express editions do not compress backups (error 1844)";
            return Some(
                Finding::failure(code::SQL_ERROR, object, message)
                    .remedy("set compression = \"none\" in [backup], and encoding = \"zstd\""),
            );
        }
        let small = (1..=65_536).contains(&self.native.max_transfer_size);
        if self.encrypted && self.major < 13 {
            let message = "it is encrypted (TDE), and before 2016 SQL Server compresses such \
                           backups hardly at all";
            return Some(
                Finding::warning(object, message)
                    .remedy("leave compression out: it costs time and gains nothing"),
            );
        }
        if self.encrypted && small {
            let message = "it is encrypted (TDE): SQL Server compresses its backups only with a \
                           MAXTRANSFERSIZE above 64 KiB";
            return Some(
                Finding::warning(object, message)
                    .remedy("raise max_transfer_size in [backup], such as \"1MiB\""),
            );
        }
        None
    }
}
