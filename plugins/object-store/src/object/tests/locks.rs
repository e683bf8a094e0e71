//! Who may write, and who may take the lock of whom.

use std::sync::atomic::Ordering;

use twinset_plugin_api::{Access, Device, Mount, Outcome};

use super::world::{KEY, World, put, refused, section};

#[test]
fn one_writer_at_a_time_and_the_lock_goes_with_it() {
    let world = World::new();
    let mut device = world.blank();
    put(&mut device, 0, "header.mtf", b"h");
    for agent in ["agent-1", "agent-2"] {
        let mut second = world.open(agent, Access::Write);
        let fault = refused(second.mount(Mount::Existing(KEY)));
        assert_eq!(fault.outcome, Outcome::LOCKED, "{agent}");
        assert!(fault.text.starts_with("agent-1\t"), "{}", fault.text);
    }
    world.existing(Access::Read);
    drop(device);
    assert!(!world.keys().contains(&"lock".to_owned()));
    let mut second = world.open("agent-2", Access::Write);
    second.mount(Mount::Existing(KEY)).unwrap();
}

fn lock_of(agent: &str, process: u32) -> String {
    let host = crate::object::os::host_name();
    format!(
        r#"{{"agent":"{agent}","host":"{host}","process":{process},"started":1,"mark":"m","renewal":0}}"#
    )
}

#[test]
fn an_agent_takes_the_lock_that_its_dead_process_left_and_no_other() {
    let world = World::new();
    put(&mut world.blank(), 0, "header.mtf", b"h");
    let key = format!("sql-a/{KEY}/lock");
    world.put(&key, lock_of("agent-1", 4_000_000_000).as_bytes());
    let mut other = world.open("agent-2", Access::Write);
    assert_eq!(
        refused(other.mount(Mount::Existing(KEY))).outcome,
        Outcome::LOCKED
    );
    let device = world.existing(Access::Write);
    drop(device);
    world.put(&key, lock_of("agent-1", 4_000_000_000).as_bytes());
    let mut over = world.open("agent-2", Access::TakeOver);
    over.mount(Mount::Existing(KEY)).unwrap();
}

#[test]
fn a_writer_whose_lock_was_taken_seals_nothing() {
    let world = World::new();
    let mut device = world.blank();
    device.begin_section(&section(1, "a.bak")).unwrap();
    device.write(b"late").unwrap();
    world.put(
        &format!("sql-a/{KEY}/lock"),
        lock_of("agent-2", 1).as_bytes(),
    );
    let fault = refused(device.end_section());
    assert_eq!(fault.outcome, Outcome::LOCKED);
    assert!(fault.text.starts_with("agent-2\t"), "{}", fault.text);
    assert!(device.sections(None, 9).unwrap().is_empty());
    drop(device);
    // And it leaves the other's lock where it is.
    assert!(world.keys().contains(&"lock".to_owned()));
}

#[test]
fn a_store_that_ignores_the_condition_is_found_out_and_said() {
    let world = World::new();
    world.memory.ignores_create.store(true, Ordering::SeqCst);
    let mut device = world.blank();
    let alerts = device.status().unwrap().alerts;
    assert!(
        alerts.contains("does not honour create-only puts"),
        "{alerts}"
    );
    put(&mut device, 1, "a.bak", b"a");
    // Ours are looked at first, then.
    device.put_record("r", b"1").unwrap();
    assert_eq!(
        refused(device.put_record("r", b"2")).outcome,
        Outcome::EXISTS
    );
    let fault = refused(
        world
            .open("agent-2", Access::Write)
            .mount(Mount::Existing(KEY)),
    );
    assert_eq!(fault.outcome, Outcome::LOCKED);
    drop(device);
    // Who only reads knows it from the volume.
    let alerts = world.existing(Access::Read).status().unwrap().alerts;
    assert!(
        alerts.contains("does not honour create-only puts"),
        "{alerts}"
    );
    let world = World::new();
    assert_eq!(world.blank().status().unwrap().alerts, "");
}
