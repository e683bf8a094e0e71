//! Two hosts with a SQL Server each, partners of one mirroring session, and an agent on each.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use twinset_tests::lab::child::ServedLab;

use crate::support::{Ran, Running, built};

/// Password of the agents' login.
const PASSWORD: &str = "Kein-Wort-davon-4711";
/// Identity of the session.
const SESSION: &str = "6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55";

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    A,
    B,
}

impl Side {
    /// The agent and the instance, as the configuration names them.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::A => "sql-a",
            Self::B => "sql-b",
        }
    }

    /// The server's own name.
    pub(crate) const fn server(self) -> &'static str {
        match self {
            Self::A => "SQL-A",
            Self::B => "SQL-B",
        }
    }
}

/// How a pair is set up.
pub(crate) struct Setup {
    /// Lines of the group's `[failover]`.
    pub(crate) failover: &'static str,
    /// Lines of the group's `[group]`.
    pub(crate) group: &'static str,
    /// More tables of the group.
    pub(crate) tables: &'static str,
    /// The databases are in a session.
    pub(crate) mirrored: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            failover: "poll = \"1s\"\ncheck_delay = \"0s\"",
            group: "",
            tables: "",
            mirrored: true,
        }
    }
}

/// Two hosts; gone when dropped.
pub(crate) struct Pair {
    folder: TempDir,
    pub(crate) lab: ServedLab,
}

impl Pair {
    /// Both agents configured, their media sets formatted, no service running.
    pub(crate) fn formatted(setup: &Setup) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("twinset-pair.")
            .tempdir()
            .unwrap();
        let path = folder.path();
        fs::write(path.join("scene.toml"), scene(setup.mirrored)).unwrap();
        let program = built("twinset-lab");
        let lab = ServedLab::start(&program, &path.join("scene.toml"), &path.join("lab")).unwrap();
        let pair = Self { folder, lab };
        for side in [Side::A, Side::B] {
            pair.configure(side, setup);
            for set in ["payroll", "payroll-log"] {
                pair.json(side, &["media", "format", set]).ended(0);
            }
        }
        pair
    }

    /// The folder of one agent.
    pub(crate) fn host(&self, side: Side) -> PathBuf {
        self.folder.path().join(side.name())
    }

    /// Where the group's file of one agent lies.
    pub(crate) fn group_file(&self, side: Side) -> PathBuf {
        self.host(side).join("groups.d/payroll.toml")
    }

    fn configure(&self, side: Side, setup: &Setup) {
        let host = self.host(side);
        fs::create_dir_all(host.join("groups.d")).unwrap();
        let password = self.folder.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
        let mut text = format!(
            "[agent]\nname = {:?}\nserves = [{:?}]\nstate_dir = \"state\"\n\
             [plugins.disk]\npath = {:?}\n",
            side.name(),
            side.name(),
            built("libtwinset_disk.so")
        );
        for (other, listening) in [Side::A, Side::B].iter().zip(&self.lab.instances) {
            write!(
                text,
                "[instances.{}]\nhost = \"localhost\"\nport = {}\nauth = \"sql\"\n\
                 user = \"twinset\"\npassword_file = {password:?}\nvdi_library = {:?}\n\
                 ca_file = {:?}\nconnect_timeout = \"5s\"\nconnect_retry = \"0s\"\n",
                other.name(),
                listening.port,
                built("libsqlvdi.so"),
                listening.ca_file
            )
            .unwrap();
        }
        let media = self.folder.path().join("media");
        for set in ["payroll", "payroll-log"] {
            writeln!(
                text,
                "[media_sets.{set}]\nname = \"{set} media\"\nfamilies = 1"
            )
            .unwrap();
            for mirror in ["m1", "m2"] {
                let path = media.join("{agent}").join(set).join(mirror);
                writeln!(
                    text,
                    "[[media_sets.{set}.mirrors]]\ndevices = [{{ plugin = \"disk\", options = {{ \
                     path = {path:?} }} }}]"
                )
                .unwrap();
            }
        }
        fs::write(host.join("agent.toml"), text).unwrap();
        fs::write(self.group_file(side), group_text(setup)).unwrap();
    }

    /// Runs a verb of one agent to its end.
    pub(crate) fn json(&self, side: Side, line: &[&str]) -> Ran {
        self.start(side, line).end()
    }

    /// Starts a verb of one agent.
    pub(crate) fn start(&self, side: Side, line: &[&str]) -> Running {
        let host = self.host(side);
        let config = host.join("agent.toml");
        let config = config.to_str().unwrap();
        let head = ["--config", config, "--json", "--log-level", "info"];
        Running::start(&built("twinset"), &[&head[..], line].concat(), &host)
    }

    /// Starts the service of one agent.
    pub(crate) fn serve(&self, side: Side) -> Running {
        let mut service = self.start(side, &["run"]);
        assert!(service.says("the service runs"));
        service
    }

    /// The sets of an agent's media set, as kinds.
    #[track_caller]
    pub(crate) fn kinds(&self, side: Side, set: &str) -> Vec<String> {
        let shown = self.json(side, &["media", "show", set]).ended(0).result();
        let kind = |set: &Value| set["kind"].as_str().unwrap().to_owned();
        shown["sets"].as_array().unwrap().iter().map(kind).collect()
    }

    /// An order to one of the instances.
    #[track_caller]
    pub(crate) fn order(&mut self, side: Side, mut order: Value) -> Value {
        order["instance"] = side.server().into();
        self.lab.order(&order).unwrap()
    }

    /// The roles switch as by `SET PARTNER FAILOVER`.
    #[track_caller]
    pub(crate) fn fail_over(&mut self, principal: Side) {
        self.order(principal, json!({ "failover": "Payroll" }));
    }

    /// Somebody writes to the database.
    #[track_caller]
    pub(crate) fn write(&mut self, principal: Side, note: &str) {
        self.order(principal, json!({ "database": "Payroll", "write": [note] }));
    }
}

/// What a group's file says.
pub(crate) fn group_text(setup: &Setup) -> String {
    format!(
        "[group]\nname = \"payroll\"\npartners = [\"sql-a\", \"sql-b\"]\n\
         databases = [\"Payroll\"]\nmedia_set = \"payroll\"\nlog_media_set = \"payroll-log\"\n\
         source = \"vdi\"\n{}\n[failover]\n{}\n{}\n",
        setup.group, setup.failover, setup.tables
    )
}

fn scene(mirrored: bool) -> String {
    let mut text = String::new();
    for (seed, side) in [(1, Side::A), (2, Side::B)] {
        let (role, other) = match side {
            Side::A => ("principal", Side::B),
            Side::B => ("mirror", Side::A),
        };
        write!(
            text,
            "[[instances]]\nname = {:?}\nseed = {seed}\n[[instances.logins]]\nname = \"twinset\"\n\
             password = {PASSWORD:?}\nsysadmin = true\n",
            side.server()
        )
        .unwrap();
        if !mirrored && side == Side::B {
            continue;
        }
        text.push_str("[[instances.databases]]\nname = \"Payroll\"\nsize = 1048576\n");
        if mirrored {
            write!(
                text,
                "[instances.databases.mirroring]\nguid = {SESSION:?}\nrole = {role:?}\n\
                 partner_address = \"TCP://{}:5022\"\npartner_instance = {:?}\n",
                other.name(),
                other.server()
            )
            .unwrap();
        }
    }
    text
}
