//! Servers that cannot be reached for a while, and connections that break.

use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use twinset::sqlserver::{Cancelled, Connector, Endpoint, Param, Purpose, cancel};
use twinset_domain::code;

use super::line::Line;
use super::{LIMIT, World, world};

fn through(world: &World, line: &Line) -> twinset::sqlserver::InstanceSettings {
    let mut settings = world.settings("backup", "S3cret!");
    settings.endpoint = Endpoint::Port(line.port);
    settings
}

fn over(world: &World, refuses: usize) -> Line {
    let target = world.lab.instances[0].port;
    Line::from([127, 0, 0, 1].into(), target, refuses)
}

#[test]
fn a_server_that_starts_late_is_waited_for() {
    let world = world();
    let line = over(&world, 2);
    let mut settings = through(&world, &line);
    settings.connect_retry = LIMIT;
    let connector = Connector::new(settings, "r");
    assert!(connector.open(Purpose::Control).is_ok());
    assert_eq!(line.refused(), 2);
}

#[test]
fn nobody_waits_longer_than_the_settings_say() {
    let world = world();
    let line = over(&world, usize::MAX);
    let mut settings = through(&world, &line);
    settings.connect_retry = Duration::ZERO;
    let fault = Connector::new(settings.clone(), "r")
        .open(Purpose::Control)
        .unwrap_err();
    assert_eq!((fault.code, line.refused()), (code::SQL_CONNECT, 1));

    settings.connect_retry = Duration::from_secs(1);
    let begun = Instant::now();
    let fault = Connector::new(settings, "r")
        .open(Purpose::Control)
        .unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(fault.to_string().contains("connect_retry"), "{fault}");
}

#[test]
fn a_login_that_is_refused_is_not_tried_again() {
    let world = world();
    let line = over(&world, 0);
    let mut settings = through(&world, &line);
    settings.connect_retry = LIMIT;
    settings.auth = world.settings("backup", "wrong").auth;
    let begun = Instant::now();
    let fault = Connector::new(settings, "r")
        .open(Purpose::Control)
        .unwrap_err();
    assert_eq!(fault.code, code::SQL_LOGIN);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_control_connection_that_breaks_is_opened_again_and_its_question_repeated() {
    let world = world();
    let line = over(&world, 0);
    let connector = Connector::new(through(&world, &line), "r");
    let mut control = connector.open(Purpose::Control).unwrap();
    let before = control.spid();
    line.cut();
    let rows = control.query("SELECT @@SPID AS spid", &[]).unwrap();
    assert_eq!(
        rows.one().unwrap().need_int("spid").unwrap(),
        control.spid()
    );
    let sql = "SELECT session_id FROM sys.dm_exec_sessions WHERE session_id = @P1";
    let gone = i32::try_from(before).unwrap();
    if control.spid() != before {
        let rows = control.query(sql, &[Param::Int(gone)]).unwrap();
        assert!(rows.first().is_none());
    }
    // Not for ever.
    for _ in 0..8 {
        line.cut();
        if let Err(fault) = control.query("SELECT 1 AS one", &[]) {
            assert_eq!(fault.code, code::SQL_LOST);
            return;
        }
    }
    panic!("it is opened again for ever");
}

#[test]
fn what_changes_something_is_not_repeated() {
    let world = world();
    let line = over(&world, 0);
    let connector = Connector::new(through(&world, &line), "r");
    let mut control = connector.open(Purpose::Control).unwrap();
    line.cut();
    let fault = control.query("KILL 32000", &[]).unwrap_err();
    assert_eq!(fault.code, code::SQL_LOST);
    // The next question finds a connection.
    assert!(control.query("SELECT 1 AS one", &[]).is_ok());
}

#[test]
fn a_work_connection_is_never_opened_again() {
    let world = world();
    let line = over(&world, 0);
    let connector = Connector::new(through(&world, &line), "r");
    let mut work = connector.open(Purpose::Work).unwrap();
    line.cut();
    for _ in 0..2 {
        let fault = work.query("SELECT 1 AS one", &[]).unwrap_err();
        assert_eq!(fault.code, code::SQL_LOST);
    }
}

/// The number of a session goes to the next client at once; only the whole proof may be killed.
#[test]
fn a_session_that_took_over_the_number_is_not_killed() {
    let world = world();
    let mut control = world.open(Purpose::Control);
    let running = world
        .open(Purpose::Work)
        .start("WAITFOR DELAY '00:05:00'")
        .unwrap();
    let spid = running.spid();
    control.query(&format!("KILL {spid}"), &[]).unwrap();
    let _ = running.wait(LIMIT).unwrap();
    let mut settings = world.settings("backup", "S3cret!");
    settings.connect_retry = LIMIT;
    let mut other = Connector::new(settings, "run-2")
        .open(Purpose::Work)
        .unwrap();
    assert_eq!(other.spid(), spid, "the double gives the number again");
    assert_eq!(cancel(running, &mut control).unwrap(), Cancelled::Gone);
    assert!(other.query("SELECT 1 AS one", &[]).is_ok());
}

#[test]
fn without_the_right_to_see_it_nothing_is_claimed_of_a_session() {
    let world = world();
    let connector = Connector::new(world.settings("reader", "reader"), "r");
    let mut control = connector.open(Purpose::Control).unwrap();
    let running = connector
        .open(Purpose::Work)
        .unwrap()
        .start("WAITFOR DELAY '00:05:00'")
        .unwrap();
    assert_eq!(cancel(running, &mut control).unwrap(), Cancelled::Unseen);
}

#[test]
fn an_address_of_the_sixth_version_is_a_host_like_any_other() {
    let world = world();
    let target = world.lab.instances[0].port;
    let line = Line::from(Ipv6Addr::LOCALHOST.into(), target, 0);
    let mut settings = through(&world, &line);
    settings.host = "::1".into();
    settings.server_name = Some("localhost".into());
    assert!(Connector::new(settings, "r").open(Purpose::Work).is_ok());
}

/// `/proc/net/tcp`: the timer of a connection that is silent, 02 for keepalive.
#[cfg(target_os = "linux")]
#[test]
fn a_silent_connection_is_kept_alive() {
    let world = world();
    let _session = world.open(Purpose::Work);
    let port = world.lab.instances[0].port;
    let remote = format!("0100007F:{port:04X}");
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let timers: Vec<&str> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        // 01 is established: what the lab asked while it started is closed, but still remembered.
        .filter(|fields| fields.get(2) == Some(&remote.as_str()) && fields.get(3) == Some(&"01"))
        .filter_map(|fields| fields.get(5)?.split(':').next().map(str::to_owned))
        .map(|timer| if timer == "02" { "keepalive" } else { "none" })
        .collect();
    assert_eq!(timers, ["keepalive"], "{table}");
}
