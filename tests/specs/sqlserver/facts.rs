use twinset::sqlserver::facts::{probe_database, probe_instance, progress};
use twinset::sqlserver::history::find_set;
use twinset::sqlserver::{Param, Purpose, SetKey};
use twinset_domain::code;
use uuid::Uuid;

use super::{world, world_with};

const MIRRORED: &str = r#"
    [[instances.databases]]
    name = "Ledger"
    recovery = "FULL"
    [instances.databases.mirroring]
    guid = "6b29fc40-ca47-1067-b31d-00dd010662da"
    role = "principal"
    partner_address = "TCP://hostb.example:5022"
    partner_instance = "HOSTB"
    role_sequence = 3
"#;

#[test]
fn the_instance_names_itself_and_our_rights() {
    let world = world();
    let facts = probe_instance(&mut world.open(Purpose::Control)).unwrap();
    assert_eq!(facts.server_name, "HOSTA");
    assert_eq!(facts.login, "backup");
    assert!(
        facts.is_sysadmin && facts.major >= 11 && !facts.edition.is_empty(),
        "{facts:?}"
    );

    let settings = world.settings("reader", "reader");
    let connector = twinset::sqlserver::Connector::new(settings, "r");
    let mut reader = connector.open(Purpose::Control).unwrap();
    assert!(!probe_instance(&mut reader).unwrap().is_sysadmin);
}

#[test]
fn a_database_is_probed_by_any_name() {
    let world = world();
    let mut session = world.open(Purpose::Control);
    for name in ["Payroll", "it's [odd]] 表"] {
        let facts = probe_database(&mut session, name).unwrap().unwrap();
        assert_eq!(
            (facts.name.as_str(), facts.state, facts.state_desc.as_str()),
            (name, 0, "ONLINE")
        );
        assert!(
            facts.family_guid.is_some() && facts.database_guid.is_some(),
            "{facts:?}"
        );
        assert!(facts.mirroring_guid.is_none());
    }
    assert_eq!(probe_database(&mut session, "Nobody").unwrap(), None);
}

#[test]
fn a_mirrored_database_tells_its_session() {
    let world = world_with("", MIRRORED);
    let mut session = world.open(Purpose::Control);
    let facts = probe_database(&mut session, "Ledger").unwrap().unwrap();
    let guid: Uuid = "6b29fc40-ca47-1067-b31d-00dd010662da".parse().unwrap();
    assert_eq!(facts.mirroring_guid, Some(guid));
    assert_eq!(
        (facts.mirroring_role, facts.mirroring_role_sequence),
        (Some(1), Some(3))
    );
    assert_eq!(facts.mirroring_partner_instance.as_deref(), Some("HOSTB"));
    assert!(facts.mirroring_failover_lsn.is_some(), "{facts:?}");
}

#[test]
fn values_pass_as_parameters_not_as_text() {
    let world = world();
    let mut session = world.open(Purpose::Control);
    let hostile = "x'; SHUTDOWN --";
    let rows = session
        .query("SELECT @P1 AS back", &[Param::Text(hostile)])
        .unwrap();
    assert_eq!(rows.one().unwrap().need_text("back").unwrap(), hostile);
}

#[test]
fn a_server_error_is_a_fault_and_the_session_lives_on() {
    let world = world();
    let mut session = world.open(Purpose::Control);
    let fault = session
        .query("SELECT nothing_of_that_name FROM sys.databases", &[])
        .unwrap_err();
    assert_eq!(fault.code, code::SQL_ERROR);
    assert!(fault.message.contains("207"), "{fault}");
    probe_instance(&mut session).unwrap();
}

#[test]
fn what_is_not_there_is_none() {
    let world = world();
    let mut session = world.open(Purpose::Control);
    assert_eq!(progress(&mut session, 9999).unwrap(), None);
    assert_eq!(
        find_set(&mut session, SetKey::Guid(Uuid::nil())).unwrap(),
        None
    );
    assert_eq!(
        find_set(&mut session, SetKey::VirtualDevice("twinset-x")).unwrap(),
        None
    );
}
