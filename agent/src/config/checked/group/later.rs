//! Tables that are judged now and acted on by later releases.

use std::time::Duration;

use toml::Spanned;

use super::{
    Check as CheckPlan, Failover, Integrity, Missed, Profile, Rpo, Schedule, TopologyChange,
};
use crate::config::checked::Check;
use crate::config::raw::{CheckTable, FailoverTable, GroupAlertsTable, ScheduleTable, Value};

/// Most tries after a failed backup.
const MAX_RETRIES: u32 = 100;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// `[schedule]`.
pub(super) fn schedule(
    check: &mut Check<'_>,
    raw: Option<&Spanned<ScheduleTable>>,
) -> Option<Schedule> {
    let raw = raw?;
    check.idle(&raw.span(), "[schedule]");
    let raw = raw.get_ref();
    let zone = raw.time_zone.as_ref();
    if let Some(zone) = zone {
        let lawful = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
        if zone.get_ref().is_empty() || !zone.get_ref().chars().all(lawful) {
            let message = format!("`time_zone` cannot be \"{}\"", zone.get_ref());
            check.bad(
                &zone.span(),
                message,
                "write \"local\", \"UTC\" or a name as Europe/Vienna",
            );
        }
    }
    let missed = [("run-once", Missed::RunOnce), ("skip", Missed::Skip)];
    Some(Schedule {
        full: cron(check, &raw.full, "full"),
        differential: cron(check, &raw.differential, "differential"),
        log: cron(check, &raw.log, "log"),
        time_zone: zone.map_or_else(|| "local".to_owned(), |zone| zone.get_ref().clone()),
        stagger: check.duration(
            &raw.stagger,
            "stagger",
            Duration::ZERO..=DAY,
            Duration::ZERO,
        ),
        missed: check.choice(&raw.missed, "missed", &missed, Missed::RunOnce),
        retries: check.number(&raw.retries, "retries", 0..=MAX_RETRIES, 3),
        retry_delay: check.duration(&raw.retry_delay, "retry_delay", SECOND..=DAY, MINUTE),
    })
}

/// A cron expression by its shape: five fields of lawful characters.
fn cron(check: &mut Check<'_>, value: &Value<String>, key: &str) -> Option<String> {
    let value = value.as_ref()?;
    let text = value.get_ref();
    let lawful = |c: char| c.is_ascii_alphanumeric() || "*/,-?#".contains(c);
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != 5 || !fields.iter().all(|field| field.chars().all(lawful)) {
        let message = format!("`{key}` is no cron expression: \"{text}\"");
        let remedy = "write minute, hour, day, month and weekday, such as \"0 1 * * sun\"";
        check.bad(&value.span(), message, remedy);
    }
    Some(text.clone())
}

/// `[failover]`, with the defaults of the profile.
pub(super) fn failover(
    check: &mut Check<'_>,
    raw: Option<&Spanned<FailoverTable>>,
    profile: Profile,
) -> Failover {
    let follow = profile == Profile::Follow;
    let topology = if follow {
        TopologyChange::Continue
    } else {
        TopologyChange::Alert
    };
    let mut plan = Failover {
        poll: 5 * SECOND,
        no_principal_alert: 5 * MINUTE,
        check_delay: None,
        check_before_backup: follow,
        allow_ip: follow,
        on_topology_change: topology,
    };
    let Some(raw) = raw else { return plan };
    check.idle(&raw.span(), "[failover]");
    let raw = raw.get_ref();
    plan.poll = check.duration(&raw.poll, "poll", SECOND..=60 * MINUTE, plan.poll);
    let bound = SECOND..=30 * DAY;
    plan.no_principal_alert = check.duration(
        &raw.no_principal_alert,
        "no_principal_alert",
        bound,
        plan.no_principal_alert,
    );
    plan.check_delay = check.any_duration(&raw.check_delay, "check_delay");
    let before = [("check", true), ("refuse", false)];
    plan.check_before_backup = check.choice(&raw.before_check, "before_check", &before, follow);
    plan.allow_ip = raw
        .allow_ip
        .as_ref()
        .map_or(follow, |allow| *allow.get_ref());
    let changes = [
        ("continue", TopologyChange::Continue),
        ("alert", TopologyChange::Alert),
    ];
    plan.on_topology_change = check.choice(
        &raw.on_topology_change,
        "on_topology_change",
        &changes,
        topology,
    );
    plan
}

/// `[check]`.
pub(super) fn check(check: &mut Check<'_>, raw: Option<&Spanned<CheckTable>>) -> CheckPlan {
    let week = 7 * DAY;
    let Some(raw) = raw else {
        return CheckPlan {
            integrity: Integrity::Physical,
            max_age: week,
            gate: false,
        };
    };
    check.idle(&raw.span(), "[check]");
    let raw = raw.get_ref();
    let depths = [
        ("physical", Integrity::Physical),
        ("full", Integrity::Full),
        ("none", Integrity::None),
    ];
    CheckPlan {
        integrity: check.choice(&raw.integrity, "integrity", &depths, Integrity::Physical),
        max_age: check.duration(&raw.max_age, "max_age", 60 * MINUTE..=3660 * DAY, week),
        gate: raw.gate.as_ref().is_some_and(|gate| *gate.get_ref()),
    }
}

/// `rpo` of `[alerts]`.
pub(super) fn rpo(check: &mut Check<'_>, raw: Option<&Spanned<GroupAlertsTable>>) -> Rpo {
    let Some(raw) = raw else {
        return Rpo::default();
    };
    check.idle(&raw.span(), "[alerts]");
    let Some(rpo) = &raw.get_ref().rpo else {
        return Rpo::default();
    };
    let rpo = rpo.get_ref();
    Rpo {
        full: check.any_duration(&rpo.full, "full"),
        differential: check.any_duration(&rpo.differential, "differential"),
        log: check.any_duration(&rpo.log, "log"),
    }
}
