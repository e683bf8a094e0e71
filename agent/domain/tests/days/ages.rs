//! RPO rules, as `alerts check` judges them: by the catalog of each agent.

use std::collections::BTreeSet;

use twinset_domain::BackupKind;
use twinset_domain::protection::Phase;
use twinset_domain::rpo::{Held, judge};

use super::lab::Lab;

impl Lab {
    pub(crate) fn judge_ages(&mut self, me: usize) {
        let now = self.clock(me);
        let past = |kind| self.agents[me].past(kind).succeeded;
        let held = Held {
            database: "Payroll".to_owned(),
            is_simple: None,
            elsewhere: self.agents[me].record.phase == Phase::Standby,
            others: Vec::new(),
            full: past(BackupKind::Full),
            differential: past(BackupKind::Differential),
            log: past(BackupKind::Log),
        };
        let judged = judge(&self.plan.limits, &held, now);
        let broken: BTreeSet<String> = judged
            .iter()
            .filter(|reading| reading.alert("payroll").is_some())
            .map(|reading| format!("Rpo {}", reading.kind))
            .collect();
        for alarm in &broken {
            self.raise(me, alarm);
        }
        let open: Vec<String> = self.agents[me].alerts.keys().cloned().collect();
        let elsewhere = self.agents[me].record.phase == Phase::Standby;
        for alarm in open {
            let handed_over = elsewhere && alarm.starts_with("Failed");
            if handed_over || alarm.starts_with("Rpo") && !broken.contains(&alarm) {
                self.resolve(me, &alarm);
            }
        }
    }
}
