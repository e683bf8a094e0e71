//! What is wrong, as alerts.

use std::collections::BTreeSet;

use twinset_domain::alert::{Alert, Severity};
use twinset_domain::protection::{Alarm, Record, Sight, Unfit};
use twinset_domain::{BackupKind, Code, Fault, Moment, code};

use super::jobs::{Name, What};
use super::outcome::Outcome;
use super::state::Service;
use crate::alerts::{self, runs};

/// The code of an alarm.
const fn code_of(alarm: Alarm) -> Code {
    match alarm {
        Alarm::Switched => code::SWITCHED,
        Alarm::CheckRequired => code::CHECK_REQUIRED,
        Alarm::Inconsistent => code::INCONSISTENT,
        Alarm::NewlyMirrored => code::NEWLY_MIRRORED,
        Alarm::MirrorBroken => code::MIRROR_BROKEN,
        Alarm::BothProtected => code::BOTH_PROTECTED,
        Alarm::Unfit => code::UNFIT,
        Alarm::NoPrincipal => code::NO_PRINCIPAL,
        Alarm::Split => code::SPLIT,
        Alarm::NotThere => code::NOT_THERE,
        Alarm::Right => code::RIGHT,
        Alarm::Unreachable => code::SILENT,
        Alarm::AgentMissing => code::AGENT_MISSING,
        Alarm::Orphaned => code::ORPHANED,
    }
}

const fn severity(alarm: Alarm) -> Severity {
    match alarm {
        Alarm::Switched | Alarm::NewlyMirrored | Alarm::CheckRequired => Severity::Warning,
        Alarm::MirrorBroken | Alarm::AgentMissing | Alarm::Orphaned => Severity::Warning,
        Alarm::Inconsistent
        | Alarm::BothProtected
        | Alarm::Unfit
        | Alarm::NoPrincipal
        | Alarm::Split
        | Alarm::NotThere
        | Alarm::Right
        | Alarm::Unreachable => Severity::Error,
    }
}

/// The alarm of one database, with what to do.
fn fault(name: &Name, alarm: Alarm, (record, grouped): (&Record, bool)) -> Fault {
    let (group, database) = (&name.group, &name.database);
    let object = name.object();
    let shown = record.shown();
    let text = match alarm {
        Alarm::Switched if grouped => format!("the primary is another replica now: {shown}"),
        Alarm::Switched => format!("the mirror has become principal: {shown}"),
        Alarm::CheckRequired => format!("backups are refused until it is checked: {shown}"),
        Alarm::NewlyMirrored if grouped => {
            "the database is in an availability group now".to_owned()
        }
        Alarm::NewlyMirrored => "the database is mirrored now".to_owned(),
        Alarm::MirrorBroken => {
            "its mirroring session or availability group is gone, or another one".to_owned()
        }
        Alarm::Inconsistent
        | Alarm::BothProtected
        | Alarm::Unfit
        | Alarm::NoPrincipal
        | Alarm::Split
        | Alarm::NotThere
        | Alarm::Right
        | Alarm::Unreachable
        | Alarm::AgentMissing
        | Alarm::Orphaned => shown.to_string(),
    };
    let remedy = match alarm {
        Alarm::Switched => "nothing needs to be done; the consistency check runs by itself".into(),
        Alarm::CheckRequired => {
            format!("twinset check {group} --database {database} runs it now")
        }
        Alarm::Inconsistent => {
            format!("mend the cause; then twinset check {group} --database {database}")
        }
        Alarm::NewlyMirrored | Alarm::MirrorBroken => {
            format!("if that was meant: twinset group reprotect {group} --database {database}")
        }
        Alarm::BothProtected => {
            "protect the database in one group that names both partners, the principal's".into()
        }
        Alarm::Unfit if matches!(record.sight, Sight::Unfit(Unfit::Group(_))) => {
            "Twinset follows groups whose cluster arbitrates the roles; back this one up with SQL \
             Server's own tools"
                .into()
        }
        Alarm::Unfit if matches!(record.sight, Sight::Unfit(Unfit::OtherBond { .. })) => {
            format!("correct `kind` in the file of group {group}, or leave it out")
        }
        Alarm::Unfit => "put the partners on two computers, and name them by name; `allow_ip` \
                         accepts addresses"
            .into(),
        Alarm::NoPrincipal if grouped => {
            "look at the cluster: no replica is primary, or ours does not see it".into()
        }
        Alarm::NoPrincipal => "look at both partners and the witness: nobody serves it".into(),
        Alarm::Split => "end the session of the partner whose changes are given up, or let the \
                         partners meet"
            .into(),
        Alarm::NotThere => "bring it online, or take it out of the group".into(),
        Alarm::Right => "grant what is missing: twinset grants INSTANCE".into(),
        Alarm::Unreachable => "look at the instance and at the network".into(),
        Alarm::AgentMissing => "start the agent on the principal's host".into(),
        Alarm::Orphaned => {
            format!(
                "put the database back into a group; or let it go: \
                 twinset group unprotect {group} --database {database} --retain-data"
            )
        }
    };
    Fault::new(code_of(alarm), object, text).remedy(remedy)
}

impl Service {
    /// Raises an alarm, or brings it up to date.
    pub(super) fn raise(&mut self, name: &Name, alarm: Alarm, now: Moment) -> Result<(), Fault> {
        let Some(member) = self.members.get(name) else {
            return Ok(());
        };
        let fault = fault(name, alarm, (&member.record, member.grouped));
        self.put(&fault, severity(alarm), Some(name), now)
    }

    /// An alarm is over.
    pub(super) fn resolve(&mut self, name: &Name, alarm: Alarm, now: Moment) -> Result<(), Fault> {
        self.over(code_of(alarm), &name.object(), now)
    }

    /// The end of a backup: an alert when it failed, and the end of that alert when it did not.
    pub(super) fn told(
        &mut self,
        name: &Name,
        kind: BackupKind,
        outcome: &Outcome,
        now: Moment,
    ) -> Result<(), Fault> {
        self.tells = now;
        let (group, database) = (name.group.as_str(), name.database.as_str());
        let taken = outcome.published();
        if taken.is_empty() {
            let fault = match (outcome.fault(), &outcome.object) {
                (Some(fault), _) => fault,
                // There was nothing of the kind to take.
                (None, Some(_)) => return Ok(()),
                (None, None) => Fault::new(
                    code::BACKUP_FAILED,
                    name.object(),
                    "the process of the backup ended without a result",
                )
                .remedy("look into the log; the next run sets right what it left"),
            };
            return runs::failed(&mut self.catalog, group, (database, kind), &fault, now);
        }
        // The chain guard may have taken another kind than was asked for.
        for kind in taken.into_iter().chain([kind]) {
            runs::succeeded(&mut self.catalog, group, (database, kind), now)?;
        }
        Ok(())
    }

    /// A device waits for the operator, until its run has ended.
    pub(super) fn wished(
        &mut self,
        job: u64,
        device: &str,
        wish: &str,
        now: Moment,
    ) -> Result<(), Fault> {
        let Some(name) = self.jobs.wished(job, device) else {
            return Ok(());
        };
        let message = format!("a backup waits for you: {wish}");
        let fault = Fault::new(code::OPERATOR, device, message).remedy(
            "do what it asks for; behind `medium_wait` the run goes on without this mirror, or ends",
        );
        self.put(&fault, Severity::Error, Some(&name), now)
    }

    /// The configuration cannot be used: the old one stays.
    pub(super) fn unsound(&mut self, faults: &[Fault], now: Moment) -> Result<(), Fault> {
        let Some(first) = faults.first() else {
            return Ok(());
        };
        let message = format!(
            "the changed configuration has {} faults and is not used: {} {}: {}",
            faults.len(),
            first.code,
            first.object,
            first.message
        );
        let fault = Fault::new(code::CONFIG_KEPT, "configuration", message)
            .remedy("twinset config check names every fault; the last sound one holds meanwhile");
        self.put(&fault, Severity::Warning, None, now)
    }

    /// The configuration is sound, or holds in older forms.
    pub(super) fn stands(&mut self, kept: Option<Fault>, now: Moment) -> Result<(), Fault> {
        match kept {
            Some(fault) => self.put(&fault, Severity::Warning, None, now),
            None => self.over(code::CONFIG_KEPT, "configuration", now),
        }
    }

    /// Ages of backups are judged and receivers told: now and then, and soon after something
    /// changed.
    pub(super) fn tell_alerts(&mut self, now: Moment) {
        /// Seconds between two rounds.
        const EVERY: i64 = 60;
        if now < self.tells || self.jobs.tells() {
            return;
        }
        self.tells = Moment(now.0.saturating_add(EVERY));
        let nobody = Name {
            group: String::new(),
            database: String::new(),
        };
        let what = (What::Alerts, "alerts".to_owned());
        self.jobs.add(nobody, what, BTreeSet::new(), now);
    }

    pub(super) fn put(
        &mut self,
        fault: &Fault,
        severity: Severity,
        name: Option<&Name>,
        now: Moment,
    ) -> Result<(), Fault> {
        let mut alert = Alert::of(fault).severity(severity);
        if let Some(name) = name {
            alert = alert.group(&name.group).database(&name.database);
        }
        self.tells = now;
        alerts::raise(&mut self.catalog, &alert, now).map(drop)
    }

    pub(super) fn over(&mut self, code: Code, object: &str, now: Moment) -> Result<(), Fault> {
        if self.catalog.resolve(code, object, now)? {
            self.tells = now;
        }
        Ok(())
    }
}
