//! Expressions: names, literals, operators, conversions.

use sqlparser::ast::{BinaryOperator, CaseWhen, CastKind, Expr, UnaryOperator};

use super::kinds::{cast_sql, coerce, common, of_data_type};
use super::scope::{Scope, Typed};
use super::translate::Translator;
use super::unsupported;
use crate::tds::tokens::ServerMessage;
use crate::tds::types::SqlType;

impl Translator<'_> {
    /// Translates and types one expression.
    pub fn expr(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, ServerMessage> {
        match expr {
            Expr::Identifier(name) => self.name(name, scope),
            Expr::CompoundIdentifier(names) => {
                let (last, qualifier) = names.split_last().ok_or_else(|| unsupported(expr))?;
                let qualifier: Vec<String> = qualifier.iter().map(|q| q.value.clone()).collect();
                column(scope, &qualifier, &last.value)
            }
            Expr::Value(value) => self.literal(&value.value),
            Expr::Nested(inner) => {
                let mut typed = self.expr(inner, scope)?;
                typed.sql = format!("({})", typed.sql);
                typed.name.clear();
                Ok(typed)
            }
            Expr::BinaryOp { left, op, right } => {
                let (left, right) = (self.expr(left, scope)?, self.expr(right, scope)?);
                binary(&left, op, &right)
            }
            Expr::UnaryOp { op, expr } => {
                let typed = self.expr(expr, scope)?;
                match op {
                    UnaryOperator::Not => Ok(truth(format!("NOT ({})", typed.sql))),
                    UnaryOperator::Minus => Ok(Typed {
                        sql: format!("-({})", typed.sql),
                        ..nameless(typed)
                    }),
                    UnaryOperator::Plus => Ok(nameless(typed)),
                    other => Err(unsupported(other)),
                }
            }
            Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::Between { .. }
            | Expr::InList { .. }
            | Expr::InSubquery { .. }
            | Expr::Like { .. }
            | Expr::Exists { .. } => self.condition(expr, scope),
            Expr::Subquery(query) => {
                let inner = self.query(query, Some(scope))?;
                let [only] = inner.columns.as_slice() else {
                    let text = "Only one expression can be specified in the select list when the \
                                subquery is not introduced with EXISTS.";
                    return Err(ServerMessage::new(116, 16, text));
                };
                Ok(Typed::new(format!("({})", inner.sql), only.kind))
            }
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => self.case(
                operand.as_deref(),
                conditions,
                else_result.as_deref(),
                scope,
            ),
            Expr::Cast { .. } | Expr::Convert { .. } | Expr::Collate { .. } => {
                self.conversion(expr, scope)
            }
            Expr::Function(function) => self.function(function, scope),
            Expr::Substring { .. } | Expr::Trim { .. } | Expr::Ceil { .. } | Expr::Floor { .. } => {
                self.function_like(expr, scope)
            }
            other => Err(unsupported(format_args!("the expression {other}"))),
        }
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        scope: &Scope<'_>,
    ) -> Result<Typed, ServerMessage> {
        let operand = operand.map(|expr| self.expr(expr, scope)).transpose()?;
        let mut arms = Vec::new();
        for arm in conditions {
            let condition = self.expr(&arm.condition, scope)?;
            let condition = match &operand {
                Some(value) => binary(value, &BinaryOperator::Eq, &condition)?,
                None => condition,
            };
            arms.push((condition.sql, self.expr(&arm.result, scope)?));
        }
        let otherwise = otherwise.map(|expr| self.expr(expr, scope)).transpose()?;
        let kind = arms
            .iter()
            .map(|(_, result)| result)
            .chain(&otherwise)
            .fold(None, |kind, result| common(kind, result.kind))
            .unwrap_or(SqlType::Int);
        let mut sql = String::from("CASE");
        for (condition, result) in &arms {
            sql.push_str(&format!(" WHEN {condition} THEN {}", coerce(result, kind)));
        }
        if let Some(result) = &otherwise {
            sql.push_str(&format!(" ELSE {}", coerce(result, kind)));
        }
        sql.push_str(" END");
        Ok(Typed::new(sql, kind))
    }

    /// CAST, CONVERT, COLLATE.
    fn conversion(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, ServerMessage> {
        match expr {
            Expr::Cast {
                kind,
                expr,
                data_type,
                ..
            } => self.convert(
                expr,
                of_data_type(data_type)?,
                None,
                *kind != CastKind::Cast,
                scope,
            ),
            Expr::Convert {
                is_try,
                expr,
                data_type: Some(named),
                styles,
                ..
            } => {
                let style = styles
                    .first()
                    .map(|style| self.expr(style, scope))
                    .transpose()?;
                self.convert(expr, of_data_type(named)?, style, *is_try, scope)
            }
            Expr::Collate { expr, collation } => {
                let typed = self.expr(expr, scope)?;
                let exact = collation.to_string().to_ascii_uppercase();
                let exact = exact.contains("_BIN") || exact.contains("_CS_");
                let name = if exact { "BINARY" } else { "NOCASE" };
                Ok(Typed {
                    sql: format!("({}) COLLATE {name}", typed.sql),
                    ..nameless(typed)
                })
            }
            other => Err(unsupported(other)),
        }
    }

    fn convert(
        &mut self,
        expr: &Expr,
        to: SqlType,
        style: Option<Typed>,
        lenient: bool,
        scope: &Scope<'_>,
    ) -> Result<Typed, ServerMessage> {
        let typed = self.expr(expr, scope)?;
        let Some(from) = typed.kind else {
            return Ok(Typed::new("NULL", to));
        };
        let style = style.map(|style| style.sql);
        let sql = cast_sql(&typed.sql, from, to, style.as_deref());
        let sql = if lenient {
            sql.replacen("tw_cast(", "tw_try_cast(", 1)
        } else {
            sql
        };
        let out = Typed::new(sql, to);
        Ok(if typed.nullable || lenient {
            out
        } else {
            out.certain()
        })
    }
}

fn nameless(typed: Typed) -> Typed {
    Typed {
        name: String::new(),
        ..typed
    }
}

/// A condition; T-SQL has no boolean values, so this never becomes a column.
pub fn truth(sql: String) -> Typed {
    Typed::new(format!("({sql})"), SqlType::Bit)
}

pub(super) fn column(
    scope: &Scope<'_>,
    qualifier: &[String],
    name: &str,
) -> Result<Typed, ServerMessage> {
    let bound = scope.column(qualifier, name)?;
    Ok(Typed {
        sql: bound.sql,
        kind: Some(bound.column.kind),
        nullable: bound.column.nullable,
        name: bound.column.name,
    })
}

/// A comparison, a connection or an arithmetic operation.
pub fn binary(left: &Typed, op: &BinaryOperator, right: &Typed) -> Result<Typed, ServerMessage> {
    use BinaryOperator as Op;
    let meet = common(left.kind, right.kind).unwrap_or(SqlType::Int);
    let both = || (coerce(left, meet), coerce(right, meet));
    let comparison = |word: &str| {
        let (a, b) = both();
        let fold = if meet.is_text() {
            " COLLATE NOCASE"
        } else {
            ""
        };
        Ok(truth(format!("{a} {word} {b}{fold}")))
    };
    let arithmetic = |word: &str| {
        let (a, b) = both();
        let out = Typed::new(format!("({a} {word} {b})"), meet);
        Ok(if left.nullable || right.nullable {
            out
        } else {
            out.certain()
        })
    };
    match op {
        Op::And => Ok(truth(format!("{} AND {}", left.sql, right.sql))),
        Op::Or => Ok(truth(format!("{} OR {}", left.sql, right.sql))),
        Op::Eq => comparison("="),
        Op::NotEq => comparison("<>"),
        Op::Lt => comparison("<"),
        Op::LtEq => comparison("<="),
        Op::Gt => comparison(">"),
        Op::GtEq => comparison(">="),
        Op::Plus if meet.is_text() => {
            let (a, b) = both();
            let units = |typed: &Typed| u32::from(super::kinds::text_length(typed.kind()));
            let wide = matches!(meet, SqlType::NVarChar(_) | SqlType::NChar(_));
            let length = (units(left) + units(right)).min(if wide { 4000 } else { 8000 }) as u16;
            let kind = if wide {
                SqlType::NVarChar(length)
            } else {
                SqlType::VarChar(length)
            };
            Ok(Typed::new(format!("({a} || {b})"), kind))
        }
        Op::Plus => arithmetic("+"),
        Op::Minus => arithmetic("-"),
        Op::Multiply => arithmetic("*"),
        Op::Divide => arithmetic("/"),
        Op::Modulo => arithmetic("%"),
        Op::BitwiseAnd => arithmetic("&"),
        Op::BitwiseOr => arithmetic("|"),
        other => Err(unsupported(other)),
    }
}
