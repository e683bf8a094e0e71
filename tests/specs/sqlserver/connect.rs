use twinset::sqlserver::{Encrypt, Purpose};
use twinset_domain::code;

use super::{world, world_with};

#[test]
fn a_session_says_who_it_is() {
    let world = world();
    let mut session = world.open(Purpose::Work);
    assert!(session.spid() > 50);
    assert_eq!(session.login(), "backup");
    let sql = "SELECT program_name FROM sys.dm_exec_sessions WHERE session_id = @@SPID";
    let rows = session.query(sql, &[]).unwrap();
    assert_eq!(
        rows.one().unwrap().need_text("program_name").unwrap(),
        "Twinset work run-1"
    );
    assert_ne!(world.open(Purpose::Control).spid(), session.spid());
}

#[test]
fn a_wrong_password_is_18456() {
    let world = world();
    let settings = world.settings("backup", "wrong");
    let fault = twinset::sqlserver::Connector::new(settings, "r")
        .open(Purpose::Work)
        .unwrap_err();
    assert_eq!(fault.code, code::SQL_LOGIN);
    assert!(fault.causes[0].contains("18456"), "{fault}");
    assert!(
        !fault.to_string().contains("wrong") && !fault.remedy.is_empty(),
        "{fault}"
    );
}

#[test]
fn a_certificate_for_another_name_is_told_with_both_names() {
    let world = world_with("certificate_names = [\"db1.example\"]", "");
    let fault = world.connector().open(Purpose::Work).unwrap_err();
    assert_eq!(fault.code, code::SQL_TLS);
    assert!(fault.message.contains("localhost"), "{fault}");
    assert!(fault.causes[0].contains("db1.example"), "{fault}");
    assert!(fault.remedy.contains("server_name"), "{fault}");

    let mut settings = world.settings("backup", "S3cret!");
    settings.server_name = Some("db1.example".into());
    twinset::sqlserver::Connector::new(settings, "r")
        .open(Purpose::Work)
        .unwrap();
}

#[test]
fn an_unknown_authority_is_told_unless_trust_is_given() {
    let world = world();
    let mut settings = world.settings("backup", "S3cret!");
    settings.ca_file = None;
    let connector = twinset::sqlserver::Connector::new(settings.clone(), "r");
    let fault = connector.open(Purpose::Work).unwrap_err();
    assert_eq!(fault.code, code::SQL_TLS);
    assert!(fault.remedy.contains("ca_file"), "{fault}");

    settings.trust_server_certificate = true;
    twinset::sqlserver::Connector::new(settings, "r")
        .open(Purpose::Work)
        .unwrap();
}

#[test]
fn every_level_of_encryption_meets_every_server() {
    for (server, level, meets) in [
        ("required", Encrypt::Required, true),
        ("required", Encrypt::LoginOnly, true),
        ("required", Encrypt::Off, false),
        ("on", Encrypt::Required, true),
        ("off", Encrypt::Required, true),
        ("off", Encrypt::LoginOnly, true),
        ("not-supported", Encrypt::Required, false),
        ("not-supported", Encrypt::Off, true),
    ] {
        let world = world_with(&format!("encryption = \"{server}\""), "");
        let mut settings = world.settings("backup", "S3cret!");
        settings.encrypt = level;
        let connector = twinset::sqlserver::Connector::new(settings, "r");
        let session = connector.open(Purpose::Work);
        assert_eq!(
            session.is_ok(),
            meets,
            "{server} {level:?}: {:?}",
            session.err()
        );
    }
}

#[test]
fn strict_encryption_comes_before_everything() {
    let world = world();
    let mut settings = world.settings("backup", "S3cret!");
    settings.encrypt = Encrypt::Strict;
    twinset::sqlserver::Connector::new(settings, "r")
        .open(Purpose::Work)
        .unwrap();
}

#[test]
fn a_route_is_followed() {
    let target = world();
    let port = target.lab.instances[0].port;
    let router = world_with(&format!("routing = [\"localhost\", {port}]"), "");
    let mut settings = router.settings("backup", "S3cret!");
    settings.ca_file = None;
    settings.trust_server_certificate = true;
    let connector = twinset::sqlserver::Connector::new(settings, "routed");
    let mut session = connector.open(Purpose::Work).unwrap();
    let sql = "SELECT program_name FROM sys.dm_exec_sessions WHERE session_id = @@SPID";
    assert!(session.query(sql, &[]).is_ok());
}
