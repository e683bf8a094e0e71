//! `[retention]`: how long sets are kept.

use toml::Spanned;
use twinset_domain::schedule::Rules;

use super::Retention;
use super::when::times;
use crate::config::checked::Check;
use crate::config::raw::{RetentionTable, Value};
use crate::config::units::parse_percent;

/// Most sets of one kind that are kept by count.
const MAX_KEEP: u32 = 10_000;

/// `[retention]`.
pub(super) fn retention(
    check: &mut Check<'_>,
    raw: Option<&Spanned<RetentionTable>>,
    schedule: Option<&Rules>,
) -> Option<Retention> {
    let raw = raw?;
    let span = raw.span();
    let raw = raw.get_ref();
    let mut count = |value: &Value<u32>, key: &str| check.number(value, key, 0..=MAX_KEEP, 0);
    let (daily, weekly) = (count(&raw.daily, "daily"), count(&raw.weekly, "weekly"));
    let (monthly, yearly) = (count(&raw.monthly, "monthly"), count(&raw.yearly, "yearly"));
    let plan = Retention {
        window: check.any_duration(&raw.window, "window"),
        daily,
        weekly,
        monthly,
        yearly,
        at: times(check, &raw.at, "at", schedule),
        max_drop_percent: max_drop(check, &raw.max_drop),
        shared_storage: raw
            .shared_storage
            .as_ref()
            .is_none_or(|shared| *shared.get_ref()),
    };
    let counts = [plan.daily, plan.weekly, plan.monthly, plan.yearly];
    if plan.window.is_none_or(|window| window.is_zero()) && counts == [0; 4] {
        let message = "[retention] keeps nothing";
        let remedy = "set `window` or a count; without the table everything is kept";
        check.bad(&span, message, remedy);
    }
    Some(plan)
}

fn max_drop(check: &mut Check<'_>, value: &Value<String>) -> u8 {
    const DEFAULT: u8 = 25;
    let Some(value) = value else { return DEFAULT };
    parse_percent(value.get_ref()).unwrap_or_else(|| {
        let message = format!("`max_drop` is no percentage: \"{}\"", value.get_ref());
        check.bad(&value.span(), message, "write 0% to 100%, such as \"25%\"");
        DEFAULT
    })
}
