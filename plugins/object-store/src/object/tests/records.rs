//! Records: small, create-only, whole; volumes and what lies beside them.

use twinset_plugin_api::{Access, Device, Mount, Outcome};

use super::world::{KEY, World, put, refused};

#[test]
fn a_record_is_written_once() {
    let world = World::new();
    let mut device = world.blank();
    device.put_record("verdict.0001", b"published").unwrap();
    let fault = refused(device.put_record("verdict.0001", b"other"));
    assert_eq!(fault.outcome, Outcome::EXISTS);
    assert_eq!(device.get_record("verdict.0001").unwrap(), b"published");
    assert_eq!(
        refused(device.get_record("none")).outcome,
        Outcome::NOT_FOUND
    );
    assert!(device.put_record("../x", b"x").is_err());
    world.put(
        &format!("sql-a/{KEY}/records/huge"),
        &vec![0; (1 << 20) + 1],
    );
    assert_eq!(
        refused(device.get_record("huge")).outcome,
        Outcome::PERMANENT
    );
}

#[test]
fn records_are_listed_by_name_and_removed_one_by_one() {
    let world = World::new();
    let mut device = world.blank();
    for n in 0..30 {
        device.put_record(&format!("r{n:04}"), b"xy").unwrap();
    }
    device.remove_record("r0000").unwrap();
    assert_eq!(
        refused(device.remove_record("r0000")).outcome,
        Outcome::NOT_FOUND
    );
    let page = device.list_records("r0003", 4).unwrap();
    let names: Vec<&str> = page.iter().map(|record| record.name.as_str()).collect();
    assert_eq!(names, ["r0004", "r0005", "r0006", "r0007"]);
    assert_eq!(device.list_records("", 99).unwrap().len(), 29);
}

#[test]
fn who_reads_leaves_holds_and_nothing_else() {
    let world = World::new();
    put(&mut world.blank(), 0, "header.mtf", b"h");
    let mut reader = world.existing(Access::Read);
    reader.put_record("hold.1", b"").unwrap();
    assert_eq!(
        refused(reader.put_record("hold.1", b"")).outcome,
        Outcome::EXISTS
    );
    reader.remove_record("hold.1").unwrap();
    let fault = refused(reader.put_record("verdict.1", b""));
    assert_eq!(fault.outcome, Outcome::WRITE_PROTECTED);
}

#[test]
fn volumes_are_prefixes_with_sections_and_the_rest_is_foreign() {
    let world = World::new();
    world.put("sql-a/notes.txt", b"mine");
    world.put("sql-a/photos/1.jpg", b"mine");
    let mut device = world.blank();
    assert!(
        world
            .open("a", Access::Read)
            .volumes("", 9)
            .unwrap()
            .is_empty()
    );
    put(&mut device, 0, "header.mtf", b"h");
    let mut other = world.open("a", Access::Read);
    let volumes = other.volumes("", 9).unwrap();
    assert_eq!((volumes.len(), volumes[0].key.as_str()), (1, KEY));
    let beside: Vec<String> = other
        .leftovers("", 9)
        .unwrap()
        .into_iter()
        .map(|l| l.name)
        .collect();
    assert_eq!(beside, ["notes.txt", "photos"]);
    drop(device);
    let mut again = world.open("agent-1", Access::Write);
    assert_eq!(
        refused(again.mount(Mount::Blank(KEY))).outcome,
        Outcome::EXISTS
    );
}
