//! What Prometheus reads: text format 0.0.4, each metric with HELP and TYPE.

use std::fmt::Write;

use twinset_domain::alert::Severity;
use twinset_domain::protection::Shown;

use super::{Database, Kind, Overview};

/// `Content-Type` of the text.
pub const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every metric with what it means, in the order of the text; `docs/metrics.md` is checked
/// against it.
pub const METRICS: &[(&str, &str)] = &[
    ("twinset_up", "1: the service looks and answers."),
    (
        "twinset_build_info",
        "1, with the version and the name of the agent.",
    ),
    (
        "twinset_start_time_seconds",
        "When the service started, in seconds since 1970.",
    ),
    (
        "twinset_database_state",
        "1 for the state of a protected database, 0 for every other.",
    ),
    (
        "twinset_database_exposed",
        "1: the principal serves without its partner, its log cannot be truncated.",
    ),
    (
        "twinset_backup_last_success_timestamp_seconds",
        "When the newest backup that succeeded began, in seconds since 1970; 0: there is none.",
    ),
    (
        "twinset_backup_last_duration_seconds",
        "How long the newest backup that succeeded took.",
    ),
    (
        "twinset_backup_last_size_bytes",
        "Bytes of the newest backup that succeeded, on each mirror.",
    ),
    (
        "twinset_rpo_breached",
        "1: the newest backup is older than the group allows.",
    ),
    (
        "twinset_media_set_mirrors",
        "Mirrors of a media set in the configuration.",
    ),
    (
        "twinset_media_set_mirrors_in_step",
        "Mirrors that held the newest backup set when it was published.",
    ),
    ("twinset_alerts_open", "Open alerts."),
    ("twinset_jobs_running", "Backups and checks that run."),
    (
        "twinset_jobs_waiting",
        "Backups and checks that wait for their turn.",
    ),
    (
        "twinset_instance_up",
        "1: the instance answered when it was asked last.",
    ),
    (
        "twinset_poll_duration_seconds",
        "How long the last question to the instance took.",
    ),
    (
        "twinset_poll_timestamp_seconds",
        "When the instance was asked last, in seconds since 1970.",
    ),
    (
        "twinset_shared_catalog_up",
        "1: the shared catalog took in what it was told last.",
    ),
    (
        "twinset_shared_catalog_last_success_timestamp_seconds",
        "When it did so, in seconds since 1970; 0: never.",
    ),
    (
        "twinset_shared_catalog_waiting_events",
        "Events that wait for the shared catalog; left out where everything is told anew.",
    ),
];

/// The text under construction.
struct Text {
    body: String,
    next: usize,
}

impl Text {
    /// The next metric of the list: all are gauges.
    fn metric(&mut self) -> &'static str {
        let Some((name, help)) = METRICS.get(self.next) else {
            return "";
        };
        self.next += 1;
        // Writing into a string cannot fail.
        let _ = writeln!(self.body, "# HELP {name} {help}\n# TYPE {name} gauge");
        name
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.body.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            self.body.push(if at == 0 { '{' } else { ',' });
            let _ = write!(self.body, "{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.body.push('}');
        }
        let _ = writeln!(self.body, " {value}");
    }
}

/// A label's value as the format wants it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => safe.push_str("\\\\"),
            '"' => safe.push_str("\\\""),
            '\n' => safe.push_str("\\n"),
            other => safe.push(other),
        }
    }
    safe
}

/// The whole text.
#[must_use]
pub fn text(overview: &Overview) -> String {
    let mut text = Text {
        body: String::new(),
        next: 0,
    };
    agent(&mut text, overview);
    databases(&mut text, overview);
    kinds(&mut text, overview);
    media_sets(&mut text, overview);
    rest(&mut text, overview);
    text.body
}

fn agent(text: &mut Text, overview: &Overview) {
    let name = text.metric();
    text.sample(name, &[], 1);
    let name = text.metric();
    let labels = [("version", overview.version), ("agent", &overview.agent)];
    text.sample(name, &labels, 1);
    let name = text.metric();
    text.sample(name, &[], overview.started.0);
}

fn databases(text: &mut Text, overview: &Overview) {
    let name = text.metric();
    for one in &overview.databases {
        let now = one.protection.word();
        for state in Shown::WORDS {
            let labels = [("group", one.group.as_str()), ("database", &one.database)];
            let labels = [labels[0], labels[1], ("state", state)];
            text.sample(name, &labels, u8::from(now == *state));
        }
    }
    let name = text.metric();
    for one in &overview.databases {
        let labels = [("group", one.group.as_str()), ("database", &one.database)];
        text.sample(name, &labels, u8::from(one.exposed));
    }
}

fn kinds(text: &mut Text, overview: &Overview) {
    let mut each = |value: &dyn Fn(&Kind) -> Option<String>| {
        let name = text.metric();
        for (one, kind) in pairs(overview) {
            let Some(value) = value(kind) else { continue };
            let of = kind.kind.to_string();
            let labels = [
                ("group", one.group.as_str()),
                ("database", &one.database),
                ("kind", &of),
            ];
            text.sample(name, &labels, value);
        }
    };
    each(&|kind| Some(kind.last.map_or(0, |last| last.began.0).to_string()));
    each(&|kind| Some(kind.last?.seconds?.to_string()));
    each(&|kind| Some(kind.last?.bytes.to_string()));
    each(&|kind| Some(u8::from(kind.rpo_breached?).to_string()));
}

fn pairs(overview: &Overview) -> impl Iterator<Item = (&Database, &Kind)> {
    let databases = overview.databases.iter();
    databases.flat_map(|one| one.kinds.iter().map(move |kind| (one, kind)))
}

fn media_sets(text: &mut Text, overview: &Overview) {
    let name = text.metric();
    for one in &overview.media_sets {
        text.sample(name, &[("media_set", &one.media_set)], one.mirrors);
    }
    let name = text.metric();
    for one in &overview.media_sets {
        if let Some(in_step) = one.in_step {
            text.sample(name, &[("media_set", &one.media_set)], in_step);
        }
    }
}

fn rest(text: &mut Text, overview: &Overview) {
    let name = text.metric();
    let all = [
        Severity::Info,
        Severity::Warning,
        Severity::Error,
        Severity::Critical,
    ];
    for severity in all {
        let alerts = overview.alerts.iter();
        let open = alerts.filter(|alert| alert.severity == severity).count();
        text.sample(name, &[("severity", severity.word())], open);
    }
    let name = text.metric();
    text.sample(name, &[], overview.jobs.running);
    let name = text.metric();
    text.sample(name, &[], overview.jobs.waiting);
    let name = text.metric();
    for one in &overview.instances {
        let labels = [("sql_instance", one.instance.as_str())];
        text.sample(name, &labels, u8::from(one.answers));
    }
    let name = text.metric();
    for one in &overview.instances {
        text.sample(name, &[("sql_instance", &one.instance)], one.seconds);
    }
    let name = text.metric();
    for one in &overview.instances {
        text.sample(name, &[("sql_instance", &one.instance)], one.asked.0);
    }
    shared(text, overview);
}

fn shared(text: &mut Text, overview: &Overview) {
    let shared = overview.shared_catalog;
    let mut each = |value: Option<i128>| {
        let name = text.metric();
        if let Some(value) = value {
            text.sample(name, &[], value);
        }
    };
    each(shared.map(|shared| shared.answers.into()));
    each(shared.map(|shared| shared.told.map_or(0, |told| told.0.into())));
    each(shared.and_then(|shared| shared.waiting).map(Into::into));
}
