//! Plans for people: equal lines once, names and times shortened.

use std::collections::BTreeMap;
use std::time::Duration;

use twinset_domain::schedule::{Forecast, KINDS, Replaced, Rules};
use twinset_domain::{BackupKind, Moment};

use super::{GroupPlan, Plans};
use crate::report::{Output, duration, table};

/// Names in one line.
const NAMES: usize = 3;
/// Times in one line.
const TIMES: usize = 4;

/// Databases that share a line.
struct Line<'a> {
    databases: Vec<&'a str>,
    text: &'a str,
    is_mixed: bool,
    /// The earliest and the latest time.
    times: Option<(Moment, Moment)>,
}

impl<'a> Line<'a> {
    fn add(&mut self, database: &'a str, text: &'a str, at: Option<Moment>) {
        self.databases.push(database);
        self.is_mixed |= self.text != text;
        if let Some(at) = at {
            let (first, last) = self.times.unwrap_or((at, at));
            self.times = Some((first.min(at), last.max(at)));
        }
    }

    const fn new(text: &'a str) -> Self {
        Self {
            databases: Vec::new(),
            text,
            is_mixed: false,
            times: None,
        }
    }

    fn cells(&self, rules: &Rules) -> [String; 3] {
        let more = if self.is_mixed {
            " (others likewise)"
        } else {
            ""
        };
        let times = self.times.map_or_else(
            || "-".to_owned(),
            |(first, last)| {
                let (first, last) = (rules.zone.text(first), rules.zone.text(last));
                if first == last {
                    first
                } else {
                    format!("{first} to {last}")
                }
            },
        );
        let why = format!("{}{more}", self.text);
        [shortened(&self.databases, NAMES), times, why]
    }
}

/// Prints every group.
pub(super) fn print(plans: &Plans, output: &Output) {
    for group in &plans.groups {
        let Some(rules) = &group.schedule else {
            output.line(format!(
                "group {}: no schedule, backups on demand only",
                group.group
            ));
            continue;
        };
        output.line(head(group, rules));
        if group.has_patterns {
            output.line(
                "  patterns: databases that were never backed up are known to the server alone \
                 (twinset instance databases)",
            );
        }
        output.line(format!("  at {}", rules.zone.text(plans.at)));
        now(group, rules, output);
        output.line(format!("  until {}", rules.zone.text(plans.until)));
        ahead(&group.ahead, rules, output);
    }
}

fn head(group: &GroupPlan, rules: &Rules) -> String {
    let lines = KINDS.iter().rev().filter_map(|kind| {
        let line = rules.line(*kind)?;
        Some(format!("{kind} \"{line}\""))
    });
    let mut parts: Vec<String> = lines.collect();
    parts.push(format!("clocks of {}", rules.zone));
    if rules.stagger > 0 {
        let span = duration(Duration::from_secs(rules.stagger.into()));
        parts.push(format!("databases spread over {span}"));
    }
    for window in &rules.blackout {
        parts.push(format!("blackout \"{window}\""));
    }
    format!("group {}: {}", group.group, parts.join(", "))
}

fn now(group: &GroupPlan, rules: &Rules, output: &Output) {
    let mut due: BTreeMap<(usize, String), Line<'_>> = BTreeMap::new();
    for one in &group.due {
        let what = &one.what;
        let key = (rank(what.kind), one.text.clone());
        let line = due.entry(key).or_insert_with(|| Line::new(&one.text));
        line.add(&what.database, &one.text, Some(what.slot));
    }
    let mut waiting: BTreeMap<(usize, String), Line<'_>> = BTreeMap::new();
    for one in &group.waiting {
        let what = &one.what;
        // Reasons of one sort share a line: their times differ by database.
        let sort = one.text.split(':').next().unwrap_or_default();
        let key = (rank(what.kind), sort.to_owned());
        let line = waiting.entry(key).or_insert_with(|| Line::new(&one.text));
        line.add(&what.database, &one.text, what.next);
    }
    let row = |state: &str, rank: usize, line: &Line<'_>| {
        let kind = KINDS
            .get(rank)
            .map_or_else(String::new, ToString::to_string);
        let [names, times, why] = line.cells(rules);
        let times = match state {
            "due" => format!("since {times}"),
            _ => times,
        };
        vec![format!("  {state}"), kind, names, times, why]
    };
    let rows: Vec<Vec<String>> = due
        .iter()
        .map(|((kind, _), line)| row("due", *kind, line))
        .chain(
            waiting
                .iter()
                .map(|((kind, _), line)| row("not now", *kind, line)),
        )
        .collect();
    if rows.is_empty() {
        output.line("  no database is known yet");
        return;
    }
    output.line(table(&["  now", "kind", "databases", "when", "why"], &rows));
}

fn ahead(ahead: &[Forecast], rules: &Rules, output: &Output) {
    let row = |kind: &Forecast| {
        let times: Vec<String> = kind
            .slots
            .iter()
            .map(|slot| rules.zone.text(*slot))
            .take(TIMES + 1)
            .collect();
        let times: Vec<&str> = times.iter().map(String::as_str).collect();
        let gone = kind.replaced.iter().map(|replaced| match replaced {
            Replaced::Full { count } => format!("{count} replaced by a full"),
            Replaced::Blackout { count } => format!("{count} gathered by a blackout"),
        });
        let mut when = times
            .iter()
            .take(TIMES)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        if kind.count > TIMES {
            when.push_str(" ...");
        }
        let gone: Vec<String> = gone.collect();
        let (name, count) = (kind.kind.to_string(), kind.count.to_string());
        vec![format!("  {name}"), count, when, gone.join(", ")]
    };
    let rows: Vec<Vec<String>> = ahead.iter().map(row).collect();
    output.line(table(&["  ahead", "runs", "begin", ""], &rows));
}

fn rank(kind: BackupKind) -> usize {
    KINDS
        .iter()
        .position(|known| *known == kind)
        .unwrap_or(KINDS.len())
}

fn shortened(names: &[&str], most: usize) -> String {
    let shown = names
        .iter()
        .take(most)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
