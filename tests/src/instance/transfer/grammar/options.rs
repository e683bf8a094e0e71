//! The options of WITH: which there are, in which form, and from which version on.

use super::{Value, Verb};
use crate::instance::version::Version;

/// How an option is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A bare word.
    Flag,
    /// `= number`, as a number or a variable.
    Number,
    /// `= 'text'`.
    Text,
    /// A bare word, or `= number`.
    FlagOrNumber,
    /// `= 'text'`, which says when: `= 'mark' [AFTER 'time']`.
    Mark,
    /// A bare word, or `(ALGORITHM = x [, LEVEL = y])`.
    Compression,
    /// `(ALGORITHM = x, SERVER CERTIFICATE | SERVER ASYMMETRIC KEY = name)`.
    Encryption,
    /// `'text' TO 'text'`.
    Move,
}

/// One option: its word, its form, where it belongs, the major version it came with.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// In capitals.
    pub word: &'static str,
    /// How it is written.
    pub form: Form,
    /// Letters of the statements that take it; see [`letter`].
    places: &'static str,
    since: u8,
}

const fn known(word: &'static str, form: Form, places: &'static str) -> Known {
    Known {
        word,
        form,
        places,
        since: 0,
    }
}

/// Letters: D BACKUP DATABASE, L BACKUP LOG, d RESTORE DATABASE, l RESTORE LOG, h HEADERONLY,
/// a LABELONLY, f FILELISTONLY, v VERIFYONLY.
const OPTIONS: &[Known] = &[
    known("CHECKSUM", Form::Flag, "DLdlhafv"),
    known("NO_CHECKSUM", Form::Flag, "DLdlhafv"),
    known("STOP_ON_ERROR", Form::Flag, "DLdlhafv"),
    known("CONTINUE_AFTER_ERROR", Form::Flag, "DLdlhafv"),
    known("STATS", Form::FlagOrNumber, "DLdlv"),
    known("RESTART", Form::Flag, "DLdl"),
    known("REWIND", Form::Flag, "DLdlhafv"),
    known("NOREWIND", Form::Flag, "DLdlhafv"),
    known("UNLOAD", Form::Flag, "DLdlhafv"),
    known("NOUNLOAD", Form::Flag, "DLdlhafv"),
    known("BLOCKSIZE", Form::Number, "DLdlhafv"),
    known("BUFFERCOUNT", Form::Number, "DLdlhafv"),
    known("MAXTRANSFERSIZE", Form::Number, "DLdlhafv"),
    known("MEDIANAME", Form::Text, "DLdlhafv"),
    known("NORECOVERY", Form::Flag, "Ldl"),
    known("STANDBY", Form::Text, "Ldl"),
    // BACKUP alone.
    known("COPY_ONLY", Form::Flag, "DL"),
    known("DIFFERENTIAL", Form::Flag, "D"),
    known("COMPRESSION", Form::Compression, "DL"),
    known("NO_COMPRESSION", Form::Flag, "DL"),
    Known {
        since: 12,
        ..known("ENCRYPTION", Form::Encryption, "DL")
    },
    known("FORMAT", Form::Flag, "DL"),
    known("NOFORMAT", Form::Flag, "DL"),
    known("INIT", Form::Flag, "DL"),
    known("NOINIT", Form::Flag, "DL"),
    known("SKIP", Form::Flag, "DL"),
    known("NOSKIP", Form::Flag, "DL"),
    known("NAME", Form::Text, "DL"),
    known("DESCRIPTION", Form::Text, "DL"),
    known("MEDIADESCRIPTION", Form::Text, "DL"),
    known("EXPIREDATE", Form::Text, "DL"),
    known("RETAINDAYS", Form::Number, "DL"),
    known("NO_TRUNCATE", Form::Flag, "L"),
    known("SNAPSHOT", Form::Flag, "Ddhfv"),
    Known {
        since: 16,
        ..known("METADATA_ONLY", Form::Flag, "Ddhfv")
    },
    known("FILE_SNAPSHOT", Form::Flag, "DL"),
    known("CREDENTIAL", Form::Text, "DLdlhafv"),
    Known {
        since: 16,
        ..known("BACKUP_OPTIONS", Form::Text, "DL")
    },
    // RESTORE alone.
    known("RECOVERY", Form::Flag, "dl"),
    known("REPLACE", Form::Flag, "dl"),
    known("PARTIAL", Form::Flag, "d"),
    known("RESTRICTED_USER", Form::Flag, "dl"),
    known("KEEP_REPLICATION", Form::Flag, "dl"),
    known("KEEP_CDC", Form::Flag, "dl"),
    known("ENABLE_BROKER", Form::Flag, "dl"),
    known("NEW_BROKER", Form::Flag, "dl"),
    known("ERROR_BROKER_CONVERSATIONS", Form::Flag, "dl"),
    known("LOADHISTORY", Form::Flag, "v"),
    known("FILE", Form::Number, "dlhfv"),
    known("PASSWORD", Form::Text, "dlhfv"),
    known("MEDIAPASSWORD", Form::Text, "dlhafv"),
    known("MOVE", Form::Move, "dlv"),
    known("STOPAT", Form::Text, "dl"),
    known("STOPATMARK", Form::Mark, "dl"),
    known("STOPBEFOREMARK", Form::Mark, "dl"),
    Known {
        since: 16,
        ..known("RESTORE_OPTIONS", Form::Text, "dlhafv")
    },
];

/// The letter of a statement in the table.
const fn letter(verb: Verb) -> char {
    match verb {
        Verb::BackupDatabase => 'D',
        Verb::BackupLog => 'L',
        Verb::RestoreDatabase => 'd',
        Verb::RestoreLog => 'l',
        Verb::HeaderOnly => 'h',
        Verb::LabelOnly => 'a',
        Verb::FileListOnly => 'f',
        Verb::VerifyOnly => 'v',
    }
}

impl Known {
    /// Whether the statement takes it.
    #[must_use]
    pub fn is_for(&self, verb: Verb) -> bool {
        self.places.contains(letter(verb))
    }

    /// Whether BACKUP (or RESTORE) knows the word at all.
    fn is_known(&self, backup: bool) -> bool {
        let half = |letter: char| letter.is_uppercase() == backup;
        self.places.chars().any(half)
    }
}

/// The option of this name, if a server of this version knows it in BACKUP (or RESTORE).
#[must_use]
pub fn find(word: &str, backup: bool, version: &Version) -> Option<&'static Known> {
    OPTIONS
        .iter()
        .find(|known| known.word == word)
        .filter(|known| known.is_known(backup) && known.since <= version.major)
}

/// Pairs that exclude one another (3031).
const CONFLICTS: &[(&str, &str)] = &[
    ("CHECKSUM", "NO_CHECKSUM"),
    ("STOP_ON_ERROR", "CONTINUE_AFTER_ERROR"),
    ("REWIND", "NOREWIND"),
    ("UNLOAD", "NOUNLOAD"),
    ("COMPRESSION", "NO_COMPRESSION"),
    ("FORMAT", "NOFORMAT"),
    ("INIT", "NOINIT"),
    ("SKIP", "NOSKIP"),
    ("RECOVERY", "NORECOVERY"),
    ("RECOVERY", "STANDBY"),
    ("NORECOVERY", "STANDBY"),
    ("KEEP_REPLICATION", "NORECOVERY"),
    ("KEEP_CDC", "NORECOVERY"),
    ("SNAPSHOT", "DIFFERENTIAL"),
    ("SNAPSHOT", "METADATA_ONLY"),
    ("ENABLE_BROKER", "NEW_BROKER"),
    ("ENABLE_BROKER", "ERROR_BROKER_CONVERSATIONS"),
    ("NEW_BROKER", "ERROR_BROKER_CONVERSATIONS"),
    ("STOPAT", "STOPATMARK"),
    ("STOPAT", "STOPBEFOREMARK"),
    ("STOPATMARK", "STOPBEFOREMARK"),
];

/// The first pair of options that exclude one another; an option given twice excludes itself.
#[must_use]
pub fn conflict(options: &[(String, Value)]) -> Option<(&str, &str)> {
    let has = |word: &str| options.iter().any(|(name, _)| name == word);
    let pair = CONFLICTS.iter().find(|(a, b)| has(a) && has(b));
    if let Some((a, b)) = pair {
        return Some((a, b));
    }
    let mut rest = options;
    while let Some(((name, _), later)) = rest.split_first() {
        if name != "MOVE" && later.iter().any(|(other, _)| other == name) {
            return Some((name, name));
        }
        rest = later;
    }
    None
}
