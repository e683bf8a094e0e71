//! A media set whose host is lost: closed for ever, readable for ever, and never written again.

use std::fs;

use serde_json::json;

use super::{diverged, forget, other_agent, while_one_runs};
use crate::support::{World, generated, sections, snapshot};

const ADOPT: &[&str] = &["media", "adopt", "payroll", "--yes"];

fn both(world: &World) -> [std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>; 2] {
    ["m1", "m2"].map(|mirror| snapshot(&world.path().join(mirror)))
}

fn is_closed(world: &World, mirror: u8) -> bool {
    let names = sections(&world.volume(mirror, 1));
    names.iter().any(|name| name.starts_with("closed."))
}

#[test]
fn adopting_asks_first_and_names_who_loses_it() {
    let (world, _) = World::with_set(1, 2, 1 << 16);
    let before = both(&world);
    let fault = other_agent(&world, &["media", "adopt", "payroll"])
        .ended(5)
        .failed("TW5006");
    assert!(
        fault["message"].as_str().unwrap().contains("sql-a"),
        "{fault}"
    );
    assert_eq!(both(&world), before);
}

#[test]
fn an_adopted_media_set_is_closed_to_everybody_and_goes_on_beside() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let old = world.volume(1, 1);
    let id = old.file_name().unwrap().to_str().unwrap().to_owned();
    other_agent(&world, ADOPT).ended(0);
    assert!(is_closed(&world, 1) && is_closed(&world, 2));
    // The old writer comes back and finds it closed.
    world.import(&files).ended(5).failed("TW3009");
    let after = both(&world);
    other_agent(&world, &World::import_line(&files)).ended(5);
    assert_eq!(both(&world), after);
    // Its adopter reads it and sets it right.
    other_agent(&world, &["media", "verify", "payroll"]).ended(0);
    other_agent(&world, &["media", "recover", "payroll"]).ended(0);
    let to = world.path().join("out");
    let export = ["media", "export", "payroll", "--position", "1", "--to"];
    other_agent(&world, &[&export[..], &[to.to_str().unwrap()]].concat()).ended(0);
    // A new one lies beside; the old one is reached by its id.
    let formatted = other_agent(&world, &["media", "format", "payroll"]).ended(0);
    assert_eq!(formatted.result()["formatted"], true);
    assert_ne!(formatted.result()["media_set"], id.as_str());
    let line = World::import_line(&files);
    assert_eq!(other_agent(&world, &line).ended(0).result()["position"], 1);
    let show = ["media", "show", "payroll", "--id", &id];
    let shown = other_agent(&world, &show).ended(0).result();
    assert_eq!(shown["media_set"], id.as_str());
    assert_eq!(shown["sets"].as_array().unwrap().len(), 1);
    let verify = ["media", "verify", "payroll", "--id", &id];
    other_agent(&world, &verify).ended(0);
    // Also without its catalog the adopter knows which of the two goes on.
    for entry in fs::read_dir(world.path().join("other")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("catalog") {
            fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(other_agent(&world, &line).ended(0).result()["position"], 2);
    world.import(&files).ended(5).failed("TW3009");
}

#[test]
fn an_adopter_repairs_what_it_closed_and_the_old_writer_does_not_undo_it() {
    let (world, files) = World::with_set(1, 2, 9 << 20);
    let id = world.volume(1, 1);
    let id = id.file_name().unwrap().to_str().unwrap().to_owned();
    let (data, manifest) = (world.file(2, 1, "0001."), world.file(1, 1, "0002."));
    let whole = fs::read(&data).unwrap();
    let harm = || {
        let mut bytes = whole.clone();
        bytes[5 << 20] ^= 1;
        fs::write(&data, bytes).unwrap();
        fs::remove_file(&manifest).unwrap();
    };
    harm();
    let damaged = both(&world);
    let line = ["media", "repair", "payroll"];
    // Before it is adopted it is somebody else's.
    other_agent(&world, &line).ended(5);
    assert_eq!(both(&world), damaged);
    other_agent(&world, ADOPT).ended(0);
    let healed = other_agent(&world, &line).ended(0).result();
    assert_eq!(healed["lost"], json!([]), "{healed}");
    assert!(fs::read(&data).unwrap() == whole);
    other_agent(&world, &["media", "verify", "payroll"]).ended(0);
    let again = other_agent(&world, &line).ended(0).result();
    assert_eq!(again["steps"], json!([]));
    // The same by its id, once a new media set has the name.
    other_agent(&world, &["media", "format", "payroll"]).ended(0);
    harm();
    other_agent(&world, &["media", "repair", "payroll", "--id", &id]).ended(0);
    let verify = ["media", "verify", "payroll", "--id", &id];
    other_agent(&world, &verify).ended(0);
    assert!(fs::read(&data).unwrap() == whole);
    world.import(&files).ended(5).failed("TW3009");
}

#[test]
fn a_writer_that_lives_is_not_adopted() {
    while_one_runs(|world| {
        other_agent(world, ADOPT).ended(5).failed("TW2009");
        world.json(ADOPT).ended(5).failed("TW5002");
        assert!(!is_closed(world, 1) && !is_closed(world, 2));
    });
}

#[test]
fn a_mirror_that_was_away_is_closed_by_its_twin() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let aside = world.path().join("aside");
    fs::rename(world.device(2, 1), &aside).unwrap();
    other_agent(&world, ADOPT).ended(0);
    fs::rename(&aside, world.device(2, 1)).unwrap();
    let before = both(&world);
    world.import(&files).ended(5).failed("TW3009");
    assert_eq!(both(&world), before);
    // Again, and the second mirror says it too.
    other_agent(&world, ADOPT).ended(0);
    assert!(is_closed(&world, 2));
    assert_eq!(
        other_agent(&world, &["media", "verify", "payroll"])
            .ended(0)
            .result()["damage"],
        json!([])
    );
}

#[test]
fn what_a_killed_adoption_began_is_finished_and_not_said_twice() {
    let (world, _) = World::with_set(1, 2, 1 << 16);
    other_agent(&world, ADOPT).ended(0);
    let whole = both(&world);
    fs::remove_file(world.file(2, 1, "closed.")).unwrap();
    other_agent(&world, ADOPT).ended(0);
    assert_eq!(both(&world), whole);
    other_agent(&world, ADOPT).ended(0);
    assert_eq!(both(&world), whole);
}

#[test]
fn diverged_mirrors_are_closed_each_with_its_own_history() {
    let (world, files) = diverged();
    world.import(&files).ended(1).failed("3210");
    let closed = world.json(ADOPT).ended(0).result();
    assert_eq!(closed["plan"]["branches"].as_array().unwrap().len(), 2);
    assert_eq!(closed["own"], true);
    world.import(&files).ended(5).failed("TW3009");
    world.json(&["media", "format", "payroll"]).ended(0);
    assert_eq!(world.import(&files).ended(0).result()["position"], 1);
}

#[test]
fn an_adopter_signs_with_its_own_key_or_not_at_all_where_nothing_is_signed() {
    let mut world = World::blank(1, 2);
    let made = |file: &str| {
        let made = world
            .json(&["key", "make", "--out", file])
            .ended(0)
            .result();
        made["public_key"].as_str().unwrap().to_owned()
    };
    let (first, second) = (made("first-key"), made("second-key"));
    world.configure(|media| media.extra = "signing_key_file = \"first-key\"".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.import(&files).ended(0);
    let adopter = |extra: &str, line: &[&str]| {
        world.other_config("adopter.toml", |media| {
            media.agent = "sql-b".into();
            media.state_dir = "other".into();
            media.extra = extra.into();
        });
        world.json_with("adopter.toml", line)
    };
    adopter("", ADOPT).ended(5).failed("TW3041");
    let key = "signing_key_file = \"second-key\"";
    adopter(key, ADOPT).ended(0);
    let verify = ["media", "verify", "payroll", "--public-key", &first];
    let report = adopter(key, &verify).ended(4).result();
    assert!(
        report["history"].to_string().contains("record 2"),
        "{report}"
    );
    let both = [&verify[..], &["--public-key", &second]].concat();
    assert_eq!(adopter(key, &both).ended(0).result()["damage"], json!([]));
    adopter(key, &["media", "recover", "payroll"]).ended(0);
}

#[test]
fn a_media_set_goes_on_with_its_key_alone() {
    let mut world = World::blank(1, 2);
    for file in ["first-key", "second-key"] {
        world.json(&["key", "make", "--out", file]).ended(0);
    }
    world.configure(|media| media.extra = "signing_key_file = \"first-key\"".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.import(&files).ended(0);
    let before = both(&world);
    for extra in ["signing_key_file = \"second-key\"", ""] {
        world.configure(|media| media.extra = extra.into());
        world.import(&files).ended(5).failed("TW3041");
    }
    assert_eq!(both(&world), before);
    world.configure(|media| media.extra = "signing_key_file = \"first-key\"".into());
    world.import(&files).ended(0);
}

#[test]
fn a_closed_media_set_stays_closed_without_a_catalog() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    other_agent(&world, ADOPT).ended(0);
    forget(&world);
    world.import(&files).ended(5).failed("TW3009");
    world.exports(1, 0, &files);
}
