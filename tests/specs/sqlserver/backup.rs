use std::sync::atomic::AtomicBool;

use twinset::sqlserver::facts::progress;
use twinset::sqlserver::history::find_set;
use twinset::sqlserver::vdi::{End, VdiSet, drive_backup, feature, set_name};
use twinset::sqlserver::{Purpose, SetKey, StatementEnd};
use twinset_domain::code;
use uuid::Uuid;

use super::job::{Store, backup, configure, history, library};
use super::{LIMIT, world, world_with};

#[test]
fn a_backup_ends_well_on_all_sides() {
    let world = world();
    for (database, families) in [("Payroll", 1), ("Payroll", 2), ("it's [odd]] 表", 1)] {
        let taken = backup(&world, database, families, None);
        assert_eq!(taken.statement, StatementEnd::Ok);
        for (end, stream) in taken.ends.iter().zip(&taken.streams) {
            assert_eq!(end.end, End::Closed);
            assert!(end.answered && end.sealed);
            assert_eq!(end.bytes, stream.len() as u64);
            assert_eq!(&stream[..4], b"TAPE");
        }
        let set = history(&world, &taken).expect("msdb knows the set");
        assert_eq!(
            (set.database_name.as_str(), set.kind.as_str()),
            (database, "D")
        );
        assert_eq!(set.families.len(), usize::from(families));
        assert!(set.families.iter().all(|family| family.device_type == 7));
        assert!(
            set.first_lsn < set.last_lsn && set.checkpoint_lsn.is_some(),
            "{set:?}"
        );
        assert!(set.family_guid.is_some() && set.start.is_some());
        let mut control = world.open(Purpose::Control);
        let again = find_set(&mut control, SetKey::Guid(set.backup_set_uuid)).unwrap();
        assert_eq!(again, Some(set));
    }
}

#[test]
fn a_full_store_fails_the_statement_with_the_stores_number() {
    let world = world();
    let taken = backup(&world, "Payroll", 1, Some(1 << 20));
    let StatementEnd::Error { all, .. } = &taken.statement else {
        panic!("{:?}", taken.statement)
    };
    let named = all
        .iter()
        .any(|m| m.number == 3202 && m.message.contains("112("));
    assert!(named, "{all:?}");
    assert!(matches!(&taken.ends[0].end, End::Failed(fault) if fault.code == code::MEDIUM_FULL));
    assert!(!taken.ends[0].answered);
    assert!(history(&world, &taken).is_none());
}

#[test]
fn a_statement_that_fails_early_never_opens_the_set() {
    let world = world();
    let taken = backup(&world, "Nobody", 1, None);
    assert!(taken.ends.is_empty());
    assert_eq!(
        taken.statement.fault("Nobody").unwrap().code,
        code::SQL_NO_DATABASE
    );
}

#[test]
fn history_that_cannot_be_written_is_error_3009_alone() {
    let world = world_with("faults = { history_fails = true }", "");
    let taken = backup(&world, "Payroll", 1, None);
    assert!(matches!(
        taken.statement,
        StatementEnd::Error { number: 3009, .. }
    ));
    assert!(
        !taken.statement.has_error_besides(3009),
        "{:?}",
        taken.statement
    );
    assert!(taken.ends[0].answered && taken.ends[0].end == End::Closed);
}

#[test]
fn a_server_without_complete_has_its_flush_sealed() {
    let world = world_with("faults = { complete_enabled = false }", "");
    let taken = backup(&world, "Payroll", 1, None);
    assert_eq!(taken.statement, StatementEnd::Ok);
    assert!(taken.ends[0].sealed && taken.ends[0].answered);
}

#[test]
fn filestream_rounds_and_unknown_commands_do_not_matter() {
    let world = world_with("faults = { extra_flush = true, unknown_command = 18 }", "");
    let taken = backup(&world, "Payroll", 1, None);
    assert_eq!(taken.statement, StatementEnd::Ok);
    assert!(taken.ends[0].answered);
}

#[test]
fn a_failure_after_the_answer_is_told_apart() {
    let world = world_with("faults = { fail_after_close = true }", "");
    let taken = backup(&world, "Payroll", 1, None);
    assert!(matches!(taken.statement, StatementEnd::Error { .. }));
    // Whether history has the set is the server's affair; here only the two sides are told apart.
    assert!(taken.ends[0].answered && taken.ends[0].end == End::Closed);
}

#[test]
fn an_abort_by_the_server_leaves_the_device_unanswered() {
    let world = world_with("faults = { abort_after_bytes = 1000000 }", "");
    let taken = backup(&world, "Payroll", 1, None);
    assert!(matches!(taken.statement, StatementEnd::Error { .. }));
    assert_eq!(
        (taken.ends[0].end.clone(), taken.ends[0].answered),
        (End::Aborted, false)
    );
}

#[test]
fn a_connection_lost_at_the_end_leaves_the_history_to_ask() {
    let world = world_with("faults = { drop_connection = \"before-success\" }", "");
    let taken = backup(&world, "Payroll", 1, None);
    assert!(
        matches!(taken.statement, StatementEnd::Lost(_)),
        "{:?}",
        taken.statement
    );
    assert!(taken.ends[0].answered);
    assert!(history(&world, &taken).is_some());
}

#[test]
fn progress_is_seen_from_the_control_connection() {
    let world = world_with("faults = { bytes_per_second = 4000000 }", "");
    let set = VdiSet::create(
        &library(),
        None,
        &set_name(Uuid::new_v4()),
        1,
        feature::REQUEST_COMPLETE,
    )
    .unwrap();
    let sql = format!(
        "BACKUP DATABASE [Payroll] TO VIRTUAL_DEVICE = N'{}'",
        set.name()
    );
    let running = world.open(Purpose::Work).start(sql).unwrap();
    configure(&set, &running).unwrap();
    let device = set.open_device(set.name()).unwrap();
    let driver = std::thread::spawn(move || {
        drive_backup(device, &mut Store::default(), 4, &AtomicBool::new(false))
    });
    let mut control = world.open(Purpose::Control);
    let mut seen = Vec::new();
    while running.poll().is_none() {
        if let Some(now) = progress(&mut control, running.spid()).unwrap() {
            assert_eq!(now.command, "BACKUP DATABASE");
            seen.push(now.percent);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(driver.join().unwrap().end, End::Closed);
    assert!(
        seen.is_sorted() && seen.iter().any(|p| (1.0..100.0).contains(p)),
        "{seen:?}"
    );
    set.close(LIMIT).unwrap();
}
