//! How sound the databases of a group are, as the last checks say: for `status` and `report`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use twinset_domain::integrity::{Check, Outcome, Standing};
use twinset_domain::{Fault, Moment};

use crate::catalog::{Catalog, standing};
use crate::clock;
use crate::config::Group;
use crate::report::duration;

/// Most checks that are looked through.
const MOST: u32 = 100_000;

/// A database on an instance.
#[derive(Clone, Debug, Serialize)]
pub(in crate::cli) struct Sound {
    pub(in crate::cli) database: String,
    pub(in crate::cli) instance: String,
    /// The last check.
    last: Check,
    /// `clean`, `damaged` or `not finished`.
    result: &'static str,
    /// What all of them come to.
    standing: Standing,
    /// The same in words.
    pub(in crate::cli) text: String,
}

/// The databases of a group that were ever checked.
pub(in crate::cli) fn sound(catalog: &Catalog, group: &Group) -> Result<Vec<Sound>, Fault> {
    let (now, standings) = (clock::now(), catalog.standings()?);
    let mut last: BTreeMap<(String, String), Check> = BTreeMap::new();
    for check in catalog.checks(None, MOST)? {
        if group.databases.select(&check.database) && group.partners.contains(&check.instance) {
            let key = (check.database.to_lowercase(), check.instance.clone());
            last.entry(key).or_insert(check);
        }
    }
    let one = |check: Check| {
        let standing = standing(&standings, &check.database, &check.instance);
        Sound {
            text: text(&check, &standing, now),
            result: check.outcome.word(),
            database: check.database.clone(),
            instance: check.instance.clone(),
            last: check,
            standing,
        }
    };
    Ok(last.into_values().map(one).collect())
}

fn text(check: &Check, standing: &Standing, now: Moment) -> String {
    let ago = |at: Moment| {
        let seconds = u64::try_from(now.0.saturating_sub(at.0)).unwrap_or(0);
        format!("{} ago", duration(Duration::from_secs(seconds)))
    };
    let (database, instance, depth) = (&check.database, &check.instance, check.depth);
    let what = match &check.outcome {
        Outcome::Clean => "clean".to_owned(),
        Outcome::Damaged(damage) => format!("damaged: {damage}"),
        Outcome::Unfinished(why) => format!("not finished: {why}"),
    };
    let mut text = format!(
        "{database} on {instance}: {depth} integrity check {}: {what}",
        ago(check.began)
    );
    let is_clean = check.outcome == Outcome::Clean;
    if let Some(found) = standing.found.filter(|_| is_clean) {
        text.push_str(&format!("; damage found by a {} check stays", found.depth));
    }
    if !is_clean {
        match standing.clean {
            Some(clean) => text.push_str(&format!("; last clean {}", ago(clean))),
            None => text.push_str("; never clean"),
        }
    }
    text
}
