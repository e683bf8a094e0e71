//! Two hosts with a SQL Server each, partners of one mirroring session, and an agent on each: those
//! of the lab, where whatever goes wrong fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use twinset::sqlserver::{Auth, Connector, Endpoint, InstanceSettings, Purpose, Rows, Secret};
use twinset_domain::Fault;
use twinset_tests::hosts::{self, PASSWORD, programs::Programs};

use super::program::{Ran, Running};
use super::sections;

pub(crate) use twinset_tests::hosts::{A, B, GUID, Setup};

/// Two hosts with their agents, over one session; their media are formatted.
pub(crate) struct Pair {
    hosts: hosts::Pair,
    pub(crate) folder: TempDir,
}

impl Deref for Pair {
    type Target = hosts::Pair;
    fn deref(&self) -> &hosts::Pair {
        &self.hosts
    }
}

impl DerefMut for Pair {
    fn deref_mut(&mut self) -> &mut hosts::Pair {
        &mut self.hosts
    }
}

impl Pair {
    pub(crate) fn of(setup: &Setup) -> Self {
        let folder = tempfile::Builder::new().prefix("twinset-spec.").tempdir();
        let folder = folder.unwrap();
        let programs = Programs::of_this_build().unwrap();
        let hosts = hosts::Pair::set_up(folder.path(), programs, setup).unwrap();
        hosts.format().unwrap();
        Self { hosts, folder }
    }

    pub(crate) fn start() -> Self {
        Self::of(&Setup::default())
    }

    /// Starts the service of an agent.
    #[track_caller]
    pub(crate) fn serve(&self, agent: &str) -> Running {
        self.hosts.serve(agent).unwrap().into()
    }

    /// Runs a verb of an agent to its end.
    #[track_caller]
    pub(crate) fn run_as(&self, agent: &str, form: &[&str], args: &[&str]) -> Ran {
        self.hosts.run_as(agent, form, args).unwrap().into()
    }

    #[track_caller]
    pub(crate) fn json(&self, agent: &str, args: &[&str]) -> Ran {
        self.hosts.json(agent, args).unwrap().into()
    }

    /// `twinset backup payroll --kind KIND` by an agent.
    #[track_caller]
    pub(crate) fn take(&self, agent: &str, kind: &str, more: &[&str]) -> Ran {
        self.hosts.take(agent, kind, more).unwrap().into()
    }

    /// An order to the lab, to an agent's server.
    #[track_caller]
    pub(crate) fn order(&mut self, agent: &str, order: Value) -> Value {
        self.hosts.order(agent, order).unwrap()
    }

    /// Runs T-SQL on an agent's server, as an administrator.
    #[track_caller]
    pub(crate) fn sql(&self, agent: &str, sql: &str) -> Rows {
        self.try_sql(agent, sql).unwrap()
    }

    /// The same, whatever the server says to it.
    pub(crate) fn try_sql(&self, agent: &str, sql: &str) -> Result<Rows, Fault> {
        let listening = &self.lab.instances[usize::from(agent == B)];
        let auth = Auth::Sql {
            user: "twinset".to_owned(),
            password: Secret::new(PASSWORD),
        };
        let endpoint = Endpoint::Port(listening.port);
        let mut settings = InstanceSettings::new(agent, "localhost", endpoint, auth);
        settings.ca_file = Some(listening.ca_file.clone());
        let connector = Connector::new(settings, "admin");
        connector.open_once(Purpose::Control)?.query(sql, &[])
    }

    #[track_caller]
    pub(crate) fn links(&mut self, agent: &str, links: Value) {
        self.hosts.links(agent, links).unwrap();
    }

    /// Something happens to the availability group, on an agent's server.
    #[track_caller]
    pub(crate) fn group(&mut self, agent: &str, what: Value) {
        self.hosts.group(agent, what).unwrap();
    }

    #[track_caller]
    pub(crate) fn fail_over(&mut self, agent: &str) {
        self.hosts.fail_over(agent).unwrap();
    }

    /// The next backup on an agent's server meets this.
    #[track_caller]
    pub(crate) fn struck(&mut self, agent: &str, switch: Value, ends: &str) {
        self.hosts.struck(agent, switch, ends).unwrap();
    }

    #[track_caller]
    pub(crate) fn calm(&mut self) {
        self.hosts.calm().unwrap();
    }

    #[track_caller]
    pub(crate) fn write(&mut self, agent: &str, note: &str) {
        self.hosts.write(agent, note).unwrap();
    }

    /// How Payroll stands on an agent's server.
    #[track_caller]
    pub(crate) fn told(&mut self, agent: &str) -> Value {
        self.hosts.told_of(agent, "Payroll").unwrap()
    }

    /// Sets on an agent's media: kind and state.
    #[track_caller]
    pub(crate) fn sets(&self, agent: &str, media_set: &str) -> Vec<String> {
        let shown = self
            .json(agent, &["media", "show", media_set])
            .ended(0)
            .result();
        let sets = shown["sets"].as_array().unwrap().iter();
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        sets.map(|set| format!("{} {}", word(&set["kind"]), word(&set["state"])))
            .collect()
    }

    /// The kinds of the sets on an agent's media.
    #[track_caller]
    pub(crate) fn kinds(&self, agent: &str, media_set: &str) -> Vec<String> {
        let sets = self.sets(agent, media_set);
        let kind = |set: &String| set.split(' ').next().unwrap_or_default().to_owned();
        sets.iter().map(kind).collect()
    }

    /// The names of all sections on the volumes of an agent's media set.
    pub(crate) fn on_media(&self, agent: &str, suffix: &str) -> Vec<Vec<String>> {
        [1, 2]
            .map(|mirror| {
                let device = self.path().join(format!("{agent}{suffix}/m{mirror}"));
                sections(&volume(&device))
            })
            .to_vec()
    }

    /// Standard error of a verb as people read it, folded, without what changes from run to run.
    pub(crate) fn said(&self, agent: &str, args: &[&str]) -> String {
        let ran = self.run_as(agent, &["--no-progress"], args);
        let text = ran
            .stderr
            .replace(self.folder.path().to_str().unwrap(), "~");
        let ports = self.lab.instances.iter();
        let text = ports.fold(text, |text, instance| {
            text.replace(&format!(":{}", instance.port), ":PORT")
        });
        text.lines().map(fold).collect()
    }
}

/// Columns of a snapshot.
const WIDTH: usize = 84;

/// Folds a long line so that it fits this page.
pub(crate) fn fold(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line.to_owned());
    while rest.len() > WIDTH {
        let cut = rest[..WIDTH].rfind(' ').unwrap();
        out.push_str(&rest[..cut]);
        out.push('\n');
        rest = format!("      > {}", &rest[cut + 1..]);
    }
    out + &rest + "\n"
}

pub(crate) fn volume(device: &Path) -> PathBuf {
    let entries = fs::read_dir(device).unwrap_or_else(|e| panic!("{}: {e}", device.display()));
    let mut folders = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir());
    folders.next().unwrap()
}
