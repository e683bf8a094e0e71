//! Queries: FROM, joins, WHERE, grouping, order, TOP, set operations, common table expressions.

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, ObjectName, OrderByKind, OrderBySort, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, Top, TopQuantity,
};

use super::kinds::{coerce, common};
use super::scope::{Scope, Source, Typed, quote};
use super::{Context, syntax, unsupported};
use crate::instance::catalog::Table;
use crate::tds::tokens::{Column, ServerMessage};
use crate::tds::types::Value;
use rusqlite::types::Value as Lite;

/// SQLite text with the columns it yields.
#[derive(Debug)]
pub struct Translated {
    /// The statement.
    pub sql: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// Turns T-SQL into SQLite while it binds every name.
pub struct Translator<'a> {
    /// What the statement may refer to.
    pub context: &'a Context<'a>,
    /// Bound values in order of their numbers.
    pub parameters: Vec<Lite>,
    /// Catalogue tables in use, with their rows.
    pub tables: Vec<(Table, Vec<Vec<Value>>)>,
    pub(super) common_tables: Vec<Source>,
}

impl<'a> Translator<'a> {
    /// Starts with nothing bound.
    #[must_use]
    pub const fn new(context: &'a Context<'a>) -> Self {
        Self {
            context,
            parameters: Vec::new(),
            tables: Vec::new(),
            common_tables: Vec::new(),
        }
    }

    /// Binds a value and returns its place.
    pub fn parameter(&mut self, value: Lite) -> String {
        self.parameters.push(value);
        format!("?{}", self.parameters.len())
    }

    /// A whole query.
    pub fn query(
        &mut self,
        query: &Query,
        outer: Option<&Scope<'_>>,
    ) -> Result<Translated, ServerMessage> {
        let known = self.common_tables.len();
        let mut with = Vec::new();
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            let inner = self.query(&table.query, outer)?;
            let mut columns = inner.columns;
            for (column, named) in columns.iter_mut().zip(&table.alias.columns) {
                column.name.clone_from(&named.name.value);
            }
            let names: Vec<String> = columns.iter().map(|column| quote(&column.name)).collect();
            let name = table.alias.name.value.clone();
            with.push(format!(
                "{}({}) AS ({})",
                quote(&name),
                names.join(", "),
                inner.sql
            ));
            self.common_tables.push(Source {
                alias: name,
                columns,
            });
        }
        if query.for_clause.is_some() {
            return Err(unsupported("FOR XML or FOR JSON"));
        }
        let mut out = self.body(query, &query.body, outer)?;
        self.common_tables.truncate(known);
        if !with.is_empty() {
            out.sql = format!("WITH {} {}", with.join(", "), out.sql);
        }
        Ok(out)
    }

    fn body(
        &mut self,
        query: &Query,
        body: &SetExpr,
        outer: Option<&Scope<'_>>,
    ) -> Result<Translated, ServerMessage> {
        match body {
            SetExpr::Select(select) => self.select(query, select, outer),
            SetExpr::Query(inner) => self.query(inner, outer),
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } => {
                let bare = Query {
                    order_by: None,
                    ..query.clone()
                };
                let left = self.body(&bare, left, outer)?;
                let right = self.body(&bare, right, outer)?;
                if left.columns.len() != right.columns.len() {
                    let text = "All queries combined using a UNION, INTERSECT or EXCEPT operator \
                                must have an equal number of expressions in their target lists.";
                    return Err(ServerMessage::new(205, 16, text));
                }
                let all = matches!(set_quantifier, SetQuantifier::All);
                let word = match (op, all) {
                    (SetOperator::Union, true) => "UNION ALL",
                    (SetOperator::Union, false) => "UNION",
                    (SetOperator::Except, _) => "EXCEPT",
                    (SetOperator::Intersect, _) => "INTERSECT",
                    _ => return Err(unsupported(op)),
                };
                let columns = merge(&left.columns, &right.columns);
                let mut sql = format!(
                    "{} {word} {}",
                    converted(&left, &columns),
                    converted(&right, &columns)
                );
                let scope = Scope::default();
                sql.push_str(&self.order(query, &columns, &scope)?);
                Ok(Translated { sql, columns })
            }
            other => Err(unsupported(other)),
        }
    }

    fn select(
        &mut self,
        query: &Query,
        select: &Select,
        outer: Option<&Scope<'_>>,
    ) -> Result<Translated, ServerMessage> {
        let mut scope = Scope {
            sources: Vec::new(),
            outer,
        };
        let mut from = Vec::new();
        for table in &select.from {
            from.push(self.joined(table, &mut scope)?);
        }
        let projection = self.projection(&select.projection, &scope)?;
        let columns: Vec<Column> = projection
            .iter()
            .map(|typed| Column {
                name: typed.name.clone(),
                kind: typed.kind(),
                nullable: typed.nullable,
            })
            .collect();
        let listed: Vec<String> = projection
            .iter()
            .enumerate()
            .map(|(at, typed)| match typed.name.as_str() {
                "" => format!("{} AS c{at}", typed.sql),
                name => format!("{} AS {}", typed.sql, quote(name)),
            })
            .collect();
        let distinct = match select.distinct {
            Some(Distinct::Distinct) => "DISTINCT ",
            Some(Distinct::On(_)) => return Err(unsupported("DISTINCT ON")),
            _ => "",
        };
        let mut sql = format!("SELECT {distinct}{}", listed.join(", "));
        if !from.is_empty() {
            sql.push_str(&format!(" FROM {}", from.join(", ")));
        }
        if let Some(condition) = &select.selection {
            sql.push_str(&format!(" WHERE {}", self.expr(condition, &scope)?.sql));
        }
        sql.push_str(&self.grouping(select, &scope)?);
        sql.push_str(&self.order(query, &columns, &scope)?);
        sql.push_str(&self.limit(query, select.top.as_ref(), &scope)?);
        Ok(Translated { sql, columns })
    }

    fn projection(
        &mut self,
        items: &[SelectItem],
        scope: &Scope<'_>,
    ) -> Result<Vec<Typed>, ServerMessage> {
        let mut out = Vec::new();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => out.push(self.expr(expr, scope)?),
                SelectItem::ExprWithAlias { expr, alias } => {
                    let mut typed = self.expr(expr, scope)?;
                    typed.name.clone_from(&alias.value);
                    out.push(typed);
                }
                SelectItem::Wildcard(_) => {
                    if scope.sources.is_empty() {
                        let text = "Must specify table to select from.";
                        return Err(ServerMessage::new(263, 16, text));
                    }
                    scope
                        .sources
                        .iter()
                        .for_each(|source| star(source, &mut out));
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    _,
                ) => {
                    let called = parts(name).pop().unwrap_or_default();
                    let same = |source: &&Source| source.alias.eq_ignore_ascii_case(&called);
                    let source = scope.sources.iter().find(same).ok_or_else(|| {
                        let text = format!(
                            "The column prefix '{called}' does not match with a table name or \
                             alias name used in the query."
                        );
                        ServerMessage::new(107, 15, text)
                    })?;
                    star(source, &mut out);
                }
                other => return Err(unsupported(other)),
            }
        }
        Ok(out)
    }

    fn grouping(&mut self, select: &Select, scope: &Scope<'_>) -> Result<String, ServerMessage> {
        let mut sql = String::new();
        if let GroupByExpr::Expressions(list, _) = &select.group_by
            && !list.is_empty()
        {
            let grouped: Result<Vec<String>, ServerMessage> = list
                .iter()
                .map(|expr| Ok(self.expr(expr, scope)?.sql))
                .collect();
            sql.push_str(&format!(" GROUP BY {}", grouped?.join(", ")));
        }
        if let Some(having) = &select.having {
            sql.push_str(&format!(" HAVING {}", self.expr(having, scope)?.sql));
        }
        Ok(sql)
    }

    fn order(
        &mut self,
        query: &Query,
        columns: &[Column],
        scope: &Scope<'_>,
    ) -> Result<String, ServerMessage> {
        let Some(order) = &query.order_by else {
            return Ok(String::new());
        };
        let OrderByKind::Expressions(list) = &order.kind else {
            return Err(unsupported("ORDER BY ALL"));
        };
        let mut keys = Vec::new();
        for key in list {
            let alias = match &key.expr {
                Expr::Identifier(name) => columns
                    .iter()
                    .position(|column| column.name.eq_ignore_ascii_case(&name.value)),
                _ => None,
            };
            let sql = match alias {
                Some(at) => (at + 1).to_string(),
                None => self.expr(&key.expr, scope)?.sql,
            };
            let descending = matches!(key.options.sort, Some(OrderBySort::Desc));
            keys.push(format!("{sql}{}", if descending { " DESC" } else { "" }));
        }
        Ok(format!(" ORDER BY {}", keys.join(", ")))
    }

    fn limit(
        &mut self,
        query: &Query,
        top: Option<&Top>,
        scope: &Scope<'_>,
    ) -> Result<String, ServerMessage> {
        if let Some(top) = top {
            if top.percent || top.with_ties {
                return Err(unsupported("TOP ... PERCENT and WITH TIES"));
            }
            return Ok(match &top.quantity {
                Some(TopQuantity::Constant(count)) => format!(" LIMIT {count}"),
                Some(TopQuantity::Expr(expr)) => {
                    format!(" LIMIT CAST({} AS INTEGER)", self.expr(expr, scope)?.sql)
                }
                None => return Err(syntax("TOP")),
            });
        }
        if query.limit_clause.is_some() || query.fetch.is_some() {
            return Err(unsupported("OFFSET ... FETCH"));
        }
        Ok(String::new())
    }
}

/// Every column of a source.
fn star(source: &Source, out: &mut Vec<Typed>) {
    for column in &source.columns {
        out.push(Typed {
            sql: format!("{}.{}", quote(&source.alias), quote(&column.name)),
            kind: Some(column.kind),
            nullable: column.nullable,
            name: column.name.clone(),
        });
    }
}

/// The parts of a name, without quotes.
#[must_use]
pub fn parts(name: &ObjectName) -> Vec<String> {
    let part = |part: &sqlparser::ast::ObjectNamePart| {
        part.as_ident()
            .map_or_else(|| part.to_string(), |ident| ident.value.clone())
    };
    name.0.iter().map(part).collect()
}

fn merge(left: &[Column], right: &[Column]) -> Vec<Column> {
    left.iter()
        .zip(right)
        .map(|(a, b)| Column {
            name: a.name.clone(),
            kind: common(Some(a.kind), Some(b.kind)).unwrap_or(a.kind),
            nullable: a.nullable || b.nullable,
        })
        .collect()
}

/// One side of a set operation in the types both sides meet in.
fn converted(side: &Translated, to: &[Column]) -> String {
    let list: Vec<String> = side
        .columns
        .iter()
        .zip(to)
        .enumerate()
        .map(|(at, (from, to))| {
            let name = match from.name.as_str() {
                "" => format!("c{at}"),
                name => quote(name),
            };
            let mut typed = Typed::new(name.clone(), from.kind);
            typed.nullable = from.nullable;
            let shown = if to.name.is_empty() {
                format!("c{at}")
            } else {
                quote(&to.name)
            };
            format!("{} AS {shown}", coerce(&typed, to.kind))
        })
        .collect();
    format!("SELECT {} FROM ({})", list.join(", "), side.sql)
}
