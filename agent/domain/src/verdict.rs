//! Did the backup really succeed? (Promise P2; facts/vdi.md 3.7 with the change of design 6.)

use serde::Serialize;

/// How the BACKUP statement ended, seen from its connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Statement {
    /// The whole response came and held no ERROR.
    Clean,
    /// The first ERROR of the response.
    Error(u32),
    /// The connection was lost before the response ended.
    Lost,
}

/// What `msdb.dbo.backupset` says of the set, asked on the control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum History {
    /// The set is there.
    Found,
    /// The set is not there.
    Absent,
    /// It could not be asked.
    Unknown,
}

/// Everything the verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The statement's end.
    pub statement: Statement,
    /// The server's own history.
    pub history: History,
    /// Every device's last Flush or Complete was answered with success.
    pub all_answered: bool,
    /// Every device ended with the normal close, and byte counts agree with what was stored.
    pub all_closed: bool,
    /// Every family is sealed on every required mirror.
    pub all_sealed: bool,
    /// Our counters, the stream's own facts and msdb say the same.
    pub facts_agree: bool,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// SQL Server and every required mirror agree.
    Success,
    /// Success, though SQL Server could not write its own history (error 3009).
    SuccessHistoryMissing,
    /// It may have succeeded for SQL Server; the set is kept and stays restorable.
    Unconfirmed,
    /// Nothing was acknowledged; what was written is removed.
    Failed,
}

/// SQL Server could not write msdb history; the backup itself is good.
const HISTORY_ROW_FAILED: u32 = 3009;

/// Decides. Nothing that SQL Server may believe to be safe is ever called failed.
#[must_use]
pub fn judge(evidence: &Evidence) -> Verdict {
    if !evidence.all_answered || !evidence.all_sealed {
        return Verdict::Failed;
    }
    let sound = evidence.all_closed && evidence.facts_agree;
    match (&evidence.statement, evidence.history) {
        (Statement::Clean, History::Found) if sound => Verdict::Success,
        (Statement::Error(HISTORY_ROW_FAILED), _) if sound => Verdict::SuccessHistoryMissing,
        _ => Verdict::Unconfirmed,
    }
}
