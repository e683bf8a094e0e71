//! Availability groups of the double: roles, what travels, what a secondary backs up, who sees what.

use serde_json::{Value, json};
use tempfile::TempDir;
use twinset_tests::lab::{Lab, Scene, orders};

use super::sql::Sql;

const SCENE: &str = r#"
GROUPS
[[instances]]
name = "SQL-A"
INSTANCE
seed = 1
[[instances]]
name = "SQL-B"
INSTANCE
seed = 2
[[instances]]
name = "SQL-C"
INSTANCE
seed = 3
"#;

const GROUPS: &str = r#"
[[groups]]
name = "ag"
id = "0d6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7000"
databases = ["Payroll"]
replicas = [
    { instance = "SQL-A", automatic = true },
    { instance = "SQL-B", automatic = true, priority = 60 },
    { instance = "SQL-C", synchronous = false, priority = 70 },
]
"#;

const INSTANCE: &str = r#"
encryption = "not-supported"
logins = [
    { name = "twinset", password = "Secret-1", sysadmin = true },
    { name = "reader", password = "Reader-1" },
    { name = "definer", password = "Definer-1", view_any_definition = true },
]
databases = [{ name = "Payroll", size = 65536 }, { name = "Alone", size = 65536 }]
"#;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// A group of three replicas over Payroll.
struct Group {
    lab: Lab,
    _folder: TempDir,
}

impl Group {
    fn with(more: &str) -> Self {
        let text = SCENE
            .replace("GROUPS", &format!("{GROUPS}{more}"))
            .replace("INSTANCE", INSTANCE);
        let scene: Scene = toml::from_str(&text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab::start(&scene, folder.path()).unwrap();
        Self {
            lab,
            _folder: folder,
        }
    }

    fn start() -> Self {
        Self::with("")
    }

    fn sql(&self, at: usize) -> Sql {
        Sql::login(self.lab.instances[at].port, "twinset", "Secret-1")
    }

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
    fn group(&self, at: usize, mut order: Value) {
        order["name"] = "ag".into();
        self.try_order(at, json!({ "group": order })).unwrap();
    }

    /// Its own role, its database's synchronization, and the primary, as a replica tells them.
    fn seen(&self, at: usize) -> String {
        let query = "SELECT rs.role_desc, ds.synchronization_state_desc, gs.primary_replica \
                     FROM sys.dm_hadr_availability_replica_states rs \
                     JOIN sys.dm_hadr_database_replica_states ds \
                       ON ds.replica_id = rs.replica_id \
                     JOIN sys.dm_hadr_availability_group_states gs ON gs.group_id = rs.group_id \
                     WHERE rs.is_local = 1";
        self.sql(at).rows(query).concat().join(" ")
    }

    /// Who is preferred for backups.
    fn preferred(&self) -> Vec<String> {
        let query = "SELECT d.name, sys.fn_hadr_backup_is_preferred_replica(d.name) AS here \
                     FROM sys.databases d WHERE d.name = N'Payroll'";
        [A, B, C]
            .map(|at| self.sql(at).rows(query)[0][1].clone())
            .into()
    }
}

const LOG: &str = "SELECT r.last_log_backup_lsn, r.recovery_fork_guid FROM \
    sys.database_recovery_status r JOIN sys.databases d ON d.database_id = r.database_id \
    WHERE d.name = 'Payroll'";

#[test]
fn each_replica_knows_its_own_role_and_the_primary() {
    let group = Group::start();
    assert_eq!(group.seen(A), "PRIMARY SYNCHRONIZED SQL-A");
    assert_eq!(group.seen(B), "SECONDARY SYNCHRONIZED SQL-A");
    assert_eq!(group.seen(C), "SECONDARY SYNCHRONIZING SQL-A");
    let count = "SELECT COUNT(*) AS n FROM sys.dm_hadr_availability_replica_states";
    assert_eq!(group.sql(A).cell(count), "3");
    assert_eq!(group.sql(B).cell(count), "1");
    let hadr = "SELECT CAST(SERVERPROPERTY(N'IsHadrEnabled') AS int) AS hadr";
    assert_eq!(group.sql(A).cell(hadr), "1");
}

#[test]
fn a_planned_failover_keeps_the_log_and_a_forced_one_begins_a_fork() {
    let group = Group::start();
    group.sql(A).write("Payroll", &["one"]);
    let before = group.sql(A).rows(LOG);
    group.group(B, json!({ "fail_over": true }));
    assert_eq!(group.seen(A), "SECONDARY SYNCHRONIZED SQL-B");
    assert_eq!(group.sql(B).rows(LOG), before);
    assert_eq!(
        group
            .sql(A)
            .numbers("INSERT INTO Payroll.dbo.ledger VALUES ('x')"),
        [3906]
    );
    group.sql(B).write("Payroll", &["two"]);
    let asynchronous = json!({ "group": { "name": "ag", "fail_over": true } });
    let refused = group.try_order(C, asynchronous).unwrap_err();
    assert!(refused.starts_with("41142"), "{refused}");
    group.group(B, json!({ "cut": true }));
    // Nobody else may take over by himself while B is cut off and A is ready.
    assert_eq!(group.seen(A), "PRIMARY SYNCHRONIZED SQL-A");
    assert_eq!(group.seen(B), "RESOLVING NOT SYNCHRONIZING NULL");
    assert_eq!(group.sql(B).numbers("USE Payroll"), [983]);
    group.group(C, json!({ "force": true }));
    assert_eq!(group.seen(C), "PRIMARY SYNCHRONIZED SQL-C");
    assert_ne!(group.sql(C).rows(LOG)[0][1], before[0][1]);
    assert_eq!(group.seen(A), "SECONDARY NOT SYNCHRONIZING SQL-C");
    group.group(A, json!({ "suspend": false }));
    assert_eq!(group.seen(A), "SECONDARY SYNCHRONIZED SQL-C");
    assert_eq!(group.sql(A).rows(LOG), group.sql(C).rows(LOG));
}

#[test]
fn a_secondary_takes_logs_and_copies_alone() {
    let group = Group::start();
    let (mut a, mut b) = (group.sql(A), group.sql(B));
    a.write("Payroll", &["one"]);
    b.fails("BACKUP DATABASE Payroll TO DISK = 'f.bak'", 3059);
    b.fails(
        "BACKUP DATABASE Payroll TO DISK = 'd.bak' WITH DIFFERENTIAL",
        3059,
    );
    b.fails("BACKUP LOG Payroll TO DISK = 'c.trn' WITH COPY_ONLY", 3059);
    let base = a.rows("SELECT f.differential_base_guid FROM sys.master_files f");
    b.works("BACKUP DATABASE Payroll TO DISK = 'c.bak' WITH COPY_ONLY");
    assert_eq!(
        a.rows("SELECT f.differential_base_guid FROM sys.master_files f"),
        base
    );
    b.works("BACKUP LOG Payroll TO DISK = 'l.trn'");
    let after = b.rows(LOG);
    assert_eq!(
        a.rows(LOG),
        after,
        "the primary knows where the log was backed up to"
    );
    let sets = "SELECT COUNT(*) AS n FROM msdb.dbo.backupset";
    assert_eq!((a.cell(sets), b.cell(sets)), ("0".into(), "2".into()));
    a.write("Payroll", &["two"]);
    a.works("BACKUP LOG Payroll TO DISK = 'm.trn'");
    assert_ne!(b.rows(LOG), after);
    group.group(B, json!({ "suspend": true }));
    b.fails("BACKUP LOG Payroll TO DISK = 'n.trn'", 3062);
    a.fails("BACKUP LOG Payroll TO DISK = 't.trn' WITH NORECOVERY", 1468);
    a.fails(
        "RESTORE DATABASE Payroll FROM DISK = 'f.bak' WITH REPLACE",
        3104,
    );
    assert_eq!(a.numbers("DROP DATABASE Payroll"), [3752]);
}

#[test]
fn the_preferred_replica_follows_preference_priority_and_name() {
    let group = Group::start();
    for (preference, wanted) in [
        ("primary", ["1", "0", "0"]),
        ("secondary_only", ["0", "0", "1"]),
        ("secondary", ["0", "0", "1"]),
        ("none", ["0", "0", "1"]),
    ] {
        group.group(A, json!({ "preference": preference }));
        assert_eq!(group.preferred(), wanted, "{preference}");
    }
    group.group(C, json!({ "priority": 0 }));
    assert_eq!(group.preferred(), ["0", "1", "0"]);
    group.group(A, json!({ "preference": "secondary" }));
    group.group(B, json!({ "priority": 0 }));
    assert_eq!(group.preferred(), ["1", "0", "0"]);
    group.group(A, json!({ "preference": "secondary_only" }));
    assert_eq!(group.preferred(), ["0", "0", "0"]);
}

#[test]
fn the_views_show_themselves_to_whoever_has_the_right() {
    let group = Group::start();
    let port = group.lab.instances[A].port;
    let names = "SELECT g.name FROM sys.availability_groups g";
    let states = "SELECT rs.role_desc FROM sys.dm_hadr_availability_replica_states rs";
    let mut reader = Sql::login(port, "reader", "Reader-1");
    assert_eq!(reader.rows(names), Vec::<Vec<String>>::new());
    assert_eq!(reader.numbers(states), [300]);
    let ids = "SELECT d.replica_id FROM sys.databases d WHERE d.name = 'Payroll'";
    assert_ne!(
        reader.cell(ids),
        "NULL",
        "that it is in a group is no secret"
    );
    let mut definer = Sql::login(port, "definer", "Definer-1");
    assert_eq!(definer.rows(names), [["ag"]]);
    assert_eq!(definer.numbers(states), [300]);
}

#[test]
fn who_may_not_be_read_is_believed_not_to_be_backed_up() {
    for (connections, backup) in [("no", Some(976)), ("read_only", None)] {
        let more = format!(
            "[[groups]]\nname = \"second\"\nid = \"1d6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7000\"\n\
             databases = [\"Alone\"]\nreplicas = [{{ instance = \"SQL-A\" }}, \
             {{ instance = \"SQL-B\", connections = {connections:?} }}]\n"
        );
        let group = Group::with(&more);
        let mut b = group.sql(B);
        let opening = if connections == "no" { 976 } else { 978 };
        assert_eq!(b.numbers("USE Alone"), [opening]);
        let log = "BACKUP LOG Alone TO DISK = 'l.trn'";
        match backup {
            Some(number) => b.fails(log, number),
            None => b.works(log),
        }
        let mut faults = twinset_tests::instance::faults::Faults::default();
        faults.availability.unreadable_backs_up = true;
        group.lab.instances[B].instance.set_faults(faults);
        b.works("BACKUP LOG Alone TO DISK = 'k.trn'");
    }
}

#[test]
fn a_secondary_tells_nothing_of_its_recovery_where_the_switch_says_so() {
    let group = Group::start();
    let told = "SELECT family_guid FROM sys.database_recovery_status r JOIN sys.databases d ON \
                d.database_id = r.database_id WHERE d.name = 'Payroll'";
    let primary = group.sql(A).cell(told);
    assert_eq!(group.sql(B).cell(told), primary);
    let mut faults = twinset_tests::instance::faults::Faults::default();
    faults.availability.secondary_hides_recovery = true;
    for at in [A, B] {
        group.lab.instances[at].instance.set_faults(faults.clone());
    }
    assert_eq!(group.sql(B).cell(told), "NULL");
    assert_eq!(group.sql(A).cell(told), primary);
}
