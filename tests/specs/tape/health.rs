//! What a drive says of itself: read where it may be cleared, raised, and in nobody's way.

use std::fs;

use serde_json::{Value, json};

use super::{formatted, image};
use crate::support::{World, generated};

/// Writes what a cartridge is besides its data.
fn sidecar(world: &World, mirror: u8, meta: &Value) {
    let path = image(world, mirror, 1).with_extension("tap.meta");
    fs::write(path, meta.to_string()).unwrap();
}

/// The flags that are still set.
fn flags(world: &World, mirror: u8) -> Value {
    let path = image(world, mirror, 1).with_extension("tap.meta");
    let meta: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    meta["flags"].clone()
}

fn open(world: &World) -> Vec<Value> {
    let listed = world.json(&["alerts", "list"]).ended(0).result();
    let mut open = listed["open"].as_array().unwrap().clone();
    open.sort_by_key(|alert| alert["object"].to_string());
    open
}

#[test]
fn a_flag_is_raised_once_with_cartridge_and_remedy() {
    let world = formatted(1, 2);
    let source = generated(world.path(), 1, 300_000, 1);
    sidecar(
        &world,
        1,
        &json!({ "barcode": "TWN001", "flags": [20, 19] }),
    );
    sidecar(&world, 2, &json!({ "barcode": "TWN002", "flags": [7] }));
    let ran = world.import(&source).ended(0).result().to_string();
    assert!(ran.contains("clean now (TapeAlert 20)"), "{ran}");
    let alerts = open(&world);
    let said: Vec<String> = alerts
        .iter()
        .map(|alert| {
            let text = |key: &str| alert[key].as_str().unwrap().to_owned();
            // The device as all messages call it.
            let device = text("object");
            let (device, object) = device.split_once(" (mirror ").unwrap();
            assert!(
                device.starts_with("tape {") && device.contains(".tap"),
                "{device}"
            );
            let (code, severity) = (text("code"), text("severity"));
            format!(
                "{code} {severity} {object} | {} | {}",
                text("message"),
                text("remedy")
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "TW6026 error 1, family 1): clean now (TapeAlert 20) | the \
             drive must be cleaned before it goes on (cartridge TWN001 was in it) | put a \
             cleaning cartridge in",
            "TW6026 warning 2, family 1): media life (TapeAlert 7), \
             cartridge TWN002 | the cartridge is at the end of its life | verify its media set, \
             repair what is bad, and take it out of use",
        ]
    );
    // It was read, and is said no more.
    assert_eq!((flags(&world, 1), flags(&world, 2)), (json!([]), json!([])));
    let ran = world.import(&source).ended(0).result().to_string();
    assert!(!ran.contains("TapeAlert"), "{ran}");
    assert_eq!(open(&world), alerts);
    let line = ["alerts", "resolve", "--code", "TW6026", "--note", "cleaned"];
    world.json(&line).ended(0);
    assert_eq!(open(&world), [json!(null); 0]);
    world.verify(0);
}

#[test]
fn a_flag_of_a_failing_run_is_heard() {
    let world = formatted(1, 1);
    let source = generated(world.path(), 1, 600_000, 1);
    let fault = json!({ "on": "write", "after": 3, "error": "EIO", "flags": [6, 30] });
    sidecar(&world, 1, &json!({ "faults": [fault] }));
    world.import(&source).ended(1);
    let objects: Vec<String> = open(&world)
        .iter()
        .filter(|alert| alert["code"] == "TW6026")
        .map(|alert| alert["object"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(objects.len(), 2, "{objects:?}");
    assert!(
        objects[0].ends_with("hardware A (TapeAlert 30)"),
        "{objects:?}"
    );
    assert!(
        objects[1].contains("write failure (TapeAlert 6)"),
        "{objects:?}"
    );
    sidecar(&world, 1, &json!({}));
    world.import(&source).ended(0);
    world.verify(0);
    world.exports(2, 0, &source);
}

#[test]
fn who_only_reads_takes_no_flag_away() {
    let world = formatted(1, 2);
    let source = generated(world.path(), 1, 100_000, 1);
    world.import(&source).ended(0);
    sidecar(&world, 1, &json!({ "flags": [21] }));
    world.verify(0);
    world.exports(1, 0, &source);
    world.json(&["media", "show", "payroll"]).ended(0);
    assert_eq!(flags(&world, 1), json!([21]));
    assert_eq!(open(&world), [json!(null); 0]);
    world.import(&source).ended(0);
    let alerts = open(&world);
    assert_eq!(alerts.len(), 1);
    assert!(
        alerts[0].to_string().contains("clean periodic"),
        "{alerts:?}"
    );
}
