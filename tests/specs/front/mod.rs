//! The SQL path through the front door: the real `twinset` with real plugin files against a double
//! of SQL Server in a process of its own.

mod backup;
mod bad_sql;
mod between;
mod blocks;
mod chain;
mod chain_messages;
mod crash;
mod facts;
mod hostile;
mod instance;
mod kinds;
mod knobs;
mod lost;
pub(crate) mod messages;
mod named;
mod native;
mod orphans;
mod replacing;
mod restore;
mod roles;
mod secrets;
mod throttle;
mod unconfirmed;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twinset::sqlserver::{
    Auth, Connector, Endpoint, InstanceSettings, Purpose, Secret, StatementEnd,
};
use twinset_tests::lab::child::ServedLab;

use crate::support::{Ran, World, built, sections};

/// Password of the login that takes backups; it must never be seen anywhere.
pub(crate) use twinset_tests::hosts::PASSWORD;
/// Name of the instance that the agent serves.
pub(crate) const SERVER: &str = "SQL-A";

/// How long a server may take to see that a client is gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a host is set up.
pub(crate) struct Setup {
    pub(crate) families: u16,
    pub(crate) mirrors: u8,
    /// Lines for the instance in the scene.
    pub(crate) server: String,
    /// Databases of the scene.
    pub(crate) databases: String,
    /// The group's databases.
    pub(crate) names: Vec<&'static str>,
    /// Lines for the group's `[backup]` table.
    pub(crate) backup: &'static str,
    /// More lines for the group.
    pub(crate) group: &'static str,
    /// Server name of the instance.
    pub(crate) name: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            families: 1,
            mirrors: 2,
            server: String::new(),
            databases: database("Payroll", 4 << 20),
            names: vec!["Payroll"],
            backup: "",
            group: "",
            name: SERVER,
        }
    }
}

/// A database of the scene with generated data.
pub(crate) fn database(name: &str, bytes: u64) -> String {
    format!("[[instances.databases]]\nname = {name:?}\nsize = {bytes}\n")
}

/// How the agent reaches the instance.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The instance is named, and its port asked for.
    pub(crate) named: Option<&'static str>,
    pub(crate) user: String,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) vdi_library: PathBuf,
    /// More lines for `[instances.sql-a]`.
    pub(crate) more: String,
}

impl Client {
    /// Ends `[agent]` and adds the instance.
    fn text(&self) -> String {
        let endpoint = match self.named {
            Some(instance) => format!("instance = {instance:?}"),
            None => format!("port = {}", self.port),
        };
        let mut text = format!(
            "serves = [\"sql-a\"]\n[instances.sql-a]\nhost = {:?}\n{}\nauth = \"sql\"\n\
             user = {:?}\npassword_file = \"password\"\nvdi_library = {:?}\n{}\n",
            self.host, endpoint, self.user, self.vdi_library, self.more
        );
        if let Some(path) = &self.ca_file {
            writeln!(text, "ca_file = {path:?}").unwrap();
        }
        text
    }
}

/// A host with a SQL Server.
pub(crate) struct Host {
    pub(crate) world: World,
    pub(crate) lab: ServedLab,
    pub(crate) client: Client,
}

impl Host {
    /// A host whose media set is formatted.
    pub(crate) fn formatted(setup: &Setup) -> Self {
        let host = Self::blank(setup);
        host.world.json(&["media", "format", "payroll"]).ended(0);
        host
    }

    /// The usual host: one family, two mirrors, database Payroll.
    pub(crate) fn usual() -> Self {
        Self::formatted(&Setup::default())
    }

    /// A host whose media set was never formatted.
    pub(crate) fn blank(setup: &Setup) -> Self {
        let world = World::blank(setup.families, setup.mirrors);
        let folder = world.path().to_owned();
        let scene = format!(
            "[[instances]]\nname = {:?}\n{}\n\
             [[instances.logins]]\nname = \"twinset\"\npassword = {PASSWORD:?}\nsysadmin = true\n\
             [[instances.logins]]\nname = \"reader\"\npassword = {PASSWORD:?}\n{}",
            setup.name, setup.server, setup.databases
        );
        fs::write(folder.join("scene.toml"), scene).unwrap();
        let program = built("twinset-lab");
        let lab = ServedLab::start(&program, &folder.join("scene.toml"), &folder.join("lab"));
        let lab = lab.unwrap();
        let client = Client {
            host: "localhost".into(),
            port: lab.instances[0].port,
            named: None,
            user: "twinset".into(),
            ca_file: Some(lab.instances[0].ca_file.clone()),
            vdi_library: built("libsqlvdi.so"),
            more: String::new(),
        };
        let group = format!(
            "[group]\nname = \"payroll\"\npartners = [\"sql-a\"]\ndatabases = {}\n\
             media_set = \"payroll\"\nsource = \"vdi\"\n{}[backup]\n{}\n",
            serde_json::to_string(&setup.names).unwrap(),
            setup.group,
            setup.backup
        );
        fs::create_dir(folder.join("groups.d")).unwrap();
        fs::write(folder.join("groups.d/payroll.toml"), group).unwrap();
        fs::write(folder.join("password"), PASSWORD).unwrap();
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(folder.join("password"), private).unwrap();
        let mut host = Self { world, lab, client };
        host.reach(|_| {});
        host
    }

    /// Changes how the agent reaches the instance.
    pub(crate) fn reach(&mut self, change: impl FnOnce(&mut Client)) {
        change(&mut self.client);
        let text = self.client.text();
        self.world.configure(|media| media.extra = text);
    }

    /// The instance goes wrong like this from now on.
    pub(crate) fn turn(&mut self, faults: &Value) {
        self.lab.turn(SERVER, faults).unwrap();
    }

    /// Somebody else's statement runs on the instance, without an error.
    #[track_caller]
    pub(crate) fn foreign(&self, sql: &str) {
        let auth = Auth::Sql {
            user: self.client.user.clone(),
            password: Secret::new(PASSWORD),
        };
        let endpoint = Endpoint::Port(self.client.port);
        let mut settings = InstanceSettings::new("other", &self.client.host, endpoint, auth);
        settings.ca_file.clone_from(&self.client.ca_file);
        let session = Connector::new(settings, "other").open(Purpose::Work);
        let running = session.unwrap().start(sql).unwrap();
        assert_eq!(running.wait(PATIENCE), Some(StatementEnd::Ok), "{sql}");
    }

    /// The same of a database, as an order to the lab.
    #[track_caller]
    pub(crate) fn unsettle(&mut self, database: &str, how: &Value) {
        let mut order = json!({ "instance": SERVER, "database": database });
        for (key, value) in how.as_object().unwrap() {
            order[key] = value.clone();
        }
        self.lab.order(&order).unwrap();
    }

    /// How a database stands on the instance.
    pub(crate) fn told(&mut self, database: &str) -> Value {
        self.lab.database(SERVER, database).unwrap()
    }

    /// `twinset backup payroll`.
    pub(crate) fn backup(&self) -> Ran {
        self.world.json(&["backup", "payroll"])
    }

    /// `twinset backup payroll --kind KIND` with more arguments.
    pub(crate) fn take(&self, kind: &str, more: &[&str]) -> Ran {
        let line = [&["backup", "payroll", "--kind", kind], more].concat();
        self.world.json(&line)
    }

    /// The sets of a media set, as `media show` lists them.
    #[track_caller]
    pub(crate) fn sets_of(&self, media_set: &str) -> Vec<Value> {
        let shown = self.world.json(&["media", "show", media_set]);
        let shown = shown.ended(0).result();
        shown["sets"].as_array().unwrap().clone()
    }

    /// `twinset restore run Payroll` under a new name.
    pub(crate) fn restore(&self, name: &str) -> Ran {
        self.restore_of("Payroll", name, &[])
    }

    /// The same of any database, with more arguments.
    pub(crate) fn restore_of(&self, database: &str, name: &str, more: &[&str]) -> Ran {
        let line = [
            "restore", "run", database, "--group", "payroll", "--as", name,
        ];
        self.world
            .json(&[&line[..], &["--on", "sql-a"], more].concat())
    }

    /// `media recover`.
    pub(crate) fn recover(&self) -> Ran {
        self.world.json(&["media", "recover", "payroll"])
    }

    /// Nothing but headers lies on any volume.
    #[track_caller]
    pub(crate) fn media_are_clean(&self) {
        for (mirror, family, volume) in self.world.volumes() {
            let names = sections(&volume);
            assert_eq!(
                names,
                ["0000.header.mtf"],
                "mirror {mirror}, family {family}"
            );
        }
    }

    /// Waits until nobody works on the database any more; a server that notices nothing hangs.
    #[track_caller]
    pub(crate) fn quiet(&mut self, database: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let told = self.told(database);
            if told["busy"] == false && told["working_sessions"] == 0 {
                return told;
            }
            assert!(Instant::now() < until, "the server hangs: {told}");
            std::thread::yield_now();
        }
    }

    /// The server believes that no backup was taken: nothing recorded, nothing released, nobody
    /// still at work.
    #[track_caller]
    pub(crate) fn server_has_no_backup(&mut self, database: &str) {
        let told = self.quiet(database);
        assert_eq!(told["backups"], json!([]), "{told}");
        assert_eq!(told["differential_base"], Value::Null, "{told}");
        assert_eq!(told["last_log_backup"], Value::Null, "{told}");
        assert_eq!(told["truncated_to"], Value::Null, "{told}");
    }

    /// The set at a position restores exactly: SQL Server compares what it gets with what it sent.
    #[track_caller]
    pub(crate) fn restores(&mut self, database: &str, position: u64, name: &str) -> Value {
        let position = position.to_string();
        let ran = self.restore_of(database, name, &["--position", &position]);
        let result = ran.ended(0).result();
        assert_eq!(self.told(name)["state"], "ONLINE");
        result
    }
}

/// Numbers that SQL Server says last, or beside the cause: never the cause itself.
const CONSEQUENCES: [&str; 3] = ["3013", "3041", "995"];

/// The fault names a cause, not its consequences.
#[track_caller]
pub(crate) fn names_the_cause(fault: &Value) {
    let (code, message) = (
        fault["code"].as_str().unwrap(),
        fault["message"].as_str().unwrap(),
    );
    for number in CONSEQUENCES {
        assert_ne!(code, number, "{fault}");
        let stated = format!("SQL Server error {number}:");
        assert!(!message.starts_with(&stated), "{fault}");
    }
}

/// `[instances.databases]` of one side of a mirroring session.
pub(crate) fn mirrored(name: &str, role: &str) -> String {
    format!(
        "{}[instances.databases.mirroring]\nguid = \"6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55\"\n\
         role = {role:?}\npartner_address = \"TCP://sql-b:5022\"\npartner_instance = \"SQL-B\"\n",
        database(name, 1 << 20)
    )
}
