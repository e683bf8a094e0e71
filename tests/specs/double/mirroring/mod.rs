//! Mirroring sessions between two instances: roles, quorum, what travels and what stays.

mod backups;
mod catalogue;
mod establish;
mod forced;
mod quorum;
mod roles;
mod statements;

use serde_json::{Value, json};
use tempfile::TempDir;
use twinset_tests::instance::Instance;
use twinset_tests::instance::faults::Faults;
use twinset_tests::lab::{Lab, Scene, orders};

use super::sql::Sql;

const WITNESS: &str = "witness = \"TCP://sql-w:5022\"";

const SCENE: &str = r#"
[[instances]]
name = "SQL-A"
encryption = "not-supported"
seed = 1
logins = [
    { name = "twinset", password = "Secret-1", sysadmin = true },
    { name = "reader", password = "Reader-1" },
]
[[instances.databases]]
name = "Payroll"
size = 65536
log_limit = 3
[instances.databases.mirroring]
guid = "6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55"
role = "principal"
partner_address = "TCP://sql-b:5022"
partner_instance = "SQL-B"
WITNESS
[[instances.databases]]
name = "Simple"
recovery = "SIMPLE"
size = 65536
[[instances.databases]]
name = "Ledger"
size = 65536
[[instances]]
name = "SQL-B"
encryption = "not-supported"
seed = 2
logins = [
    { name = "twinset", password = "Secret-1", sysadmin = true },
    { name = "reader", password = "Reader-1" },
]
[[instances.databases]]
name = "Payroll"
size = 65536
log_limit = 3
[instances.databases.mirroring]
guid = "6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55"
role = "mirror"
partner_address = "TCP://sql-a:5022"
partner_instance = "SQL-A"
WITNESS
[[instances]]
name = "SQL-W"
encryption = "not-supported"
seed = 3
logins = [{ name = "twinset", password = "Secret-1", sysadmin = true }]
"#;

const A: usize = 0;
const B: usize = 1;
const W: usize = 2;

/// Two partners of a session over Payroll, and a third instance that may be its witness.
struct Partners {
    lab: Lab,
    _folder: TempDir,
}

impl Partners {
    fn of(witness: &str) -> Self {
        let scene: Scene = toml::from_str(&SCENE.replace("WITNESS", witness)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab::start(&scene, folder.path()).unwrap();
        Self {
            lab,
            _folder: folder,
        }
    }

    fn start() -> Self {
        Self::of("")
    }

    fn witnessed() -> Self {
        Self::of(WITNESS)
    }

    fn sql(&self, at: usize) -> Sql {
        Sql::login(self.lab.instances[at].port, "twinset", "Secret-1")
    }

    fn instance(&self, at: usize) -> &Instance {
        &self.lab.instances[at].instance
    }

    /// An order, as a caller of `twinset-lab serve` gives it.
    fn try_order(&self, at: usize, mut order: Value) -> Result<Value, String> {
        order["instance"] = self.lab.instances[at].name.as_str().into();
        let mut out = Vec::new();
        let line = format!("{order}\n");
        orders::serve(&self.lab, &mut line.as_bytes(), &mut out).unwrap();
        let answer: Value = serde_json::from_slice(&out).unwrap();
        match answer["error"].as_str() {
            Some(why) => Err(why.to_owned()),
            None => Ok(answer),
        }
    }

    #[track_caller]
    fn order(&self, at: usize, order: Value) -> Value {
        self.try_order(at, order).unwrap()
    }

    #[track_caller]
    fn links(&self, at: usize, links: Value) {
        self.order(
            at,
            json!({ "session": { "database": "Payroll", "links": links } }),
        );
    }

    /// Role, state and role sequence of Payroll, as an instance's catalogue has them.
    #[track_caller]
    fn seen(&self, at: usize) -> String {
        let query = "SELECT mirroring_role_desc, mirroring_state_desc, mirroring_role_sequence \
                     FROM sys.database_mirroring m JOIN sys.databases d ON \
                     d.database_id = m.database_id WHERE d.name = 'Payroll'";
        self.sql(at).rows(query).concat().join(" ")
    }

    /// The numbers in an instance's error log.
    fn errors(&self, at: usize) -> Vec<i32> {
        self.instance(at).state().errorlog.numbers()
    }

    fn turn(&self, at: usize, change: impl FnOnce(&mut Faults)) {
        let mut faults = Faults::default();
        change(&mut faults);
        self.instance(at).set_faults(faults);
    }
}

/// The number that opening Payroll is refused with.
fn opening(sql: &mut Sql) -> Vec<i32> {
    let numbers = sql.numbers("USE Payroll");
    sql.numbers("USE master");
    numbers
}
