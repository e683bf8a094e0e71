//! `[failover]` and `rpo`: what the service does by itself.

use std::time::Duration;

use toml::Spanned;

use super::{Failover, Profile, Rpo, TopologyChange};
use crate::config::checked::Check;
use crate::config::raw::{FailoverTable, GroupAlertsTable};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

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
        no_agent_alert: None,
        check_delay: None,
        check_before_backup: follow,
        allow_ip: follow,
        on_topology_change: topology,
    };
    let Some(raw) = raw else { return plan };
    let raw = raw.get_ref();
    plan.poll = check.duration(&raw.poll, "poll", SECOND..=60 * MINUTE, plan.poll);
    let bound = SECOND..=30 * DAY;
    plan.no_principal_alert = check.duration(
        &raw.no_principal_alert,
        "no_principal_alert",
        bound,
        plan.no_principal_alert,
    );
    plan.no_agent_alert = raw.no_agent_alert.as_ref().map(|_| {
        check.duration(
            &raw.no_agent_alert,
            "no_agent_alert",
            SECOND..=30 * DAY,
            30 * MINUTE,
        )
    });
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

/// `rpo` of `[alerts]`.
pub(super) fn rpo(check: &mut Check<'_>, raw: Option<&Spanned<GroupAlertsTable>>) -> Rpo {
    let Some(raw) = raw else {
        return Rpo::default();
    };
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
