//! Conditions: NULL tests, ranges, membership, patterns, existence.

use sqlparser::ast::{BinaryOperator, Expr};

use super::expr::{binary, truth};
use super::kinds::coerce;
use super::scope::{Scope, Typed};
use super::translate::Translator;
use super::unsupported;
use crate::tds::tokens::ServerMessage;

impl Translator<'_> {
    /// A condition that is more than a comparison.
    pub(super) fn condition(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Typed, ServerMessage> {
        match expr {
            Expr::IsNull(inner) => Ok(truth(format!("({}) IS NULL", self.expr(inner, scope)?.sql))),
            Expr::IsNotNull(inner) => Ok(truth(format!(
                "({}) IS NOT NULL",
                self.expr(inner, scope)?.sql
            ))),
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let value = self.expr(expr, scope)?;
                let (low, high) = (self.expr(low, scope)?, self.expr(high, scope)?);
                let above = binary(&value, &BinaryOperator::GtEq, &low)?;
                let below = binary(&value, &BinaryOperator::LtEq, &high)?;
                let not = if *negated { "NOT " } else { "" };
                Ok(truth(format!("{not}({} AND {})", above.sql, below.sql)))
            }
            Expr::Exists { subquery, negated } => {
                let inner = self.query(subquery, Some(scope))?;
                let not = if *negated { "NOT " } else { "" };
                Ok(truth(format!("{not}EXISTS ({})", inner.sql)))
            }
            _ => self.membership(expr, scope),
        }
    }

    fn membership(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, ServerMessage> {
        match expr {
            Expr::InList {
                expr,
                list,
                negated,
            } => {
                let value = self.expr(expr, scope)?;
                let mut tests = Vec::new();
                for item in list {
                    let item = self.expr(item, scope)?;
                    tests.push(binary(&value, &BinaryOperator::Eq, &item)?.sql);
                }
                let not = if *negated { "NOT " } else { "" };
                Ok(truth(format!("{not}({})", tests.join(" OR "))))
            }
            Expr::InSubquery {
                expr,
                subquery,
                negated,
            } => {
                let value = self.expr(expr, scope)?;
                let inner = self.query(subquery, Some(scope))?;
                let kind = inner.columns.first().map(|column| column.kind);
                let value = coerce(&value, kind.unwrap_or_else(|| value.kind()));
                let not = if *negated { "NOT " } else { "" };
                Ok(truth(format!("({value}) {not}IN ({})", inner.sql)))
            }
            Expr::Like {
                negated,
                expr,
                pattern,
                escape_char,
                ..
            } => {
                let (value, pattern) = (self.expr(expr, scope)?, self.expr(pattern, scope)?);
                let escape = match escape_char {
                    Some(escape) => self.expr(escape, scope)?.sql,
                    None => "NULL".into(),
                };
                let not = if *negated { "NOT " } else { "" };
                Ok(truth(format!(
                    "{not}tw_like({}, {}, {escape})",
                    value.sql, pattern.sql
                )))
            }
            other => Err(unsupported(other)),
        }
    }
}
