//! Answers of the server as plain values, and the getters that check them.

use std::sync::Arc;

use twinset_domain::{Fault, LocalTime, Lsn, code};
use uuid::Uuid;

/// A value that goes with a statement as `@P1`, `@P2`, and so on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Param<'a> {
    /// nvarchar.
    Text(&'a str),
    /// int.
    Int(i32),
    /// bigint.
    Big(i64),
    /// uniqueidentifier.
    Guid(Uuid),
}

/// One cell, in the few types that the agent's statements return.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Number(i128),
    Real(f64),
    Bit(bool),
    Text(String),
    Guid(Uuid),
    Time(LocalTime),
    /// A type this house never asks for; its name.
    Other(&'static str),
}

impl Cell {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "an integer",
            Self::Number(_) => "a numeric",
            Self::Real(_) => "a float",
            Self::Bit(_) => "a bit",
            Self::Text(_) => "text",
            Self::Guid(_) => "a uniqueidentifier",
            Self::Time(_) => "a datetime",
            Self::Other(name) => name,
        }
    }
}

/// All rows of the first result set of a statement.
#[derive(Clone, Debug)]
pub struct Rows {
    rows: Vec<Row>,
}

impl Rows {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        Self { rows }
    }

    /// The rows, in the server's order.
    #[must_use]
    pub fn all(&self) -> &[Row] {
        &self.rows
    }

    /// The first row, if there is one.
    #[must_use]
    pub fn first(&self) -> Option<&Row> {
        self.rows.first()
    }

    /// The first row of a statement that always has one.
    ///
    /// # Errors
    /// `TW4003` when there is none.
    pub fn one(&self) -> Result<&Row, Fault> {
        self.first().ok_or_else(|| {
            Fault::new(code::SQL_ERROR, "SQL Server", "a statement returned no row")
                .remedy("check the rights of the login; report this if it has them all")
        })
    }
}

/// One row; columns are found by name.
#[derive(Clone, Debug)]
pub struct Row {
    names: Arc<[String]>,
    cells: Vec<Cell>,
}

impl Row {
    pub(super) fn new(names: Arc<[String]>, cells: Vec<Cell>) -> Self {
        Self { names, cells }
    }

    fn cell(&self, column: &str) -> Result<&Cell, Fault> {
        let index = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(column));
        index
            .and_then(|index| self.cells.get(index))
            .ok_or_else(|| {
                Fault::new(code::SQL_ERROR, column, "the answer has no such column")
                    .remedy("report this with the server's version")
            })
    }

    fn wrong(column: &str, wanted: &str, cell: &Cell) -> Fault {
        Fault::new(
            code::SQL_ERROR,
            column,
            format!("the column holds {}", cell.kind()),
        )
        .cause(format!("expected {wanted}"))
        .remedy("report this with the server's version")
    }

    fn get<T>(
        &self,
        column: &str,
        wanted: &str,
        read: impl FnOnce(&Cell) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            cell => read(cell)
                .map(Some)
                .ok_or_else(|| Self::wrong(column, wanted, cell)),
        }
    }

    fn must<T>(column: &str, value: Option<T>) -> Result<T, Fault> {
        value.ok_or_else(|| Self::wrong(column, "a value", &Cell::Null))
    }

    /// An integer of any width.
    ///
    /// # Errors
    /// `TW4003` naming the column and its type, here and in all getters.
    pub fn int(&self, column: &str) -> Result<Option<i64>, Fault> {
        self.get(column, "an integer", |cell| match cell {
            Cell::Int(value) => Some(*value),
            Cell::Number(value) => i64::try_from(*value).ok(),
            Cell::Bit(value) => Some(i64::from(*value)),
            _ => None,
        })
    }

    /// A numeric without decimals, such as `numeric(25,0)`.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn number(&self, column: &str) -> Result<Option<i128>, Fault> {
        self.get(column, "a numeric without decimals", |cell| match cell {
            Cell::Int(value) => Some(i128::from(*value)),
            Cell::Number(value) => Some(*value),
            _ => None,
        })
    }

    /// A log sequence number.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn lsn(&self, column: &str) -> Result<Option<Lsn>, Fault> {
        self.get(column, "a log sequence number", |cell| match cell {
            Cell::Int(value) => Lsn::from_number(i128::from(*value)),
            Cell::Number(value) => Lsn::from_number(*value),
            _ => None,
        })
    }

    /// A float or real.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn float(&self, column: &str) -> Result<Option<f64>, Fault> {
        self.get(column, "a float", |cell| match cell {
            Cell::Real(value) => Some(*value),
            _ => None,
        })
    }

    /// A bit; integers 0 and 1 count as one, since some functions return them.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn bit(&self, column: &str) -> Result<Option<bool>, Fault> {
        self.get(column, "a bit", |cell| match cell {
            Cell::Bit(value) => Some(*value),
            Cell::Int(value @ 0..=1) => Some(*value == 1),
            _ => None,
        })
    }

    /// A text.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn text(&self, column: &str) -> Result<Option<String>, Fault> {
        self.get(column, "text", |cell| match cell {
            Cell::Text(value) => Some(value.clone()),
            _ => None,
        })
    }

    /// A uniqueidentifier.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn guid(&self, column: &str) -> Result<Option<Uuid>, Fault> {
        self.get(column, "a uniqueidentifier", |cell| match cell {
            Cell::Guid(value) => Some(*value),
            _ => None,
        })
    }

    /// A date and time in the server's own zone.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn time(&self, column: &str) -> Result<Option<LocalTime>, Fault> {
        self.get(column, "a datetime", |cell| match cell {
            Cell::Time(value) => Some(*value),
            _ => None,
        })
    }

    /// A text that is never NULL.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn need_text(&self, column: &str) -> Result<String, Fault> {
        self.text(column)
            .and_then(|value| Self::must(column, value))
    }

    /// An integer that is never NULL.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn need_int(&self, column: &str) -> Result<i64, Fault> {
        self.int(column).and_then(|value| Self::must(column, value))
    }

    /// A bit that is never NULL.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn need_bit(&self, column: &str) -> Result<bool, Fault> {
        self.bit(column).and_then(|value| Self::must(column, value))
    }

    /// A uniqueidentifier that is never NULL.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn need_guid(&self, column: &str) -> Result<Uuid, Fault> {
        self.guid(column)
            .and_then(|value| Self::must(column, value))
    }
}

#[cfg(test)]
mod tests;
