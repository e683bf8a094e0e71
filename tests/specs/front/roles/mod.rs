//! Two partners, each with its agent: who takes a backup, and what becomes of it when the roles move
//! (design 7.2, rows 8 and 11 to 15).

mod before;
mod chain;
mod during;
mod words;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use twinset_tests::lab::child::ServedLab;

use super::PASSWORD;
use crate::support::Running;
use crate::support::{Ran, built, sections};

const GUID: &str = "6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55";

/// How two hosts are set up.
#[derive(Clone)]
struct Setup {
    /// Server names.
    servers: [&'static str; 2],
    /// Addresses of the partners, as their sessions name them.
    addresses: [&'static str; 2],
    witness: bool,
    /// Login of the agents on each server.
    users: [&'static str; 2],
    /// Lines for the group's file.
    group: &'static str,
    /// Lines for the group's `[group]` table.
    how: &'static str,
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
        }
    }
}

/// Two hosts with their agents, over one session.
struct Pair {
    folder: TempDir,
    lab: ServedLab,
    servers: [&'static str; 2],
}

/// The agent of a host, by the name of its instance.
const A: &str = "sql-a";
const B: &str = "sql-b";

impl Pair {
    fn of(setup: &Setup) -> Self {
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
        let group = format!(
            "[group]\nname = \"payroll\"\npartners = [\"sql-a\", \"sql-b\"]\n\
             databases = [\"Payroll\"]\nmedia_set = \"payroll\"\n{}\n{}",
            setup.how, setup.group
        );
        fs::write(path.join("groups.d/payroll.toml"), group).unwrap();
        let pair = Self {
            folder,
            lab,
            servers: setup.servers,
        };
        for agent in [A, B] {
            let text = pair.config(agent, setup);
            fs::write(pair.folder.path().join(format!("{agent}.toml")), text).unwrap();
            pair.json(agent, &["media", "format", "payroll"]).ended(0);
        }
        pair
    }

    fn start() -> Self {
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

    fn run_as(&self, agent: &str, form: &[&str], args: &[&str]) -> Ran {
        let config = format!("{agent}.toml");
        let line = [&["--config", &config][..], form, args].concat();
        Running::start(&built("twinset"), &line, self.folder.path()).end()
    }

    fn json(&self, agent: &str, args: &[&str]) -> Ran {
        self.run_as(agent, &["--json", "--no-progress"], args)
    }

    /// `twinset backup payroll --kind KIND` by an agent.
    fn take(&self, agent: &str, kind: &str, more: &[&str]) -> Ran {
        let line = [&["backup", "payroll", "--kind", kind], more].concat();
        self.json(agent, &line)
    }

    /// An order to the lab, to an agent's server.
    #[track_caller]
    fn order(&mut self, agent: &str, mut order: Value) -> Value {
        order["instance"] = self.servers[usize::from(agent == B)].into();
        self.lab.order(&order).unwrap()
    }

    #[track_caller]
    fn links(&mut self, agent: &str, links: Value) {
        let session = json!({ "database": "Payroll", "links": links });
        self.order(agent, json!({ "session": session }));
    }

    #[track_caller]
    fn fail_over(&mut self, agent: &str) {
        self.order(agent, json!({ "failover": "Payroll" }));
    }

    /// The next backup on an agent's server meets this.
    #[track_caller]
    fn struck(&mut self, agent: &str, switch: Value, ends: &str) {
        let knobs = json!({ "switch": switch, "switch_ends": ends });
        self.order(agent, json!({ "faults": { "mirroring": knobs } }));
    }

    #[track_caller]
    fn calm(&mut self) {
        for agent in [A, B] {
            self.order(agent, json!({ "faults": {} }));
        }
    }

    #[track_caller]
    fn write(&mut self, agent: &str, note: &str) {
        self.order(agent, json!({ "database": "Payroll", "write": [note] }));
    }

    /// How Payroll stands on an agent's server.
    fn told(&mut self, agent: &str) -> Value {
        let mut told = self.order(agent, json!({ "database": "Payroll" }));
        told["database"].take()
    }

    /// Sets on an agent's media: kind and state.
    #[track_caller]
    fn sets(&self, agent: &str, media_set: &str) -> Vec<String> {
        let shown = self
            .json(agent, &["media", "show", media_set])
            .ended(0)
            .result();
        let sets = shown["sets"].as_array().unwrap().iter();
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        sets.map(|set| format!("{} {}", word(&set["kind"]), word(&set["state"])))
            .collect()
    }

    /// The names of all sections on the volumes of an agent's media set.
    fn on_media(&self, agent: &str, suffix: &str) -> Vec<Vec<String>> {
        [1, 2]
            .map(|mirror| {
                let device = self
                    .folder
                    .path()
                    .join(format!("{agent}{suffix}/m{mirror}"));
                sections(&volume(&device))
            })
            .to_vec()
    }
}

fn volume(device: &std::path::Path) -> PathBuf {
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
    let instance = |at: usize, role: &str| {
        format!(
            "[[instances]]\nname = {:?}\nseed = {at}\nmirroring_port = {}\nlogins = [\n\
             {{ name = \"twinset\", password = {PASSWORD:?}, sysadmin = true }},\n\
             {{ name = \"reader\", password = {PASSWORD:?} }},\n]\n\
             [[instances.databases]]\nname = \"Payroll\"\nsize = 2097152\n\
             [instances.databases.mirroring]\nguid = {GUID:?}\nrole = {role:?}\n\
             partner_address = {:?}\npartner_instance = {:?}\n{witness}",
            setup.servers[at],
            5022 + at,
            setup.addresses[1 - at],
            setup.servers[1 - at]
        )
    };
    let third = "[[instances]]\nname = \"SQL-W\"\n";
    format!(
        "{}{}{third}",
        instance(0, "principal"),
        instance(1, "mirror")
    )
}
