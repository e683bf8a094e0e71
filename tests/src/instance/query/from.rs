//! FROM: tables, views, subqueries and joins.

use sqlparser::ast::{JoinConstraint, JoinOperator, TableFactor, TableWithJoins};

use super::scope::{Scope, Source, quote};
use super::translate::{Translator, parts};
use super::{syntax, unsupported};
use crate::instance::catalog;
use crate::tds::tokens::{Column, ServerMessage};

impl Translator<'_> {
    /// A table with what is joined to it; its sources enter `scope`.
    pub(super) fn joined(
        &mut self,
        table: &TableWithJoins,
        scope: &mut Scope<'_>,
    ) -> Result<String, ServerMessage> {
        let mut sql = self.factor(&table.relation, scope)?;
        for join in &table.joins {
            let (word, constraint) = match &join.join_operator {
                JoinOperator::Join(on) | JoinOperator::Inner(on) => ("JOIN", on),
                JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => ("LEFT JOIN", on),
                JoinOperator::Right(on) | JoinOperator::RightOuter(on) => ("RIGHT JOIN", on),
                JoinOperator::FullOuter(on) => ("FULL JOIN", on),
                JoinOperator::CrossJoin(on) => ("CROSS JOIN", on),
                _ => return Err(unsupported("CROSS APPLY and OUTER APPLY")),
            };
            sql.push_str(&format!(" {word} {}", self.factor(&join.relation, scope)?));
            match constraint {
                JoinConstraint::On(on) => {
                    sql.push_str(&format!(" ON {}", self.expr(on, scope)?.sql));
                }
                JoinConstraint::None if word == "CROSS JOIN" => {}
                _ => return Err(syntax("JOIN")),
            }
        }
        Ok(sql)
    }

    fn factor(
        &mut self,
        factor: &TableFactor,
        scope: &mut Scope<'_>,
    ) -> Result<String, ServerMessage> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                let parts = parts(name);
                let (stored, columns) = self.table(&parts)?;
                let called = alias.as_ref().map(|alias| alias.name.value.clone());
                let alias = called.or_else(|| parts.last().cloned()).unwrap_or_default();
                let sql = format!("{} AS {}", quote(&stored), quote(&alias));
                scope.sources.push(Source { alias, columns });
                Ok(sql)
            }
            TableFactor::Derived {
                lateral: false,
                subquery,
                alias: Some(alias),
                ..
            } => {
                let inner = self.query(subquery, scope.outer)?;
                let mut columns = inner.columns;
                for (column, named) in columns.iter_mut().zip(&alias.columns) {
                    column.name.clone_from(&named.name.value);
                }
                let called = alias.name.value.clone();
                let sql = format!("({}) AS {}", inner.sql, quote(&called));
                scope.sources.push(Source {
                    alias: called,
                    columns,
                });
                Ok(sql)
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => Ok(format!("({})", self.joined(table_with_joins, scope)?)),
            other => Err(unsupported(other)),
        }
    }

    /// The stored name and columns of a table, view or common table expression.
    fn table(&mut self, parts: &[String]) -> Result<(String, Vec<Column>), ServerMessage> {
        if let [name] = parts {
            let same = |table: &&Source| table.alias.eq_ignore_ascii_case(name);
            if let Some(table) = self.common_tables.iter().rev().find(same) {
                return Ok((table.alias.clone(), table.columns.clone()));
            }
        }
        let found = catalog::find(parts, self.context.database, &self.context.viewer)?;
        let Some((table, rows)) = found else {
            let text = format!("Invalid object name '{}'.", parts.join("."));
            return Err(ServerMessage::new(208, 16, text));
        };
        let viewer = &self.context.viewer;
        if catalog::is_history(table.name)
            && !viewer.me.reads_history(table.name, viewer.public_history)
        {
            let text = format!(
                "The SELECT permission was denied on the object '{}', database 'msdb', schema \
                 'dbo'.",
                table.name
            );
            return Err(ServerMessage::new(229, 14, text).state(5));
        }
        let stored = format!("tw_{}", table.name);
        let columns = table.columns.clone();
        let known = self
            .tables
            .iter()
            .find(|(known, _)| known.name == table.name);
        match known {
            // Two databases have a ledger each, this translation has room for one.
            Some((_, other)) if *other != rows => {
                return Err(unsupported("ledgers of two databases in one query"));
            }
            Some(_) => {}
            None => self.tables.push((table, rows)),
        }
        Ok((stored, columns))
    }
}
