//! Which names mean what while a query is bound.

use crate::tds::tokens::{Column, ServerMessage};
use crate::tds::types::SqlType;

/// A table, view or subquery in a FROM clause.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name it is called by.
    pub alias: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// Names of one query level, with the levels around it.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    /// Sources in order.
    pub sources: Vec<Source>,
    /// The query around a subquery.
    pub outer: Option<&'a Scope<'a>>,
}

/// A bound column.
#[derive(Clone, Debug)]
pub struct Bound {
    /// `"alias"."column"` for SQLite.
    pub sql: String,
    /// The column as the catalogue has it.
    pub column: Column,
}

/// Quotes a name for SQLite.
#[must_use]
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Scope<'_> {
    /// Finds `[qualifier.]column` here or further out.
    pub fn column(&self, qualifier: &[String], name: &str) -> Result<Bound, ServerMessage> {
        let called = qualifier.last();
        let mut hits = Vec::new();
        let mut qualifier_known = false;
        for source in &self.sources {
            if called.is_some_and(|called| !called.eq_ignore_ascii_case(&source.alias)) {
                continue;
            }
            qualifier_known = true;
            let same = |column: &&Column| column.name.eq_ignore_ascii_case(name);
            if let Some(column) = source.columns.iter().find(same) {
                let sql = format!("{}.{}", quote(&source.alias), quote(&column.name));
                hits.push(Bound {
                    sql,
                    column: column.clone(),
                });
            }
        }
        match (hits.len(), self.outer) {
            (1, _) => Ok(hits.remove(0)),
            (0, Some(outer)) => outer.column(qualifier, name),
            (0, None) if called.is_some() && !qualifier_known => {
                let full = [qualifier, &[name.to_owned()]].concat().join(".");
                let text = format!("The multi-part identifier \"{full}\" could not be bound.");
                Err(ServerMessage::new(4104, 16, text))
            }
            (0, None) => Err(ServerMessage::new(
                207,
                16,
                format!("Invalid column name '{name}'."),
            )),
            _ => Err(ServerMessage::new(
                209,
                16,
                format!("Ambiguous column name '{name}'."),
            )),
        }
    }
}

/// A translated expression.
#[derive(Clone, Debug)]
pub struct Typed {
    /// SQLite text.
    pub sql: String,
    /// Type; `None` for a bare NULL, which takes the type of its surroundings.
    pub kind: Option<SqlType>,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Column name it would have in a result.
    pub name: String,
}

impl Typed {
    /// A nullable, nameless expression.
    #[must_use]
    pub fn new(sql: impl Into<String>, kind: SqlType) -> Self {
        Self {
            sql: sql.into(),
            kind: Some(kind),
            nullable: true,
            name: String::new(),
        }
    }

    /// The same, never NULL.
    #[must_use]
    pub fn certain(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// Its type; int where nothing says otherwise, as T-SQL has it for NULL.
    #[must_use]
    pub fn kind(&self) -> SqlType {
        self.kind.unwrap_or(SqlType::Int)
    }
}
