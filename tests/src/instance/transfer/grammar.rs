//! The grammar of BACKUP and RESTORE (facts: sqlserver.md 3.1 and 3.3, vdi.md 4).

use super::messages;
use crate::instance::query::{self, Variables};
use crate::instance::statement::{Kind, Reader};
use crate::tds::tokens::ServerMessage;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// BACKUP DATABASE
    BackupDatabase,
    /// BACKUP LOG
    BackupLog,
    /// RESTORE DATABASE
    RestoreDatabase,
    /// RESTORE LOG
    RestoreLog,
    /// RESTORE HEADERONLY
    HeaderOnly,
    /// RESTORE LABELONLY
    LabelOnly,
    /// RESTORE FILELISTONLY
    FileListOnly,
    /// RESTORE VERIFYONLY
    VerifyOnly,
}

impl Verb {
    /// As messages and sys.dm_exec_requests name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BackupDatabase => "BACKUP DATABASE",
            Self::BackupLog => "BACKUP LOG",
            Self::RestoreDatabase => "RESTORE DATABASE",
            Self::RestoreLog => "RESTORE LOG",
            Self::HeaderOnly => "RESTORE HEADERONLY",
            Self::LabelOnly => "RESTORE LABELONLY",
            Self::FileListOnly => "RESTORE FILELISTONLY",
            Self::VerifyOnly => "RESTORE VERIFYONLY",
        }
    }

    /// Command code of its DONE tokens, as observed.
    #[must_use]
    pub const fn command(self) -> u16 {
        match self {
            Self::BackupDatabase => 228,
            Self::BackupLog => 235,
            Self::RestoreDatabase | Self::RestoreLog => 229,
            Self::HeaderOnly | Self::LabelOnly => 250,
            Self::FileListOnly => 376,
            Self::VerifyOnly => 377,
        }
    }

    /// Whether it writes media.
    #[must_use]
    pub const fn is_backup(self) -> bool {
        matches!(self, Self::BackupDatabase | Self::BackupLog)
    }
}

/// Class of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// VIRTUAL_DEVICE
    Virtual,
    /// DISK
    Disk,
}

/// An option with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A bare word.
    Flag,
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
    /// MOVE a TO b.
    Move(String, String),
}

/// A parsed statement.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is to be done.
    pub verb: Verb,
    /// Database named.
    pub database: String,
    /// Class of its devices.
    pub kind: DeviceKind,
    /// Their names in order; none for RESTORE DATABASE db WITH RECOVERY.
    pub devices: Vec<String>,
    /// MIRROR TO clauses.
    pub mirrors: usize,
    /// Options in order, keywords in capitals.
    pub options: Vec<(String, Value)>,
}

const FLAGS: &[&str] = &[
    "CHECKSUM",
    "NO_CHECKSUM",
    "STOP_ON_ERROR",
    "CONTINUE_AFTER_ERROR",
    "STATS",
    "RESTART",
    "REWIND",
    "NOREWIND",
    "UNLOAD",
    "NOUNLOAD",
    "NORECOVERY",
];
const BACKUP_FLAGS: &[&str] = &[
    "COPY_ONLY",
    "DIFFERENTIAL",
    "COMPRESSION",
    "NO_COMPRESSION",
    "FORMAT",
    "NOFORMAT",
    "INIT",
    "NOINIT",
    "SKIP",
    "NOSKIP",
    "NO_TRUNCATE",
];
const RESTORE_FLAGS: &[&str] = &[
    "RECOVERY",
    "REPLACE",
    "PARTIAL",
    "RESTRICTED_USER",
    "KEEP_REPLICATION",
    "KEEP_CDC",
    "ENABLE_BROKER",
    "NEW_BROKER",
    "ERROR_BROKER_CONVERSATIONS",
    "LOADHISTORY",
];
const VALUED: &[&str] = &[
    "BLOCKSIZE",
    "BUFFERCOUNT",
    "MAXTRANSFERSIZE",
    "STATS",
    "MEDIANAME",
    "STANDBY",
];
const BACKUP_VALUED: &[&str] = &[
    "NAME",
    "DESCRIPTION",
    "MEDIADESCRIPTION",
    "EXPIREDATE",
    "RETAINDAYS",
];
const RESTORE_VALUED: &[&str] = &["FILE", "PASSWORD", "MEDIAPASSWORD", "STOPAT"];

impl Plan {
    /// Reads a whole statement.
    pub fn parse(reader: &mut Reader<'_>, variables: &Variables) -> Result<Self, ServerMessage> {
        let backup = reader.word("BACKUP");
        if !backup {
            reader.expect_word("RESTORE")?;
        }
        let verb = verb(reader, backup)?;
        let mut plan = Self {
            verb,
            database: String::new(),
            kind: DeviceKind::Disk,
            devices: Vec::new(),
            mirrors: 0,
            options: Vec::new(),
        };
        let named = matches!(
            verb,
            Verb::BackupDatabase | Verb::BackupLog | Verb::RestoreDatabase | Verb::RestoreLog
        );
        if named {
            plan.database = database(reader, variables)?;
            for word in ["FILE", "FILEGROUP", "PAGE", "READ_WRITE_FILEGROUPS"] {
                if reader.peek().is_some_and(|token| token.is_word(word)) {
                    return Err(query::unsupported(format_args!(
                        "{} with {word}",
                        verb.name()
                    )));
                }
            }
        }
        if reader.word(if backup { "TO" } else { "FROM" }) {
            plan.devices(reader, variables)?;
        } else if verb != Verb::RestoreDatabase {
            return Err(reader.wrong());
        }
        while reader.word("MIRROR") {
            reader.expect_word("TO")?;
            let mut mirror = plan.clone();
            mirror.devices.clear();
            mirror.devices(reader, variables)?;
            plan.mirrors += 1;
        }
        if reader.word("WITH") {
            loop {
                plan.option(reader, variables)?;
                if !reader.sign(',') {
                    break;
                }
            }
        }
        if reader.at_end() {
            Ok(plan)
        } else {
            Err(reader.wrong())
        }
    }

    fn devices(
        &mut self,
        reader: &mut Reader<'_>,
        variables: &Variables,
    ) -> Result<(), ServerMessage> {
        loop {
            let kind = if reader.word("VIRTUAL_DEVICE") {
                DeviceKind::Virtual
            } else if reader.word("DISK") {
                DeviceKind::Disk
            } else {
                return Err(query::unsupported(
                    "devices other than VIRTUAL_DEVICE and DISK",
                ));
            };
            reader.expect_sign('=')?;
            self.devices.push(text(reader, variables)?);
            if self.devices.len() > 1 && kind != self.kind {
                return Err(messages::mixed_devices());
            }
            self.kind = kind;
            if !reader.sign(',') {
                return Ok(());
            }
        }
    }

    fn option(
        &mut self,
        reader: &mut Reader<'_>,
        variables: &Variables,
    ) -> Result<(), ServerMessage> {
        let backup = self.verb.is_backup();
        let name = reader.name()?.to_ascii_uppercase();
        if name == "MOVE" && !backup {
            let from = text(reader, variables)?;
            reader.expect_word("TO")?;
            let to = text(reader, variables)?;
            self.options.push((name, Value::Move(from, to)));
            return Ok(());
        }
        let own = |shared: &[&str], mine: &[&str], theirs: &[&str]| {
            let name = name.as_str();
            shared.contains(&name) || if backup { mine } else { theirs }.contains(&name)
        };
        let value = if reader.sign('=') {
            if !own(VALUED, BACKUP_VALUED, RESTORE_VALUED) {
                return Err(messages::unknown_option(&name, self.verb));
            }
            value(reader, variables)?
        } else if own(FLAGS, BACKUP_FLAGS, RESTORE_FLAGS) {
            Value::Flag
        } else {
            return Err(messages::unknown_option(&name, self.verb));
        };
        self.options.push((name, value));
        Ok(())
    }

    /// Whether a bare option was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(known, _)| known == name)
    }

    /// Value of a numeric option.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.options.iter().find_map(|(known, value)| match value {
            Value::Number(number) if known == name => Some(*number),
            _ => None,
        })
    }

    /// Value of a text option.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.options.iter().find_map(|(known, value)| match value {
            Value::Text(text) if known == name => Some(text.clone()),
            _ => None,
        })
    }

    /// MOVE clauses.
    pub fn moves(&self) -> impl Iterator<Item = (&str, &str)> {
        self.options.iter().filter_map(|(_, value)| match value {
            Value::Move(from, to) => Some((from.as_str(), to.as_str())),
            _ => None,
        })
    }

    /// Percent between two 3211 messages; `None` = none are wanted.
    #[must_use]
    pub fn stats(&self) -> Option<u64> {
        self.has("STATS")
            .then(|| self.number("STATS").unwrap_or(10).clamp(1, 100))
    }
}

fn verb(reader: &mut Reader<'_>, backup: bool) -> Result<Verb, ServerMessage> {
    let verbs: &[(&str, Verb)] = if backup {
        &[("DATABASE", Verb::BackupDatabase), ("LOG", Verb::BackupLog)]
    } else {
        &[
            ("DATABASE", Verb::RestoreDatabase),
            ("LOG", Verb::RestoreLog),
            ("HEADERONLY", Verb::HeaderOnly),
            ("LABELONLY", Verb::LabelOnly),
            ("FILELISTONLY", Verb::FileListOnly),
            ("VERIFYONLY", Verb::VerifyOnly),
        ]
    };
    let hit = verbs.iter().find(|(word, _)| reader.word(word));
    hit.map(|(_, verb)| *verb).ok_or_else(|| reader.wrong())
}

fn database(reader: &mut Reader<'_>, variables: &Variables) -> Result<String, ServerMessage> {
    match reader.peek().map(|token| &token.kind) {
        Some(Kind::Variable(_)) => text(reader, variables),
        _ => reader.name(),
    }
}

/// A text literal or a variable.
fn text(reader: &mut Reader<'_>, variables: &Variables) -> Result<String, ServerMessage> {
    match value(reader, variables)? {
        Value::Text(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(reader.wrong()),
    }
}

fn value(reader: &mut Reader<'_>, variables: &Variables) -> Result<Value, ServerMessage> {
    let wrong = reader.wrong();
    let Some(token) = reader.take() else {
        return Err(wrong);
    };
    match &token.kind {
        Kind::Text(text) => Ok(Value::Text(text.clone())),
        Kind::Number(text) => text.parse().map(Value::Number).map_err(|_| wrong),
        Kind::Variable(name) => {
            let found = variables.get(&name.to_ascii_lowercase());
            let (_, value) = found.ok_or_else(|| {
                let text = format!("Must declare the scalar variable \"{name}\".");
                ServerMessage::new(137, 15, text)
            })?;
            let text = value.text();
            Ok(text.parse().map_or(Value::Text(text), Value::Number))
        }
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests;
