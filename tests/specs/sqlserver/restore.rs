use twinset::sqlserver::facts::{file_list, probe_database};
use twinset::sqlserver::statement::file_list_sql;
use twinset::sqlserver::vdi::End;
use twinset::sqlserver::{Purpose, StatementEnd};

use super::job::{SIZES, backup, restore, restore_as};
use super::world;

#[test]
fn what_was_backed_up_is_restored_under_a_new_name() {
    let world = world();
    let taken = backup(&world, "Payroll", 2, None);
    let (end, _, rows) = restore(&world, &taken.streams, |devices| {
        file_list_sql(&devices, SIZES)
    });
    assert_eq!(end, StatementEnd::Ok);
    let files = file_list(&rows.unwrap()).unwrap();
    assert!(files.iter().any(|file| file.kind == "D") && files.iter().any(|file| file.kind == "L"));

    let moves: Vec<(String, String)> = files
        .iter()
        .map(|file| {
            let name = format!("/var/opt/mssql/data/Copy_{}", file.logical_name);
            (file.logical_name.clone(), name)
        })
        .collect();
    let (end, ends, _) = restore(&world, &taken.streams, restore_as("Copy", &moves));
    assert_eq!(end, StatementEnd::Ok);
    assert!(ends.iter().all(|end| end.end == End::Closed));
    let mut control = world.open(Purpose::Control);
    let facts = probe_database(&mut control, "Copy").unwrap().unwrap();
    assert_eq!(facts.state_desc, "ONLINE");
}

#[test]
fn an_altered_stream_does_not_restore() {
    let world = world();
    let mut taken = backup(&world, "Payroll", 1, None);
    let middle = taken.streams[0].len() / 2;
    taken.streams[0][middle] ^= 1;
    let (end, _, _) = restore(&world, &taken.streams, restore_as("Copy", &[]));
    assert!(matches!(end, StatementEnd::Error { .. }), "{end:?}");
}
