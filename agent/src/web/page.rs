//! The page for people: one table each, no scripts, nothing loaded from elsewhere.

use std::fmt::Write;

use twinset_domain::BackupKind;
use twinset_domain::protection::Shown;

use super::{Database, Overview};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;\
padding:0 1em;color:#222;background:#fff}table{border-collapse:collapse;width:100%;margin:0 0 2em}\
th,td{text-align:left;padding:.3em .8em .3em 0;border-bottom:1px solid #ddd;vertical-align:top}\
th{font-weight:600}.bad{color:#a40000}.good{color:#186a1c}footer{color:#666}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}th,td{border-color:#444}\
.bad{color:#ff8a80}.good{color:#8bd78f}footer{color:#999}}";

/// Text that stands between tags or in quotes.
fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// The page.
#[must_use]
pub(super) fn html(overview: &Overview) -> String {
    let agent = safe(&overview.agent);
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"refresh\" content=\"30\">\
         <title>Twinset: {agent}</title><style>{STYLE}</style><h1>Twinset: {agent}</h1>"
    );
    alerts(&mut page, overview);
    databases(&mut page, overview);
    table(
        &mut page,
        "Media sets",
        &["media set", "mirrors in step"],
        overview.media_sets.iter().map(|one| {
            let held = one.in_step.map_or("-".to_owned(), |held| held.to_string());
            let is_bad = one.in_step.is_some_and(|held| held < one.mirrors);
            let text = format!("{held} of {}", one.mirrors);
            vec![cell(&one.media_set), marked(&text, is_bad)]
        }),
    );
    table(
        &mut page,
        "Instances",
        &["instance", "answers", "asked", "took"],
        overview.instances.iter().map(|one| {
            let answers = if one.answers { "yes" } else { "no" };
            let took = format!("{:.3} s", one.seconds);
            vec![
                cell(&one.instance),
                marked(answers, !one.answers),
                cell(&one.asked.to_string()),
                cell(&took),
            ]
        }),
    );
    let jobs = overview.jobs;
    let _ = write!(
        page,
        "<p>{} jobs run, {} wait.</p><footer>{}, version {}. The same for programs: \
         <a href=\"/metrics\">/metrics</a>, <a href=\"/status.json\">/status.json</a>.</footer>",
        jobs.running,
        jobs.waiting,
        overview.now,
        safe(overview.version)
    );
    page
}

fn alerts(page: &mut String, overview: &Overview) {
    if overview.alerts.is_empty() {
        page.push_str("<p class=\"good\">No alert is open.</p>");
        return;
    }
    table(
        page,
        "Open alerts",
        &[
            "severity",
            "code",
            "about",
            "message",
            "what to do",
            "since",
        ],
        overview.alerts.iter().map(|one| {
            vec![
                marked(one.severity.word(), true),
                cell(&one.code),
                cell(&one.object),
                cell(&one.message),
                cell(&one.remedy),
                cell(&one.first.to_string()),
            ]
        }),
    );
}

fn databases(page: &mut String, overview: &Overview) {
    table(
        page,
        "Databases",
        &["group", "database", "state", "full", "differential", "log"],
        overview.databases.iter().map(|one| {
            let is_bad = !matches!(
                one.protection,
                Shown::Protected | Shown::NotPrincipal { .. } | Shown::Checking
            );
            vec![
                cell(&one.group),
                cell(&one.database),
                marked(&one.text, is_bad),
                last(one, BackupKind::Full),
                last(one, BackupKind::Differential),
                last(one, BackupKind::Log),
            ]
        }),
    );
}

fn last(one: &Database, kind: BackupKind) -> String {
    let Some(found) = one.kinds.iter().find(|each| each.kind == kind) else {
        return cell("-");
    };
    let began = found.last.map(|last| last.began.to_string());
    let too_old = found.rpo_breached == Some(true);
    let note = if too_old { " (too old)" } else { "" };
    marked(
        &format!("{}{note}", began.as_deref().unwrap_or("-")),
        too_old,
    )
}

fn cell(text: &str) -> String {
    format!("<td>{}", safe(text))
}

fn marked(text: &str, is_bad: bool) -> String {
    let class = if is_bad { "bad" } else { "good" };
    format!("<td class=\"{class}\">{}", safe(text))
}

fn table(page: &mut String, title: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let _ = write!(page, "<h2>{title}</h2><table><tr>");
    for word in head {
        let _ = write!(page, "<th>{word}");
    }
    for row in rows {
        let _ = write!(page, "<tr>{}", row.concat());
    }
    page.push_str("</table>");
}
