//! Answers that are lost, objects that are cut, parts that do not arrive.

use std::sync::atomic::Ordering;

use twinset_plugin_api::{Device, Outcome};

use super::world::{World, bytes, get, put, refused, section};

const MIB: u64 = 1 << 20;

#[test]
fn a_put_whose_answer_was_lost_is_ours_and_no_conflict() {
    let world = World::new();
    let mut device = world.blank();
    device.begin_section(&section(1, "a.bak")).unwrap();
    device.write(&bytes(9 * MIB)).unwrap();
    // Its seal is the next create-only put.
    world.memory.loses_answer.store(true, Ordering::SeqCst);
    device.end_section().unwrap();
    assert!(get(&mut device, 1) == bytes(9 * MIB));
    // A small section's data is put create-only too.
    world.memory.loses_answer.store(true, Ordering::SeqCst);
    put(&mut device, 2, "manifest.json", b"{}");
    assert_eq!(get(&mut device, 2), b"{}");
}

#[test]
fn a_completion_whose_answer_was_lost_counts_when_the_object_is_there() {
    let world = World::new();
    let mut device = world.blank();
    world.memory.loses_completion.store(true, Ordering::SeqCst);
    put(&mut device, 1, "a.bak", &bytes(20 * MIB));
    assert!(get(&mut device, 1) == bytes(20 * MIB));
}

#[test]
fn an_object_that_is_not_what_was_sent_is_never_sealed() {
    let world = World::new();
    let mut device = world.blank();
    world.memory.truncates.store(true, Ordering::SeqCst);
    device.begin_section(&section(1, "a.bak")).unwrap();
    device.write(&bytes(20 * MIB)).unwrap();
    let fault = refused(device.end_section());
    assert_eq!(fault.outcome, Outcome::TRANSIENT);
    assert!(
        fault.text.contains("the store said done, but"),
        "{}",
        fault.text
    );
    device.abort_section().unwrap();
    assert!(device.sections(None, 9).unwrap().is_empty());
    assert!(device.leftovers("", 9).unwrap().is_empty());
}

#[test]
fn a_part_that_fails_fails_the_section_and_nothing_of_it_stays() {
    let world = World::new();
    let mut device = world.blank();
    let before = world.keys();
    world.memory.parts_left.store(2, Ordering::SeqCst);
    world.memory.fails_parts.store(true, Ordering::SeqCst);
    device.begin_section(&section(1, "a.bak")).unwrap();
    let failed = device
        .write(&bytes(60 * MIB))
        .and_then(|()| device.end_section());
    let fault = refused(failed);
    assert_eq!(fault.outcome, Outcome::TRANSIENT);
    assert!(
        fault.text.contains("the store answered 500 InternalError"),
        "{}",
        fault.text
    );
    device.abort_section().unwrap();
    assert_eq!(world.keys(), before);
}
