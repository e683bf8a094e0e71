//! The leaves of expressions: variables, global variables, columns, literals.

use rusqlite::types::Value as Lite;
use sqlparser::ast::{Ident, Value as Literal};

use super::expr::column;
use super::kinds::to_lite;
use super::scope::{Scope, Typed};
use super::translate::Translator;
use super::unsupported;
use crate::tds::tokens::ServerMessage;
use crate::tds::types::SqlType;

impl Translator<'_> {
    pub(super) fn name(&mut self, name: &Ident, scope: &Scope<'_>) -> Result<Typed, ServerMessage> {
        let word = name.value.as_str();
        if word.starts_with("@@") {
            return self.global(word);
        }
        if word.starts_with('@') {
            let Some((kind, value)) = self.context.variables.get(&word.to_ascii_lowercase()) else {
                let text = format!("Must declare the scalar variable \"{word}\".");
                return Err(ServerMessage::new(137, 15, text));
            };
            let (kind, lite) = (*kind, to_lite(value, *kind));
            return Ok(Typed::new(self.parameter(lite), kind));
        }
        if name.quote_style.is_none() && word.eq_ignore_ascii_case("system_user") {
            let login = self.context.viewer.login.to_owned();
            return Ok(Typed::new(
                self.parameter(Lite::Text(login)),
                SqlType::NVarChar(128),
            ));
        }
        if name.quote_style.is_none() && word.eq_ignore_ascii_case("current_timestamp") {
            let now = self.context.viewer.now.to_iso();
            return Ok(Typed::new(
                self.parameter(Lite::Text(now)),
                SqlType::DateTime,
            ));
        }
        column(scope, &[], word)
    }

    fn global(&mut self, word: &str) -> Result<Typed, ServerMessage> {
        let context = self.context;
        let whole = |number: i64, kind| Ok(Typed::new(number.to_string(), kind).certain());
        let version = context.version;
        let micro = i64::from(version.major) << 24 | i64::from(version.minor) << 16;
        match word.to_ascii_uppercase().as_str() {
            "@@SPID" => whole(i64::from(context.viewer.spid), SqlType::SmallInt),
            "@@TRANCOUNT" => whole(i64::from(context.transactions), SqlType::Int),
            "@@ROWCOUNT" => whole(context.row_count as i64, SqlType::Int),
            "@@ERROR" => whole(i64::from(context.last_error), SqlType::Int),
            "@@MAX_PRECISION" => whole(38, SqlType::TinyInt),
            "@@MICROSOFTVERSION" => whole(micro | i64::from(version.build), SqlType::Int),
            "@@LANGID" => whole(0, SqlType::SmallInt),
            "@@OPTIONS" => whole(5432, SqlType::Int),
            "@@TEXTSIZE" => whole(i64::from(i32::MAX), SqlType::Int),
            "@@LOCK_TIMEOUT" => whole(-1, SqlType::Int),
            "@@DATEFIRST" => whole(7, SqlType::TinyInt),
            "@@NESTLEVEL" | "@@PROCID" => whole(0, SqlType::Int),
            "@@VERSION" => {
                let text = Lite::Text(version.banner());
                Ok(Typed::new(self.parameter(text), SqlType::NVarChar(300)).certain())
            }
            "@@SERVERNAME" => {
                let text = Lite::Text(context.viewer.server.to_owned());
                Ok(Typed::new(self.parameter(text), SqlType::NVarChar(128)))
            }
            "@@SERVICENAME" => {
                let name = context.viewer.server.split_once('\\');
                let text = Lite::Text(name.map_or("MSSQLSERVER", |(_, name)| name).to_owned());
                Ok(Typed::new(self.parameter(text), SqlType::NVarChar(128)))
            }
            "@@LANGUAGE" => {
                let text = Lite::Text("us_english".into());
                Ok(Typed::new(self.parameter(text), SqlType::NVarChar(128)))
            }
            _ => {
                let text = format!("Must declare the scalar variable \"{word}\".");
                Err(ServerMessage::new(137, 15, text))
            }
        }
    }

    pub(super) fn literal(&mut self, value: &Literal) -> Result<Typed, ServerMessage> {
        match value {
            Literal::Number(text, _) => Ok(number(text).certain()),
            Literal::SingleQuotedString(text) => {
                let kind = SqlType::VarChar(text.chars().count().clamp(1, 8000) as u16);
                Ok(Typed::new(self.parameter(Lite::Text(text.clone())), kind).certain())
            }
            Literal::NationalStringLiteral(text) => {
                let kind = SqlType::NVarChar(text.chars().count().clamp(1, 4000) as u16);
                Ok(Typed::new(self.parameter(Lite::Text(text.clone())), kind).certain())
            }
            Literal::HexStringLiteral(text) => {
                let kind = SqlType::VarBinary((text.len() / 2).clamp(1, 8000) as u16);
                Ok(Typed::new(format!("X'{text}'"), kind).certain())
            }
            Literal::Null => Ok(Typed {
                sql: "NULL".into(),
                kind: None,
                nullable: true,
                name: String::new(),
            }),
            other => Err(unsupported(format_args!("the literal {other}"))),
        }
    }
}

/// A numeric literal: int, then numeric, float with an exponent.
fn number(text: &str) -> Typed {
    if text.contains(['e', 'E']) {
        return Typed::new(text, SqlType::Float);
    }
    if let Some((whole, fraction)) = text.split_once('.') {
        let scale = fraction.len().min(20) as u8;
        let precision = (whole.len() + fraction.len()).clamp(1, 20) as u8;
        return Typed::new(text, SqlType::Numeric(precision, scale));
    }
    let digits = text.len().min(38) as u8;
    match text.parse::<i64>() {
        Ok(small) if i32::try_from(small).is_ok() => Typed::new(text, SqlType::Int),
        Ok(_) if digits <= 20 => Typed::new(text, SqlType::Numeric(digits, 0)),
        _ => Typed::new(format!("'{text:0>38}'"), SqlType::Numeric(38, 0)),
    }
}
