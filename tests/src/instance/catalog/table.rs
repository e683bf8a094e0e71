//! Tables described in one line of text per table, and rows filled by column name.

use crate::tds::tokens::Column;
use crate::tds::types::{SqlType, Value};

/// A view or table of the catalogue.
#[derive(Clone, Debug)]
pub struct Table {
    /// Name without its schema.
    pub name: &'static str,
    /// Columns in order.
    pub columns: Vec<Column>,
}

impl Table {
    /// Reads `name type, name type!, ...`; `!` = NOT NULL. Types are written as in T-SQL.
    #[must_use]
    pub fn parse(name: &'static str, text: &str) -> Self {
        // Commas inside a numeric's brackets are written as dots.
        let columns = text.split(',').filter_map(|column| {
            let (name, kind) = column.trim().split_once(' ')?;
            let (kind, nullable) = match kind.strip_suffix('!') {
                Some(kind) => (kind, false),
                None => (kind, true),
            };
            Some(Column {
                name: name.to_owned(),
                kind: kind_of(kind)?,
                nullable,
            })
        });
        Self {
            name,
            columns: columns.collect(),
        }
    }

    /// Position of a column, by any case.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// A T-SQL type name with its length; numeric lengths as `numeric(25.0)`.
#[must_use]
pub fn kind_of(text: &str) -> Option<SqlType> {
    let (name, arguments) = text.split_once('(').unwrap_or((text, ""));
    let arguments = arguments.trim_end_matches(')');
    let length = || arguments.parse::<u16>().ok();
    Some(match name {
        "bit" => SqlType::Bit,
        "tinyint" => SqlType::TinyInt,
        "smallint" => SqlType::SmallInt,
        "int" => SqlType::Int,
        "bigint" => SqlType::BigInt,
        "real" => SqlType::Real,
        "float" => SqlType::Float,
        "sysname" => SqlType::NVarChar(128),
        "uniqueidentifier" => SqlType::Guid,
        "datetime" => SqlType::DateTime,
        "numeric" => {
            let (precision, scale) = arguments.split_once('.')?;
            SqlType::Numeric(precision.parse().ok()?, scale.parse().ok()?)
        }
        "nvarchar" => SqlType::NVarChar(length()?),
        "nchar" => SqlType::NChar(length()?),
        "varchar" => SqlType::VarChar(length()?),
        "char" => SqlType::Char(length()?),
        "varbinary" => SqlType::VarBinary(length()?),
        "sql_variant" => SqlType::Variant,
        _ => return None,
    })
}

/// A row under construction; columns not set are NULL.
#[derive(Debug)]
pub struct Row<'a> {
    table: &'a Table,
    values: Vec<Value>,
}

impl<'a> Row<'a> {
    /// All NULL.
    #[must_use]
    pub fn new(table: &'a Table) -> Self {
        Self {
            table,
            values: vec![Value::Null; table.columns.len()],
        }
    }

    /// Sets one column. A name the table does not have is a fault of this program.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        let at = self.table.position(name);
        debug_assert!(at.is_some(), "{} has no column {name}", self.table.name);
        if let Some(slot) = at.and_then(|at| self.values.get_mut(at)) {
            *slot = value.into();
        }
        self
    }

    /// The finished row.
    #[must_use]
    pub fn build(self) -> Vec<Value> {
        self.values
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<uuid::Uuid> for Value {
    fn from(value: uuid::Uuid) -> Self {
        Self::Guid(value)
    }
}

impl From<crate::instance::moment::Moment> for Value {
    fn from(value: crate::instance::moment::Moment) -> Self {
        Self::Moment(value)
    }
}

impl From<crate::instance::model::Lsn> for Value {
    fn from(value: crate::instance::model::Lsn) -> Self {
        Self::Numeric(value.0)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
