//! Which jobs take backups.

use std::collections::BTreeSet;

use super::{Found, Job, Step, Tool};
use crate::BackupKind;
use crate::grants::literal;

/// The jobs that take backups or seem to, those that run by themselves first.
#[must_use]
pub fn find(jobs: &[Job]) -> Vec<Found> {
    let mut found: Vec<Found> = jobs
        .iter()
        .flat_map(|job| job.steps.iter().filter_map(|step| of(job, step)))
        .collect();
    found.sort_by(|a, b| (!a.active, &a.job, &a.step).cmp(&(!b.active, &b.job, &b.step)));
    found
}

fn of(job: &Job, step: &Step) -> Option<Found> {
    let words = words(&step.command);
    let (tool, kinds) = judged(&step.subsystem, &words)?;
    Some(Found {
        job: job.name.clone(),
        step: step.name.clone(),
        tool,
        active: job.enabled && job.scheduled,
        copy_only: is_copy(tool, &words),
        kinds,
        disable: format!(
            "EXEC msdb.dbo.sp_update_job @job_name = {}, @enabled = 0;",
            literal(&job.name)
        ),
    })
}

/// A command in words, upper case: what stands between quotes, brackets and signs, without comments.
fn words(command: &str) -> Vec<String> {
    let mut plain = String::with_capacity(command.len());
    let mut rest = command;
    while let Some(letter) = rest.chars().next() {
        if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
        } else {
            plain.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    let part = |letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | '@');
    plain
        .split(part)
        // Alone it is the N before a literal.
        .filter(|word| !word.is_empty() && *word != "N")
        .map(str::to_uppercase)
        .collect()
}

fn judged(subsystem: &str, words: &[String]) -> Option<(Tool, BTreeSet<BackupKind>)> {
    let has = |word: &str| words.iter().any(|one| one == word);
    if has("DATABASEBACKUP") {
        return Some((Tool::Hallengren, hallengren(words)));
    }
    let is_plan = words.windows(2).any(|two| two == ["MAINTENANCE", "PLANS"]);
    if subsystem.eq_ignore_ascii_case("SSIS") && is_plan {
        // What it does stands in a package, not in the step.
        return Some((Tool::MaintenancePlan, BTreeSet::new()));
    }
    let kinds = statements(words);
    if !kinds.is_empty() {
        return Some((Tool::Statements, kinds));
    }
    // This agent, called by a job, breaks nothing of its own.
    let speaks = words.iter().any(|word| word.contains("BACKUP"));
    let tidies = words
        .iter()
        .any(|word| word.starts_with("SP_DELETE_BACKUP"));
    (speaks && !tidies && !has("TWINSET")).then(|| (Tool::Unknown, BTreeSet::new()))
}

fn hallengren(words: &[String]) -> BTreeSet<BackupKind> {
    let behind = |two: &[String]| {
        if two[0] != "@BACKUPTYPE" {
            return None;
        }
        match two[1].as_str() {
            "FULL" => Some(BackupKind::Full),
            "DIFF" => Some(BackupKind::Differential),
            "LOG" => Some(BackupKind::Log),
            _ => None,
        }
    };
    words.windows(2).filter_map(behind).collect()
}

/// Kinds of `BACKUP DATABASE` and `BACKUP LOG`, by statement.
fn statements(words: &[String]) -> BTreeSet<BackupKind> {
    let mut kinds = BTreeSet::new();
    for (at, two) in words.windows(2).enumerate() {
        if two[0] != "BACKUP" {
            continue;
        }
        match two[1].as_str() {
            "LOG" => kinds.extend([BackupKind::Log]),
            "DATABASE" => {
                let behind = words.iter().skip(at + 2);
                let mut own = behind.take_while(|word| *word != "BACKUP");
                let differs = own.any(|word| word == "DIFFERENTIAL");
                kinds.extend([if differs {
                    BackupKind::Differential
                } else {
                    BackupKind::Full
                }]);
            }
            _ => {}
        }
    }
    kinds
}

/// Whether every backup of the command is a copy.
fn is_copy(tool: Tool, words: &[String]) -> bool {
    match tool {
        Tool::Hallengren => words.windows(2).any(|two| two == ["@COPYONLY", "Y"]),
        Tool::Statements => {
            let backups = words
                .windows(2)
                .filter(|two| two[0] == "BACKUP" && matches!(two[1].as_str(), "LOG" | "DATABASE"));
            words.iter().filter(|word| *word == "COPY_ONLY").count() == backups.count()
        }
        Tool::MaintenancePlan | Tool::Unknown => false,
    }
}
