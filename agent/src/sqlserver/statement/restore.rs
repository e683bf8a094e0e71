//! RESTORE as text.

use twinset_domain::BackupKind;
use twinset_domain::restore::Stop;

use super::{Medium, STATS_PERCENT, Transfer, media, quote_literal, quote_name};

/// State that RESTORE leaves the database in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Open for use.
    Recovery,
    /// Ready for a differential or a log.
    NoRecovery,
}

/// One file that goes to another place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Logical name in the backup.
    pub logical: String,
    /// Path that the server sees.
    pub to: String,
}

/// A RESTORE. Checksums are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreStatement {
    /// Name under which it is restored.
    pub database: String,
    /// Full and differential restore the database, log its log.
    pub kind: BackupKind,
    /// One for each family, in the order of families.
    pub devices: Vec<Medium>,
    /// Files that go elsewhere.
    pub moves: Vec<Move>,
    /// Takes the place of an existing database.
    pub replace: bool,
    /// State afterwards.
    pub recovery: Recovery,
    /// The backup has checksums to verify; asking for absent ones fails (3187).
    pub checksum: bool,
    /// The backup was taken over damaged pages: they do not end it (3183).
    pub over_damage: bool,
    /// Sizes; the block size is that of the backup.
    pub transfer: Transfer,
    /// Where to stop; only logs take it.
    pub stop: Option<Stop>,
}

impl RestoreStatement {
    /// The statement.
    #[must_use]
    pub fn to_sql(&self) -> String {
        let verb = match self.kind {
            BackupKind::Full | BackupKind::Differential => "DATABASE",
            BackupKind::Log => "LOG",
        };
        let mut options: Vec<String> = self
            .moves
            .iter()
            .map(|m| {
                format!(
                    "MOVE {} TO {}",
                    quote_literal(&m.logical),
                    quote_literal(&m.to)
                )
            })
            .collect();
        if self.replace {
            options.push("REPLACE".to_owned());
        }
        options.push(
            match self.recovery {
                Recovery::Recovery => "RECOVERY",
                Recovery::NoRecovery => "NORECOVERY",
            }
            .to_owned(),
        );
        if let Some(stop) = &self.stop {
            options.push(stop_sql(stop));
        }
        if self.checksum {
            options.push("CHECKSUM".to_owned());
        }
        if self.over_damage {
            options.push("CONTINUE_AFTER_ERROR".to_owned());
        }
        options.push(format!("STATS = {STATS_PERCENT}"));
        self.transfer.options(&mut options);
        format!(
            "RESTORE {verb} {} FROM {} WITH {}",
            quote_name(&self.database),
            media(&self.devices),
            options.join(", ")
        )
    }
}

/// The option that names the point. Times are in ISO 8601, which no language setting reads
/// otherwise.
fn stop_sql(stop: &Stop) -> String {
    match stop {
        Stop::At(time) => format!("STOPAT = {}", quote_literal(&time.to_string())),
        Stop::Lsn(lsn) => format!("STOPATMARK = {}", quote_literal(&format!("lsn:{lsn}"))),
        Stop::Mark {
            name,
            before,
            after,
        } => {
            let word = if *before {
                "STOPBEFOREMARK"
            } else {
                "STOPATMARK"
            };
            let after = after.map_or_else(String::new, |after| {
                format!(" AFTER {}", quote_literal(&after.to_string()))
            });
            format!("{word} = {}{after}", quote_literal(name))
        }
    }
}

/// Opens a database that was left RESTORING.
#[must_use]
pub fn recover_sql(database: &str) -> String {
    format!("RESTORE DATABASE {} WITH RECOVERY", quote_name(database))
}
