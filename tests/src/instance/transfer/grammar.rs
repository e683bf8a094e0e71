//! The grammar of BACKUP and RESTORE (facts: sqlserver.md 3.1 and 3.3, vdi.md 4).

pub mod devices;
pub mod options;
mod values;

use super::messages;
use crate::instance::query::Variables;
use crate::instance::statement::{Kind, Reader};
use crate::instance::version::Version;
use crate::tds::tokens::ServerMessage;
pub use devices::DeviceKind;
use options::Form;
use values::{compression, encryption, scope, text, value};

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
    /// A mark, and after which time it is looked for.
    Mark(String, Option<String>),
    /// COMPRESSION: algorithm and level, in capitals, where given.
    Compression(Option<String>, Option<String>),
    /// ENCRYPTION: algorithm in capitals, name of what encrypts, whether that is a certificate.
    Encryption(String, String, bool),
}

/// Which part of the database a statement names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// FILE = names.
    pub files: Vec<String>,
    /// FILEGROUP = names.
    pub filegroups: Vec<String>,
    /// PAGE = lists.
    pub pages: Vec<String>,
    /// READ_WRITE_FILEGROUPS.
    pub read_write: bool,
}

impl Scope {
    /// Whether the whole database is meant.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }
}

/// A parsed statement.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is to be done.
    pub verb: Verb,
    /// Database named.
    pub database: String,
    /// Which part of it.
    pub scope: Scope,
    /// Class of its devices.
    pub kind: DeviceKind,
    /// Their names in order; none for RESTORE DATABASE db WITH RECOVERY.
    pub devices: Vec<String>,
    /// MIRROR TO clauses: devices and their class.
    pub mirrors: Vec<(Vec<String>, DeviceKind)>,
    /// Options in order, keywords in capitals.
    pub options: Vec<(String, Value)>,
}

impl Plan {
    /// Reads a whole statement as a server of this version does.
    pub fn parse(
        reader: &mut Reader<'_>,
        variables: &Variables,
        version: &Version,
    ) -> Result<Self, ServerMessage> {
        let backup = reader.word("BACKUP");
        if !backup {
            reader.expect_word("RESTORE")?;
        }
        let verb = verb(reader, backup)?;
        let mut plan = Self {
            verb,
            database: String::new(),
            scope: Scope::default(),
            kind: DeviceKind::Disk,
            devices: Vec::new(),
            mirrors: Vec::new(),
            options: Vec::new(),
        };
        let named = matches!(
            verb,
            Verb::BackupDatabase | Verb::BackupLog | Verb::RestoreDatabase | Verb::RestoreLog
        );
        if named {
            plan.database = database(reader, variables)?;
            plan.scope = scope(reader, variables, verb)?;
        }
        if reader.word(if backup { "TO" } else { "FROM" }) {
            (plan.devices, plan.kind) = devices::list(reader, variables)?;
        } else if verb != Verb::RestoreDatabase {
            return Err(reader.wrong());
        }
        while backup && reader.word("MIRROR") {
            reader.expect_word("TO")?;
            plan.mirrors.push(devices::list(reader, variables)?);
        }
        if reader.word("WITH") {
            loop {
                plan.option(reader, variables, version)?;
                if !reader.sign(',') {
                    break;
                }
            }
        }
        let recovers = ["RECOVERY", "NORECOVERY", "STANDBY"];
        if plan.devices.is_empty() && !recovers.iter().any(|word| plan.has(word)) {
            return Err(reader.wrong());
        }
        if reader.at_end() {
            Ok(plan)
        } else {
            Err(reader.wrong())
        }
    }

    fn option(
        &mut self,
        reader: &mut Reader<'_>,
        variables: &Variables,
        version: &Version,
    ) -> Result<(), ServerMessage> {
        let name = reader.name()?.to_ascii_uppercase();
        let Some(known) = options::find(&name, self.verb.is_backup(), version) else {
            return Err(messages::unknown_option(&name, self.verb));
        };
        let read = match known.form {
            Form::Flag => Value::Flag,
            Form::FlagOrNumber if !reader.sign('=') => Value::Flag,
            Form::FlagOrNumber => value(reader, variables)?,
            Form::Number | Form::Text => {
                reader.expect_sign('=')?;
                let wrong = reader.wrong();
                match (known.form, value(reader, variables)?) {
                    (Form::Number, number @ Value::Number(_)) => number,
                    (Form::Text, Value::Number(number)) => Value::Text(number.to_string()),
                    (Form::Text, text) => text,
                    _ => return Err(wrong),
                }
            }
            Form::Mark => {
                reader.expect_sign('=')?;
                let mark = text(reader, variables)?;
                let after = match reader.word("AFTER") {
                    true => Some(text(reader, variables)?),
                    false => None,
                };
                Value::Mark(mark, after)
            }
            Form::Move => {
                let from = text(reader, variables)?;
                reader.expect_word("TO")?;
                Value::Move(from, text(reader, variables)?)
            }
            Form::Compression => compression(reader, version)?,
            Form::Encryption => encryption(reader)?,
        };
        self.options.push((name, read));
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

    /// Mark of STOPATMARK or STOPBEFOREMARK.
    #[must_use]
    pub fn mark(&self, name: &str) -> Option<(&str, Option<&str>)> {
        self.options.iter().find_map(|(known, value)| match value {
            Value::Mark(mark, after) if known == name => Some((mark.as_str(), after.as_deref())),
            _ => None,
        })
    }

    /// Algorithm of COMPRESSION, where one is named.
    #[must_use]
    pub fn compression(&self) -> Option<&str> {
        self.options.iter().find_map(|(_, value)| match value {
            Value::Compression(algorithm, _) => algorithm.as_deref(),
            _ => None,
        })
    }

    /// ENCRYPTION: algorithm, name of what encrypts, whether that is a certificate.
    #[must_use]
    pub fn encryption(&self) -> Option<(&str, &str, bool)> {
        self.options.iter().find_map(|(_, value)| match value {
            Value::Encryption(algorithm, by, certificate) => {
                Some((algorithm.as_str(), by.as_str(), *certificate))
            }
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

#[cfg(test)]
mod tests;
