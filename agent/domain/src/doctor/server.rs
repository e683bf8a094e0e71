//! An instance: version, rights, clock, place.

use serde::Serialize;

use super::{Finding, Level};
use crate::code;
use crate::grants::{Feature, Grant, Release, Right};

/// Clocks that differ by more than this, in seconds, confuse whoever reads times.
const MAX_SKEW_SECONDS: i64 = 60;

/// What an instance said of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Server {
    /// Its name in the configuration.
    pub name: String,
    /// Such as `16.0.4236.2`.
    pub version: String,
    /// First part of it.
    pub major: u16,
    /// Such as `Developer Edition (64-bit)`.
    pub edition: String,
    /// The login, as the server names it.
    pub login: String,
    /// What the groups need of it.
    pub features: Vec<Feature>,
    /// The rights that its login lacks for that.
    pub lacking: Vec<Grant>,
    /// How far its clock is ahead of this host's, in seconds.
    pub ahead_seconds: Option<i64>,
    /// It runs on this host; `None` where that cannot be told.
    pub is_here: Option<bool>,
    /// The computer that it says it runs on.
    pub computer: String,
    /// Sessions that look like dead runs of Twinset, each in a sentence.
    pub orphans: Vec<String>,
}

impl Server {
    fn object(&self) -> String {
        format!("instance {}", self.name)
    }

    /// What of it would keep runs from succeeding.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut found = vec![self.release()];
        found.extend(self.rights());
        found.extend(self.clock());
        found.extend(self.place());
        let orphan = |told: &String| {
            Finding::warning(self.object(), told.clone())
                .remedy("the next run, or twinset media recover, ends those that it may")
        };
        found.extend(self.orphans.iter().map(orphan));
        found
    }

    fn release(&self) -> Finding {
        let told = format!("{}, {}", self.version, self.edition);
        match Release::of_major(self.major) {
            None => Finding::failure(
                code::SQL_ERROR,
                self.object(),
                format!("{told}: older than SQL Server 2012"),
            )
            .remedy("back it up with its own tools; `media import` takes their files"),
            Some(release) => Finding::ok(self.object(), format!("{release}: {told}")),
        }
    }

    fn rights(&self) -> Vec<Finding> {
        if self.lacking.is_empty() {
            let message = format!("login {} has the rights it needs", self.login);
            return vec![Finding::ok(self.object(), message)];
        }
        let lacks = |grant: &Grant| {
            let message = format!("login {} lacks a right: {}", self.login, grant.why);
            let finding = match &grant.right {
                Right::Sysadmin => Finding::failure(code::SQL_NOT_SYSADMIN, self.object(), message),
                _ => Finding::failure(code::SQL_ERROR, self.object(), message),
            };
            // Without these a run goes on, worse.
            let level = match &grant.right {
                Right::ServerState | Right::AnyConnection => Level::Warning,
                _ => Level::Failure,
            };
            finding.at(level).remedy(grant.sql.join(" "))
        };
        self.lacking.iter().map(lacks).collect()
    }

    fn clock(&self) -> Option<Finding> {
        let ahead = self.ahead_seconds?;
        let word = if ahead > 0 { "ahead of" } else { "behind" };
        let message = format!("its clock is {} s {word} this host's", ahead.abs());
        Some(if ahead.abs() > MAX_SKEW_SECONDS {
            Finding::warning(self.object(), message)
                .remedy("set both clocks by NTP: times of backups and of restores come from both")
        } else {
            Finding::ok(self.object(), message)
        })
    }

    fn place(&self) -> Option<Finding> {
        if !self.features.contains(&Feature::Vdi) {
            return None;
        }
        match self.is_here {
            Some(true) => None,
            Some(false) => Some(
                Finding::failure(
                    code::VDI_SESSION,
                    self.object(),
                    format!(
                        "it runs on {}, not on this host: virtual devices need both on one",
                        self.computer
                    ),
                )
                .remedy("run an agent there, or let this agent serve an instance of its own host"),
            ),
            None => Some(Finding::note(
                self.object(),
                format!(
                    "it says that it runs on {}; whether that is this host cannot be told",
                    self.computer
                ),
            )),
        }
    }
}
