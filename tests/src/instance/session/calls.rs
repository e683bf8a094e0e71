//! Remote calls: sp_executesql and prepared statements.

use super::{MAX_PREPARED, Session};
use crate::instance::query::{self, Variables};
use crate::instance::statement::run;
use crate::instance::statement::simple::declared_names;
use crate::tds::reply::Reply;
use crate::tds::rpc::{Call, Parameter, Procedure};
use crate::tds::tokens::ServerMessage;
use crate::tds::types::{SqlType, Value};

impl Session {
    /// A remote call.
    pub(super) fn call(&mut self, call: Call, mut reply: Reply) {
        let mut parameters = call.parameters;
        let number = match &call.procedure {
            Procedure::Number(number) => *number,
            Procedure::Name(name) => number_of(name),
        };
        let result = match number {
            10 => execute_sql(parameters, 0),
            11 => self
                .prepare(&parameters)
                .map(|handle| (String::new(), Variables::new(), handle)),
            12 => self.prepared(&parameters),
            13 => self.prepare(&parameters).and_then(|handle| {
                let text = parameters
                    .get(2)
                    .map(|p| p.value.text())
                    .unwrap_or_default();
                let names = declared(parameters.get(1))?;
                let rest = parameters.split_off(3.min(parameters.len()));
                Ok((text, named(&names, rest), handle))
            }),
            15 => {
                if let Some(handle) = parameters.first() {
                    self.prepared
                        .remove(&handle.value.text().parse().unwrap_or(0));
                }
                Ok((String::new(), Variables::new(), None))
            }
            _ => Err(unknown_procedure(&call.procedure)),
        };
        match result {
            Ok((text, mut variables, handle)) => {
                if !text.is_empty() {
                    run::batch(self, &text, &mut variables, &mut reply);
                }
                let outputs: Vec<_> = handle
                    .map(|handle| {
                        (
                            0,
                            String::new(),
                            SqlType::Int,
                            Value::Int(i64::from(handle)),
                        )
                    })
                    .into_iter()
                    .collect();
                reply.end_call(0, &outputs);
            }
            Err(message) => {
                self.fail(&mut reply, 0, &[message]);
                reply.end_call(1, &[]);
            }
        }
    }

    /// Keeps `handle, params, text` and returns the new handle.
    fn prepare(&mut self, parameters: &[Parameter]) -> Result<Option<i32>, ServerMessage> {
        let names = declared(parameters.get(1))?;
        let text = parameters
            .get(2)
            .map(|p| p.value.text())
            .unwrap_or_default();
        if self.prepared.len() == MAX_PREPARED {
            return Err(query::unsupported(
                "more than 1000 prepared statements in a session",
            ));
        }
        let handle = self.next_handle;
        self.next_handle += 1;
        self.prepared.insert(handle, (text, names));
        Ok(Some(handle))
    }

    fn prepared(&self, parameters: &[Parameter]) -> CallPlan {
        let (handle, rest) = parameters.split_first().ok_or_else(|| no_handle("0"))?;
        let handle = handle.value.text();
        let found = handle
            .parse()
            .ok()
            .and_then(|number: i32| self.prepared.get(&number));
        let (text, names) = found.ok_or_else(|| no_handle(&handle))?;
        Ok((text.clone(), named(names, rest.to_vec()), None))
    }
}

type CallPlan = Result<(String, Variables, Option<i32>), ServerMessage>;

fn number_of(name: &str) -> u16 {
    let name = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    match name.as_str() {
        "sp_executesql" => 10,
        "sp_prepare" => 11,
        "sp_execute" => 12,
        "sp_prepexec" => 13,
        "sp_unprepare" => 15,
        _ => 0,
    }
}

fn unknown_procedure(procedure: &Procedure) -> ServerMessage {
    let name = match procedure {
        Procedure::Name(name) => name.clone(),
        Procedure::Number(number) => format!("#{number}"),
    };
    let text = format!("Could not find stored procedure '{name}'.");
    ServerMessage::new(2812, 16, text).state(62)
}

fn no_handle(handle: &str) -> ServerMessage {
    let text = format!("Could not find prepared statement with handle {handle}.");
    ServerMessage::new(8179, 16, text)
}

fn declared(parameter: Option<&Parameter>) -> Result<Vec<String>, ServerMessage> {
    declared_names(&parameter.map(|p| p.value.text()).unwrap_or_default())
}

/// `stmt, params, values...` from position `first` on.
fn execute_sql(mut parameters: Vec<Parameter>, first: usize) -> CallPlan {
    let text = parameters
        .get(first)
        .map(|p| p.value.text())
        .unwrap_or_default();
    let names = declared(parameters.get(first + 1))?;
    let rest = parameters.split_off((first + 2).min(parameters.len()));
    Ok((text, named(&names, rest), None))
}

/// Values by their own names, or by the declared ones in order.
fn named(names: &[String], values: Vec<Parameter>) -> Variables {
    let mut variables = Variables::new();
    for (at, parameter) in values.into_iter().enumerate() {
        let own = parameter.name.to_ascii_lowercase();
        let name = if own.is_empty() {
            names.get(at).cloned().unwrap_or_default()
        } else {
            own
        };
        variables.insert(name, (parameter.kind, parameter.value));
    }
    variables
}
