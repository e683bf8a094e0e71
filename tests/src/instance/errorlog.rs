//! The server's error log, as far as it tells of roles and failed backups.

use serde_json::{Value, json};

use super::moment::Moment;
use crate::tds::tokens::ServerMessage;

/// Lines kept; older ones go.
const LINES: usize = 1_000;

/// The log, oldest line first.
#[derive(Clone, Debug, Default)]
pub struct ErrorLog {
    lines: Vec<(Moment, ServerMessage)>,
}

impl ErrorLog {
    /// One more line.
    pub fn add(&mut self, at: Moment, message: &ServerMessage) {
        if self.lines.len() == LINES {
            self.lines.remove(0);
        }
        self.lines.push((at, message.clone()));
    }

    /// The numbers in their order.
    #[must_use]
    pub fn numbers(&self) -> Vec<i32> {
        self.lines
            .iter()
            .map(|(_, message)| message.number)
            .collect()
    }

    /// As an order tells it.
    #[must_use]
    pub fn told(&self) -> Value {
        let lines = self.lines.iter().map(|(at, message)| {
            json!({ "at": at.to_iso(), "number": message.number, "text": message.text })
        });
        lines.collect()
    }
}
