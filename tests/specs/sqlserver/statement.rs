use std::time::{Duration, Instant};

use twinset::sqlserver::{Cancelled, Connector, Endpoint, Purpose, StatementEnd, cancel};
use twinset_domain::code;

use super::line::Line;
use super::{LIMIT, world};

#[test]
fn a_statement_ends_by_itself() {
    let world = world();
    let running = world
        .open(Purpose::Work)
        .start("WAITFOR DELAY '00:00:01'")
        .unwrap();
    assert_eq!(running.poll(), None);
    assert_eq!(running.wait(Duration::from_millis(10)), None);
    assert_eq!(running.wait(LIMIT), Some(StatementEnd::Ok));
    assert_eq!(running.poll(), Some(StatementEnd::Ok));
}

#[test]
fn all_errors_of_a_statement_are_kept_in_order() {
    let world = world();
    let sql = "BACKUP DATABASE [Nobody] TO VIRTUAL_DEVICE = N'twinset-none'";
    let running = world.open(Purpose::Work).start(sql).unwrap();
    let Some(end @ StatementEnd::Error { .. }) = running.wait(LIMIT) else {
        panic!("no error")
    };
    let StatementEnd::Error {
        number, all, class, ..
    } = &end
    else {
        panic!("{end:?}")
    };
    assert_eq!((*number, *class), (911, 16));
    let numbers: Vec<u32> = all.iter().map(|message| message.number).collect();
    assert_eq!(numbers, [911, 3013]);
    assert_eq!(end.fault("Nobody").unwrap().code, code::SQL_NO_DATABASE);
}

#[test]
fn rows_of_a_long_statement_can_be_taken() {
    let world = world();
    let running = world
        .open(Purpose::Work)
        .start("SELECT name FROM sys.databases")
        .unwrap();
    assert_eq!(running.wait(LIMIT), Some(StatementEnd::Ok));
    assert!(running.take_rows().unwrap().all().len() >= 2);
    assert!(running.take_rows().is_none());
}

#[test]
fn cancelling_leaves_nothing_behind_on_the_server() {
    let world = world();
    let mut control = world.open(Purpose::Control);
    let running = world
        .open(Purpose::Work)
        .start("WAITFOR DELAY '00:05:00'")
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let spid = i32::try_from(running.spid()).unwrap();
    let begun = Instant::now();
    let cancelled = cancel(running, &mut control).unwrap();
    assert!(
        matches!(cancelled, Cancelled::Gone | Cancelled::Killed),
        "{cancelled:?}"
    );
    assert!(begun.elapsed() < LIMIT);
    let sql = "SELECT session_id FROM sys.dm_exec_sessions WHERE session_id = @P1";
    let rows = control
        .query(sql, &[twinset::sqlserver::Param::Int(spid)])
        .unwrap();
    assert!(rows.first().is_none());
}

#[test]
fn a_killed_statement_is_lost_or_an_error_never_ok() {
    let world = world();
    let mut control = world.open(Purpose::Control);
    let running = world
        .open(Purpose::Work)
        .start("WAITFOR DELAY '00:05:00'")
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    control
        .query(&format!("KILL {}", running.spid()), &[])
        .unwrap();
    let end = running.wait(LIMIT).unwrap();
    assert_ne!(end, StatementEnd::Ok);
    assert!(end.fault("Payroll").is_some());
}

#[test]
fn a_line_that_is_cut_is_noticed() {
    let world = world();
    let line = Line::to(world.lab.instances[0].port);
    let mut settings = world.settings("backup", "S3cret!");
    settings.endpoint = Endpoint::Port(line.port);
    let session = Connector::new(settings, "r").open(Purpose::Work).unwrap();
    let running = session.start("WAITFOR DELAY '00:00:05'").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    line.cut();
    assert!(matches!(
        running.wait(Duration::from_secs(3)),
        Some(StatementEnd::Lost(_))
    ));
}

#[test]
fn every_error_of_a_batch_is_kept() {
    let world = world();
    let sql = "RAISERROR (N'first', 16, 1) RAISERROR (N'second', 16, 2)";
    let end = world
        .open(Purpose::Work)
        .start(sql)
        .unwrap()
        .wait(LIMIT)
        .unwrap();
    let StatementEnd::Error {
        message,
        state,
        all,
        ..
    } = &end
    else {
        panic!("{end:?}")
    };
    assert_eq!((message.as_str(), *state), ("first", 1));
    let texts: Vec<&str> = all.iter().map(|message| message.message.as_str()).collect();
    assert_eq!(texts, ["first", "second"]);
}
