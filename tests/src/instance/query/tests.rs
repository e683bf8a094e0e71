#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::instance::Instance;
use crate::instance::session::Session;
use crate::lab::Scene;
use crate::tds::login::Login;
use crate::tds::reply::Interrupt;
use std::sync::Arc;

const SCENE: &str = r#"
[[instances]]
name = 'SQL-A\INST'
[[instances.logins]]
name = "sa"
password = "a"
sysadmin = true
[[instances.logins]]
name = "guest"
password = "g"
[[instances.databases]]
name = "Payroll"
[[instances.databases]]
name = "Mirrored"
[instances.databases.mirroring]
guid = "7a1e0c2e-0000-4000-8000-000000000001"
role = "mirror"
partner_address = "TCP://b.example.com:5022"
partner_instance = "SQL-B"
"#;

fn instance() -> Arc<Instance> {
    let scene: Scene = toml::from_str(SCENE).unwrap();
    scene.instances[0].build(&std::env::temp_dir()).unwrap()
}

fn login(instance: &Arc<Instance>, user: &str) -> Session {
    let login = Login {
        user: user.into(),
        password: user[..1].replace('s', "a"),
        packet_size: 4096,
        application: "spec".into(),
        ..Login::default()
    };
    instance
        .admit(&login, &Arc::new(Interrupt::default()))
        .unwrap()
        .session
}

fn run(sql: &str) -> Result<ResultSet, ServerMessage> {
    login(&instance(), "sa").query(sql, &Variables::new())
}

/// The one value of a query.
fn one(sql: &str) -> (SqlType, Value) {
    let mut set = run(sql).unwrap_or_else(|message| panic!("{sql}: {message:?}"));
    (set.columns[0].kind, set.rows.remove(0).remove(0))
}

#[test]
fn expressions_have_the_types_of_t_sql() {
    let text = |text: &str| Value::Text(text.into());
    let cases = [
        ("SELECT 1", SqlType::Int, Value::Int(1)),
        ("SELECT 'ab'", SqlType::VarChar(2), text("ab")),
        ("SELECT N'a' + 'bc'", SqlType::NVarChar(3), text("abc")),
        (
            "SELECT @@SERVERNAME",
            SqlType::NVarChar(128),
            text(r"SQL-A\INST"),
        ),
        ("SELECT @@SERVICENAME", SqlType::NVarChar(128), text("INST")),
        ("SELECT @@SPID", SqlType::SmallInt, Value::Int(51)),
        (
            "SELECT SERVERPROPERTY('MachineName')",
            SqlType::Variant,
            text("SQL-A"),
        ),
        (
            "SELECT CAST(SERVERPROPERTY('IsHadrEnabled') AS int)",
            SqlType::Int,
            Value::Int(0),
        ),
        (
            "SELECT IS_SRVROLEMEMBER(N'sysadmin')",
            SqlType::Int,
            Value::Int(1),
        ),
        (
            "SELECT IS_SRVROLEMEMBER('norole')",
            SqlType::Int,
            Value::Null,
        ),
        ("SELECT DB_ID(N'msdb')", SqlType::SmallInt, Value::Int(4)),
        ("SELECT SUSER_SNAME()", SqlType::NVarChar(128), text("sa")),
        (
            "SELECT CAST('00112233-4455-6677-8899-AABBCCDDEEFF' AS uniqueidentifier)",
            SqlType::Guid,
            Value::Guid(uuid::Uuid::parse_str("00112233-4455-6677-8899-aabbccddeeff").unwrap()),
        ),
        (
            "SELECT CONVERT(numeric(25,0), '39000000172000001')",
            SqlType::Numeric(25, 0),
            Value::Numeric(39_000_000_172_000_001),
        ),
        (
            "SELECT CONVERT(nvarchar(30), CAST('20261121 01:02:03' AS datetime), 126)",
            SqlType::NVarChar(30),
            text("2026-11-21T01:02:03.000"),
        ),
        (
            "SELECT CASE WHEN 'A' = 'a' THEN 1 ELSE 2 END",
            SqlType::Int,
            Value::Int(1),
        ),
        (
            "SELECT COUNT(*) FROM sys.databases WHERE name LIKE N'M[ai]%'",
            SqlType::Int,
            Value::Int(2),
        ),
        ("SELECT ISNULL(NULL, 5)", SqlType::Int, Value::Int(5)),
        (
            "SELECT DATEDIFF(second, '2026-11-21', '2026-11-21 00:01:00')",
            SqlType::Int,
            Value::Int(60),
        ),
        ("SELECT 7 / 2", SqlType::Int, Value::Int(3)),
    ];
    for (sql, kind, value) in cases {
        assert_eq!(one(sql), (kind, value), "{sql}");
    }
}

#[test]
fn queries_run_as_written() {
    let names = |sql: &str| -> Vec<String> {
        run(sql)
            .unwrap()
            .rows
            .iter()
            .map(|row| row[0].text())
            .collect()
    };
    assert_eq!(
        names("SELECT TOP (2) name FROM sys.databases ORDER BY database_id"),
        ["master", "tempdb"]
    );
    assert_eq!(
        names(
            "SELECT d.name FROM master.sys.databases AS d WHERE d.database_id IN (SELECT \
               f.database_id FROM sys.master_files f WHERE f.database_id > 4) ORDER BY d.name DESC"
        ),
        ["Payroll", "Mirrored"]
    );
    assert_eq!(
        names(
            "WITH user_dbs AS (SELECT name n FROM sys.databases WHERE database_id > 4) \
               SELECT n FROM user_dbs UNION ALL SELECT N'x' ORDER BY n"
        ),
        ["Mirrored", "Payroll", "x"]
    );
    assert_eq!(
        names("SELECT name FROM sys.databases WHERE name = 'PAYROLL'"),
        ["Payroll"]
    );
    let grouped =
        run("SELECT state_desc, COUNT(*) AS n FROM sys.databases GROUP BY state_desc ORDER BY n");
    let grouped = grouped.unwrap();
    assert_eq!(grouped.columns[1].name, "n");
    assert_eq!(
        grouped.rows[0],
        [Value::Text("RESTORING".into()), Value::Int(1)]
    );
}

#[test]
fn faults_have_sql_servers_numbers() {
    let cases = [
        ("SELECT nme FROM sys.databases", 207),
        ("SELECT x.name FROM sys.databases d", 4104),
        (
            "SELECT name FROM sys.databases d JOIN sys.master_files f ON 1 = 1",
            209,
        ),
        ("SELECT 1 FROM sys.database", 208),
        ("SELECT 1 FROM backupset", 208),
        ("SELECT 1 FROM msdb.dbo.backupsets", 208),
        ("SELECT nothing(1)", 195),
        ("SELECT @nobody", 137),
        ("SELECT FROM sys.databases", 102),
        ("SELECT CAST('x' AS int)", 245),
        ("SELECT CAST('x' AS uniqueidentifier)", 8169),
        ("SELECT CAST('x' AS datetime)", 241),
        ("SELECT 1 UNION SELECT 1, 2", 205),
        ("SELECT CAST(1 AS nosuchtype)", 243),
    ];
    for (sql, number) in cases {
        assert_eq!(run(sql).unwrap_err().number, number, "{sql}");
    }
}

#[test]
fn parameters_take_part_with_their_types() {
    let session = login(&instance(), "sa");
    let mut variables = Variables::new();
    let name = Value::Text("payroll".into());
    variables.insert("@p1".into(), (SqlType::NVarChar(128), name));
    variables.insert("@lsn".into(), (SqlType::Numeric(25, 0), Value::Numeric(0)));
    let sql = "SELECT d.name FROM sys.databases d JOIN sys.database_recovery_status r ON \
               r.database_id = d.database_id WHERE d.name = @P1 AND \
               ISNULL(r.last_log_backup_lsn, 1) > @lsn";
    let set = session.query(sql, &variables).unwrap();
    assert_eq!(set.rows, [[Value::Text("Payroll".into())]]);
}

#[test]
fn privilege_decides_what_is_seen() {
    let instance = instance();
    let (sa, guest) = (login(&instance, "sa"), login(&instance, "guest"));
    let role = "SELECT m.mirroring_role_desc FROM sys.database_mirroring m JOIN sys.databases d ON \
                d.database_id = m.database_id WHERE d.name = 'Mirrored'";
    let none = Variables::new();
    assert_eq!(
        sa.query(role, &none).unwrap().rows,
        [[Value::Text("MIRROR".into())]]
    );
    assert_eq!(guest.query(role, &none).unwrap().rows, [[Value::Null]]);
    let sessions = "SELECT session_id FROM sys.dm_exec_sessions";
    assert_eq!(sa.query(sessions, &none).unwrap().rows.len(), 2);
    assert_eq!(guest.query(sessions, &none).unwrap().rows.len(), 1);
}

#[test]
fn the_agents_probe_has_the_documented_types() {
    let sql = "SELECT d.name, d.database_id, d.state, d.state_desc, d.recovery_model_desc, \
        d.is_read_only, d.is_in_standby, d.source_database_id, d.log_reuse_wait_desc, \
        d.replica_id, \
        d.create_date, m.mirroring_guid, m.mirroring_role, m.mirroring_role_sequence, \
        m.mirroring_state_desc, m.mirroring_safety_level_desc, m.mirroring_partner_name, \
        m.mirroring_partner_instance, m.mirroring_witness_name, m.mirroring_witness_state_desc, \
        m.mirroring_failover_lsn, r.family_guid, r.database_guid, r.last_log_backup_lsn, \
        r.recovery_fork_guid, r.first_recovery_fork_guid, r.fork_point_lsn FROM sys.databases d \
        LEFT JOIN sys.database_mirroring m ON m.database_id = d.database_id LEFT JOIN \
        sys.database_recovery_status r ON r.database_id = d.database_id WHERE d.name = N'Payroll'";
    let set = run(sql).unwrap();
    assert_eq!(set.rows.len(), 1);
    let kind = |name: &str| {
        set.columns
            .iter()
            .find(|column| column.name == name)
            .unwrap()
            .kind
    };
    assert_eq!(kind("state"), SqlType::TinyInt);
    assert_eq!(kind("mirroring_failover_lsn"), SqlType::Numeric(25, 0));
    assert_eq!(kind("family_guid"), SqlType::Guid);
    assert_eq!(kind("create_date"), SqlType::DateTime);
    assert_eq!(kind("mirroring_partner_name"), SqlType::NVarChar(128));
}
