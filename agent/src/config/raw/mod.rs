//! What a file says, before anything is believed.
//!
//! Each table is declared once, with the type, default and meaning of every key: the struct that
//! serde fills, the hints for misspelt keys and the reference page all come from that one list.
//! No `flatten` and no tagged or untagged enums: both lose the place of a fault.

mod agent;
mod group;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use toml::Spanned;

pub(crate) use agent::{
    Age, AgentFile, AgentTable, AlertsTable, DeviceTable, InstanceTable, MediaSetTable,
    MirrorTable, PluginTable, RestoreTable, SharedTable, SmtpTable,
};
pub(crate) use group::{
    BackupTable, CheckTable, EncryptionTable, FailoverTable, GroupAlertsTable, GroupFile,
    GroupTable, RetentionTable, RpoTable, ScheduleTable,
};

/// A value with its place in the file, if the key is there.
pub(crate) type Value<T> = Option<Spanned<T>>;
/// Tables by a name that the operator chose.
pub(crate) type Named<T> = Option<BTreeMap<Spanned<String>, Spanned<T>>>;

/// One key of the configuration, for hints and for the reference page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Which of the two files it stands in: `agent.toml` or `groups.d/*.toml`.
    pub file: &'static str,
    /// The table that holds it as written in TOML; empty for the top of the file.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its type in an operator's words.
    pub kind: &'static str,
    /// What holds when it is left out.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

/// Declares one table: `key: type = "type for people", "default";` under its meaning.
macro_rules! table {
    ($(#[doc = $about:literal])+ $name:ident in $file:literal at $table:literal {
        $($(#[doc = $meaning:literal])+ $key:ident: $kind:ty = $text:literal, $default:literal;)+
    }) => {
        $(#[doc = $about])+
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[doc = $meaning])+ pub(crate) $key: $kind,)+
        }

        impl $name {
            /// The keys of this table, in the order of the reference page.
            pub(crate) const KEYS: &'static [super::Key] = &[$(super::Key {
                file: $file,
                table: $table,
                name: stringify!($key),
                kind: $text,
                default: $default,
                meaning: concat!($($meaning),+),
            }),+];
        }
    };
}
pub(crate) use table;

/// Every key of both files, table by table.
#[must_use]
pub fn keys() -> Vec<Key> {
    [
        AgentFile::KEYS,
        AgentTable::KEYS,
        PluginTable::KEYS,
        InstanceTable::KEYS,
        MediaSetTable::KEYS,
        Age::KEYS,
        MirrorTable::KEYS,
        DeviceTable::KEYS,
        RestoreTable::KEYS,
        AlertsTable::KEYS,
        SmtpTable::KEYS,
        SharedTable::KEYS,
        GroupFile::KEYS,
        GroupTable::KEYS,
        BackupTable::KEYS,
        EncryptionTable::KEYS,
        ScheduleTable::KEYS,
        FailoverTable::KEYS,
        CheckTable::KEYS,
        RetentionTable::KEYS,
        GroupAlertsTable::KEYS,
        RpoTable::KEYS,
    ]
    .concat()
}

/// A size, given as text with a unit (`"256MiB"`) or as a bare number of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quantity(pub(crate) String);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Quantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as \"256MiB\" or a number of bytes")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Quantity, E> {
                Ok(Quantity(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
