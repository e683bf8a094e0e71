//! How a process of the service ended, read from its exit code and the one object of `--json`.

use serde_json::Value;
use twinset_domain::protection::{End, Verdict};
use twinset_domain::{BackupKind, Exit, Fault, code};

use super::input::Answer;

/// How a process ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Its exit code; `None` when it was killed.
    pub(super) code: Option<u8>,
    /// The one object of `--json`.
    pub(super) object: Option<Value>,
}

impl Outcome {
    fn at(&self, pointer: &str) -> Option<&Value> {
        self.object.as_ref()?.pointer(pointer)
    }

    /// The fault that decided its end.
    pub(super) fn fault(&self) -> Option<Fault> {
        serde_json::from_value(self.at("/error")?.clone()).ok()
    }

    /// Every fault that it named.
    fn faults(&self) -> Vec<Fault> {
        let all = self.at("/errors").and_then(|all| {
            let all: Option<Vec<Fault>> = serde_json::from_value(all.clone()).ok();
            all.filter(|all| !all.is_empty())
        });
        all.unwrap_or_else(|| self.fault().into_iter().collect())
    }

    /// The kinds of the backup sets that it published.
    pub(super) fn published(&self) -> Vec<BackupKind> {
        let sets = self.at("/result/sets").and_then(Value::as_array);
        let kind = |set: &Value| serde_json::from_value(set.get("kind")?.clone()).ok();
        sets.into_iter().flatten().filter_map(kind).collect()
    }

    /// Whether there was nothing of the kind to take.
    fn skipped(&self) -> bool {
        let skipped = self.at("/result/skipped").and_then(Value::as_array);
        skipped.is_some_and(|skipped| !skipped.is_empty())
    }

    /// How a backup ended. `stopped`: the service asked it to stop.
    pub(super) fn end(&self, stopped: bool) -> End {
        if !self.published().is_empty() || self.skipped() {
            return End::Published;
        }
        let switched = [
            code::NOT_PRINCIPAL,
            code::ROLE_UNSEEN,
            code::TWO_PRINCIPALS,
            code::ROLE_LOST,
        ];
        let fault = self.fault();
        if stopped || fault.is_some_and(|fault| switched.contains(&fault.code)) {
            return End::Interrupted;
        }
        End::Failed
    }

    /// What a check of one database found.
    pub(super) fn verdict(&self, database: &str) -> Verdict {
        let said = self.at("/result/checked/0/verdict");
        let said = said.and_then(|verdict| serde_json::from_value(verdict.clone()).ok());
        said.unwrap_or_else(|| {
            Verdict::Inconsistent(match self.fault() {
                Some(fault) => format!("{} {}: {}", fault.code, fault.object, fault.message),
                None => format!("the check of {database} ended without a result"),
            })
        })
    }

    /// The same, for who waits for it.
    pub(super) fn answer(&self) -> Answer {
        Answer {
            result: self.at("/result").cloned(),
            faults: self.faults(),
            exit: self.code.unwrap_or_else(|| Exit::Failed.code()),
        }
    }
}
