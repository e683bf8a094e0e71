//! Collects every error of a response.
//!
//! The driver returns the first ERROR only; the others it writes as events. This subscriber is in
//! force while one statement's task is polled, and sees nothing else.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::running::ServerMessage;

/// Where the driver writes a server's errors (tiberius 0.13, facts/tds.md 4.4).
const TARGET: &str = "tiberius::tds::stream::token";
/// Errors kept of one response.
const MAX_ERRORS: usize = 64;

/// What was collected; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Errors(Arc<Mutex<Vec<ServerMessage>>>);

impl Errors {
    /// The subscriber that fills it.
    pub(super) fn tap(&self) -> Tap {
        Tap(self.clone())
    }

    /// Takes what was collected.
    pub(super) fn take(&self) -> Vec<ServerMessage> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Tap(Errors);

#[derive(Default)]
struct Reader {
    number: Option<u64>,
    message: String,
}

impl Visit for Reader {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "code" {
            self.number = Some(value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}

impl Subscriber for Tap {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == Level::ERROR && metadata.target() == TARGET
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::ERROR)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut reader = Reader::default();
        event.record(&mut reader);
        let Some(number) = reader.number.and_then(|number| u32::try_from(number).ok()) else {
            return;
        };
        let mut errors = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if errors.len() < MAX_ERRORS {
            errors.push(ServerMessage {
                number,
                message: reader.message,
            });
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
