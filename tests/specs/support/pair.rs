//! Two hosts with a SQL Server each, partners of one mirroring session, and an agent on each.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use twinset_tests::lab::child::ServedLab;

use super::program::{Ran, Running, built};
use super::sections;
use crate::front::PASSWORD;

/// Identity of the session.
pub(crate) const GUID: &str = "6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55";

/// How two hosts are set up.
#[derive(Clone)]
pub(crate) struct Setup {
    /// Server names.
    pub(crate) servers: [&'static str; 2],
    /// Addresses of the partners, as their sessions name them.
    pub(crate) addresses: [&'static str; 2],
    pub(crate) witness: bool,
    /// Login of the agents on each server.
    pub(crate) users: [&'static str; 2],
    /// Lines for the group's file.
    pub(crate) group: &'static str,
    /// Lines for the group's `[group]` table.
    pub(crate) how: &'static str,
    /// The databases are in a session; else the first server alone has one.
    pub(crate) mirrored: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            servers: ["SQL-A", "SQL-B"],
            addresses: ["TCP://sql-a:5022", "TCP://sql-b:5022"],
            witness: false,
            users: ["twinset", "twinset"],
            group: "",
            how: "",
            mirrored: true,
        }
    }
}

impl Setup {
    /// What the group's file says.
    pub(crate) fn group_text(&self) -> String {
        format!(
            "[group]\nname = \"payroll\"\npartners = [\"sql-a\", \"sql-b\"]\n\
             databases = [\"Payroll\"]\nmedia_set = \"payroll\"\n{}\n{}",
            self.how, self.group
        )
    }
}

/// Two hosts with their agents, over one session.
pub(crate) struct Pair {
    pub(crate) folder: TempDir,
    pub(crate) lab: ServedLab,
    pub(crate) servers: [&'static str; 2],
}

/// The agent of a host, by the name of its instance.
pub(crate) const A: &str = "sql-a";
pub(crate) const B: &str = "sql-b";

impl Pair {
    pub(crate) fn of(setup: &Setup) -> Self {
        let folder = tempfile::Builder::new().prefix("twinset-spec.").tempdir();
        let folder = folder.unwrap();
        let path = folder.path();
        fs::write(path.join("scene.toml"), scene(setup)).unwrap();
        let program = built("twinset-lab");
        let lab = ServedLab::start(&program, &path.join("scene.toml"), &path.join("lab")).unwrap();
        fs::write(path.join("password"), PASSWORD).unwrap();
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(path.join("password"), private).unwrap();
        fs::create_dir(path.join("groups.d")).unwrap();
        fs::create_dir(path.join("staged")).unwrap();
        fs::write(path.join("groups.d/payroll.toml"), setup.group_text()).unwrap();
        let pair = Self {
            folder,
            lab,
            servers: setup.servers,
        };
        for agent in [A, B] {
            let text = pair.config(agent, setup);
            fs::write(pair.config_file(agent), text).unwrap();
            pair.json(agent, &["media", "format", "payroll"]).ended(0);
        }
        pair
    }

    pub(crate) fn start() -> Self {
        Self::of(&Setup::default())
    }

    fn config(&self, agent: &str, setup: &Setup) -> String {
        let instance = |at: usize, name: &str| {
            let listening = &self.lab.instances[at];
            format!(
                "[instances.{name}]\nhost = \"localhost\"\nport = {}\nauth = \"sql\"\n\
                 user = {:?}\npassword_file = \"password\"\nca_file = {:?}\n\
                 connect_retry = \"0s\"\nvdi_library = {:?}\n",
                listening.port,
                setup.users[at],
                listening.ca_file,
                built("libsqlvdi.so")
            )
        };
        format!(
            "[agent]\nname = {agent:?}\nserves = [{agent:?}]\nstate_dir = \"state-{agent}\"\n\
             [plugins.disk]\npath = {:?}\n{}{}\
             [media_sets.payroll]\nname = \"Payroll media\"\nfamilies = 1\n\
             [[media_sets.payroll.mirrors]]\n\
             devices = [{{ plugin = \"disk\", options = {{ path = \"{{agent}}/m1\" }} }}]\n\
             [[media_sets.payroll.mirrors]]\n\
             devices = [{{ plugin = \"disk\", options = {{ path = \"{{agent}}/m2\" }} }}]\n",
            built("libtwinset_disk.so"),
            instance(0, A),
            instance(1, B)
        )
    }

    /// The configuration of an agent.
    pub(crate) fn config_file(&self, agent: &str) -> PathBuf {
        self.path().join(format!("{agent}.toml"))
    }

    /// The group's file, which both agents read.
    pub(crate) fn group_file(&self) -> PathBuf {
        self.path().join("groups.d/payroll.toml")
    }

    /// The folder of both.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a verb of an agent.
    fn begin(&self, agent: &str, form: &[&str], args: &[&str]) -> Running {
        let config = format!("{agent}.toml");
        let line = [&["--config", &config][..], form, args].concat();
        Running::start(&built("twinset"), &line, self.path())
    }

    /// Starts the service of an agent.
    pub(crate) fn serve(&self, agent: &str) -> Running {
        let mut service = self.begin(agent, &["--json", "--log-level", "info"], &["run"]);
        assert!(service.says("the service runs"));
        service
    }

    /// Runs a verb of an agent to its end.
    pub(crate) fn run_as(&self, agent: &str, form: &[&str], args: &[&str]) -> Ran {
        self.begin(agent, form, args).end()
    }

    pub(crate) fn json(&self, agent: &str, args: &[&str]) -> Ran {
        self.run_as(agent, &["--json", "--no-progress"], args)
    }

    /// `twinset backup payroll --kind KIND` by an agent.
    pub(crate) fn take(&self, agent: &str, kind: &str, more: &[&str]) -> Ran {
        let line = [&["backup", "payroll", "--kind", kind], more].concat();
        self.json(agent, &line)
    }

    /// An order to the lab, to an agent's server.
    #[track_caller]
    pub(crate) fn order(&mut self, agent: &str, mut order: Value) -> Value {
        order["instance"] = self.servers[usize::from(agent == B)].into();
        self.lab.order(&order).unwrap()
    }

    #[track_caller]
    pub(crate) fn links(&mut self, agent: &str, links: Value) {
        let session = json!({ "database": "Payroll", "links": links });
        self.order(agent, json!({ "session": session }));
    }

    #[track_caller]
    pub(crate) fn fail_over(&mut self, agent: &str) {
        self.order(agent, json!({ "failover": "Payroll" }));
    }

    /// The next backup on an agent's server meets this.
    #[track_caller]
    pub(crate) fn struck(&mut self, agent: &str, switch: Value, ends: &str) {
        let knobs = json!({ "switch": switch, "switch_ends": ends });
        self.order(agent, json!({ "faults": { "mirroring": knobs } }));
    }

    #[track_caller]
    pub(crate) fn calm(&mut self) {
        for agent in [A, B] {
            self.order(agent, json!({ "faults": {} }));
        }
    }

    #[track_caller]
    pub(crate) fn write(&mut self, agent: &str, note: &str) {
        self.order(agent, json!({ "database": "Payroll", "write": [note] }));
    }

    /// How Payroll stands on an agent's server.
    pub(crate) fn told(&mut self, agent: &str) -> Value {
        let mut told = self.order(agent, json!({ "database": "Payroll" }));
        told["database"].take()
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
}

pub(crate) fn volume(device: &Path) -> PathBuf {
    let entries = fs::read_dir(device).unwrap_or_else(|e| panic!("{}: {e}", device.display()));
    let mut folders = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir());
    folders.next().unwrap()
}

fn scene(setup: &Setup) -> String {
    let witness = match setup.witness {
        true => "witness = \"TCP://sql-w:5022\"\n",
        false => "",
    };
    let server = |at: usize| {
        format!(
            "[[instances]]\nname = {:?}\nseed = {at}\nmirroring_port = {}\nlogins = [\n\
             {{ name = \"twinset\", password = {PASSWORD:?}, sysadmin = true }},\n\
             {{ name = \"reader\", password = {PASSWORD:?} }},\n]\n",
            setup.servers[at],
            5022 + at
        )
    };
    let database = "[[instances.databases]]\nname = \"Payroll\"\nsize = 2097152\n";
    let instance = |at: usize, role: &str| {
        let head = server(at);
        format!(
            "{head}{database}[instances.databases.mirroring]\nguid = {GUID:?}\nrole = {role:?}\n\
             partner_address = {:?}\npartner_instance = {:?}\n{witness}",
            setup.addresses[1 - at],
            setup.servers[1 - at]
        )
    };
    let third = "[[instances]]\nname = \"SQL-W\"\n";
    if !setup.mirrored {
        return format!("{}{database}{}{third}", server(0), server(1));
    }
    format!(
        "{}{}{third}",
        instance(0, "principal"),
        instance(1, "mirror")
    )
}
