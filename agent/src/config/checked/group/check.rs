//! `[check]`: when the database itself is checked, and what findings mean.

use std::time::Duration;

use toml::Spanned;
use twinset_domain::integrity::{Depth, Rule};
use twinset_domain::schedule::Rules;

use super::when::times;
use super::{Check as CheckPlan, Source};
use crate::config::checked::Check;
use crate::config::raw::CheckTable;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// `[check]`. Without it, groups whose login is sysadmin anyhow are checked; a login that takes
/// backups through files needs one right more for that, which nobody gets by an upgrade.
pub(super) fn check(
    check: &mut Check<'_>,
    raw: Option<&Spanned<CheckTable>>,
    (source, schedule): (&Source, Option<&Rules>),
) -> CheckPlan {
    let default = (*source == Source::Vdi).then_some(Depth::Physical);
    let (mut depth, mut max_age) = (default, 7 * DAY);
    let mut plan = CheckPlan {
        rule: None,
        budget: 2 * HOUR,
        gate: false,
        consistency: None,
    };
    if let Some(raw) = raw {
        let raw = raw.get_ref();
        let depths = [
            ("physical", Some(Depth::Physical)),
            ("full", Some(Depth::Full)),
            ("none", None),
        ];
        depth = check.choice(&raw.integrity, "integrity", &depths, default);
        max_age = check.duration(&raw.max_age, "max_age", HOUR..=3660 * DAY, max_age);
        plan.budget = check.duration(&raw.budget, "budget", MINUTE..=30 * DAY, plan.budget);
        plan.consistency = times(check, &raw.consistency, "consistency", schedule);
        plan.gate = raw.gate.as_ref().is_some_and(|gate| *gate.get_ref());
        if let Some(gate) = raw.gate.as_ref().filter(|_| plan.gate && depth.is_none()) {
            let message = "`gate` is set, and `integrity` is \"none\"";
            let remedy = "choose how deep checks go, or leave `gate` out";
            check.bad(&gate.span(), message, remedy);
        }
    }
    let max_age = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
    plan.rule = depth.map(|depth| Rule { depth, max_age });
    plan
}
